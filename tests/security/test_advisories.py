"""The published defects of other CORS libraries, each tried on every adapter of this one.

A defect of configuration is one that does not start here, whichever way it is written down.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable

import pytest
from support.security.assertions import (
    COM,
    COOKIE,
    EVIL,
    PUBLIC,
    allowed_origin,
    allowed_origin_at,
    ask,
    assert_allowed,
    assert_refused,
    build_policy,
)
from support.security.configuration import Configure, find_problems
from support.security.origin_removal import ServeWithoutOrigin
from support.table import PREFLIGHT_VARY, Stack, by_name, preflight

from corsguard import Guard, Policy, Reason

ADVISORIES = """
    cve_2020_25032 cve_2024_1681 cve_2024_6221 cve_2024_6839 cve_2024_6844 cve_2024_6866
    cve_2026_37737 cve_2026_40110 cve_2026_25478 cve_2024_47084 cve_2024_47165
    cve_2025_47908 cve_2018_20744 cve_2019_25211 cve_2024_25124 cve_2022_1996 cve_2024_27302
    ghsa_vhxv_fg4m_p2w8 cve_2025_47909 cve_2017_11173 cve_2019_18978 cve_2023_49803
    cve_2025_53092 cve_2026_54290 ghsa_8j4g_w8fx_2239 ghsa_q7jf_gf43_6x6p cve_2021_39185
    cve_2018_8014 cve_2017_7674 cve_2020_5397 cve_2023_35943 cve_2022_4147
""".split()


# Python


def test_cve_2020_25032_path_rules_before_normalisation(stack: Stack) -> None:
    """flask-cors gave `/api/../foo` the policy of `/api/*`; such a path has no policy here."""
    routes = {"/api": PUBLIC}
    assert allowed_origin_at(stack, routes, "/api/x") == "*"
    for path in ("/api/../foo.txt", "/api/../private/x", "/api%2F..%2Fprivate", "/apix",
                 "/apiary/secret", "/api/./../x", "/api//../x"):  # fmt: skip
        assert allowed_origin_at(stack, routes, path) is None


def test_cve_2024_1681_log_injection(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    """flask-cors logged the path as it was; here a refusal is one line, line ends escaped."""
    for path, origin in (
        ("/x\r\nFAKE log line", EVIL),
        ("/y", f"{EVIL}\r\nFAKE log line"),
        ("/z\x1b[2J", "\x85\x0bFAKE"),
    ):
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "corsguard"):
            ask(stack, build_policy(COM), [("Origin", origin)], path=path)
        [record] = [record for record in caplog.records if record.name == "corsguard"]
        assert record.getMessage().isprintable()
        assert record.getMessage().isascii()


def test_cve_2024_6221_private_network_access_by_default(stack: Stack) -> None:
    """flask-cors allowed private network access unasked; the header does not exist here."""
    asked = [*preflight(COM), ("Access-Control-Request-Private-Network", "true")]
    answer = ask(stack, build_policy(COM), asked, "OPTIONS")
    assert allowed_origin(answer) == COM
    assert "access-control-allow-private-network" not in by_name(answer.headers)


def test_cve_2024_6839_the_longer_rule_is_not_the_more_specific(stack: Stack) -> None:
    """flask-cors took the longest regex; here rules are prefixes, and more segments win."""
    routes = {"/api/admin": build_policy(COM), "/api": PUBLIC}
    for ordered in (routes, dict(reversed(routes.items()))):
        assert allowed_origin_at(stack, ordered, "/api/admin/users") is None
        assert allowed_origin_at(stack, ordered, "/api/admin/users", COM) == COM
        assert allowed_origin_at(stack, ordered, "/api/users/of/a/very/long/path") == "*"
    assert find_problems(Guard.from_mapping, routes={"/api/(?:.*/)?[a-z]+": False}) == [
        "route-invalid"
    ]


def test_cve_2024_6844_a_plus_in_a_path_stays_a_plus(stack: Stack) -> None:
    """flask-cors read `+` as a space, and decoded twice; here a path is decoded once."""
    bar = "https://bar.example"
    routes = {
        "/service+path": build_policy(COM),
        "/service path": build_policy(bar),
        "/public": PUBLIC,
    }
    assert allowed_origin_at(stack, routes, "/service+path", bar) is None
    assert allowed_origin_at(stack, routes, "/service+path", COM) == COM
    assert allowed_origin_at(stack, routes, "/service path", bar) == bar
    assert allowed_origin_at(stack, routes, "/public%2Fx") is None


def test_cve_2024_6866_paths_compared_in_any_case(stack: Stack) -> None:
    """flask-cors gave `/FOO` the policy of `/foo`; paths are case-sensitive here."""
    assert allowed_origin_at(stack, {"/foo": PUBLIC}, "/foo") == "*"
    assert allowed_origin_at(stack, {"/foo": PUBLIC}, "/FOO") is None


def test_cve_2026_37737_a_regex_without_an_end(stack: Stack) -> None:
    """sanic-cors used re.match, which covers any tail; a regex is matched as a whole here."""
    policy = build_policy(re.compile(r"https://example\.com"))
    assert_refused(stack, policy, [f"{COM}.evil.com", f"{COM}:8443", f"x{COM}", f"{COM}\n"])
    assert_allowed(stack, policy, COM)


def test_cve_2026_40110_a_regex_without_an_end_on_web_sockets(stack: Stack) -> None:
    """jupyter-server used re.match on allow_origin_pat; here it is as a whole, everywhere."""
    trusted = "http://trusted.example.com"
    pattern = re.compile(r"http://trusted\.example\.com")
    policy = Policy(
        allow_origins=[pattern], allow_credentials=True, dangerously_allow_insecure_origins=True
    )
    assert_refused(stack, policy, [f"{trusted}.evil.com"])
    assert_allowed(stack, policy, trusted)
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    guard = Guard(policy, enforce=True)
    answer = ask(stack, guard, [("Origin", f"{trusted}.evil.com"), *upgrade])
    assert (answer.status, answer.called) == (403, False)
    assert ask(stack, guard, [("Origin", trusted), *upgrade]).called


def test_cve_2026_25478_literals_compiled_as_a_regex(stack: Stack) -> None:
    """Litestar joined origins into a regex unescaped; a str is never one here."""
    good = "https://good.example"
    assert_refused(stack, build_policy(good), ["https://goodXexample", "https://goodxexample"])
    assert_allowed(stack, build_policy(good), good)
    below = ["https://evil.com/.example.com", "https://evil.com#.example.com"]
    assert_refused(stack, build_policy("https://*.example.com"), below)


def test_cve_2024_47084_no_check_where_there_is_a_cookie(stack: Stack) -> None:
    """Gradio let requests with a cookie through; a cookie never makes an origin allowed here."""
    assert_refused(stack, build_policy(COM), [EVIL])


def test_cve_2024_47165_null_as_an_alias_of_localhost(stack: Stack) -> None:
    """Gradio took `null` for localhost; here it is an opaque origin, which anyone can have."""
    local = "http://localhost:7860"
    assert_refused(stack, build_policy(local), ["null"])
    guard = Guard(build_policy(local), enforce=True)
    answer = ask(stack, guard, [("Origin", "null")], "POST", host="localhost:7860")
    assert (allowed_origin(answer), answer.status, answer.called) == (None, 403, False)


# Go


def test_cve_2025_47908_an_allocation_for_each_comma(stack: Stack) -> None:
    """rs/cors split any number of commas; a list that no page sends is not read here."""
    answer = ask(stack, build_policy(COM), preflight(COM, names="," * 1_000_000), "OPTIONS")
    assert answer.decision is not None
    assert answer.decision.reason is Reason.HEADERS_NOT_ALLOWED
    assert by_name(answer.headers)["access-control-allow-headers"] == "X-A"
    assert len(answer.decision.detail) < 100


def test_cve_2018_20744_any_origin_with_credentials(configure: Configure) -> None:
    """rs/cors reflected any origin for `*` with credentials; that does not start here."""
    assert find_problems(configure, allow_origins=["*"], allow_credentials=True) == [
        "wildcard-with-credentials"
    ]


def test_cve_2019_25211_a_wildcard_at_the_end(configure: Configure) -> None:
    """gin-contrib/cors cut one character too many of `/*`; such an entry does not start here."""
    for entry in ("https://example.com/*", "http://localhost/*", "https://example.com*"):
        assert find_problems(configure, allow_origins=[entry]) == ["origin-invalid"]


def test_cve_2019_25211_what_the_wildcard_covered(stack: Stack) -> None:
    """It covered example.community; `:*` ends behind the host here."""
    assert_refused(stack, build_policy("https://example.com:*"), ["https://example.community"])
    local = ["http://localhost.example.com", "http://localhostx"]
    assert_refused(stack, build_policy("http://localhost:*"), local)


def test_cve_2024_25124_any_origin_with_credentials(configure: Configure) -> None:
    """fiber permitted `*` with credentials; not here, however many entries there are."""
    codes = find_problems(configure, allow_origins=["*", COM], allow_credentials=True)
    assert codes == ["wildcard-not-alone", "wildcard-with-credentials"]


def test_cve_2022_1996_domains_as_regexes(stack: Stack) -> None:
    """go-restful compiled a domain as a regex without anchors; origins are compared here."""
    evil = ["example.com.malicious.domain", f"{COM}.malicious.domain", "https://examplexcom"]
    assert_refused(stack, build_policy(COM), evil)


def test_cve_2022_1996_a_bare_domain(configure: Configure) -> None:
    """go-restful took a domain for an origin; one without a scheme does not start here."""
    assert find_problems(configure, allow_origins=["example.com"]) == ["origin-invalid"]


def test_cve_2024_27302_the_end_of_a_host(stack: Stack) -> None:
    """go-zero compared with HasSuffix; hosts are compared label by label here."""
    policy = build_policy("https://victim.com", "https://*.victim.com")
    assert_refused(stack, policy, ["https://evil-victim.com", "https://evilvictim.com"])
    assert_allowed(stack, policy, "https://victim.com", "https://a.victim.com")


def test_ghsa_vhxv_fg4m_p2w8_patterns_that_share_an_end(stack: Stack) -> None:
    """jub0bs/cors let foo.com and bar.com make barfoo.com; each pattern stands alone here."""
    foo, bar = "https://foo.com", "https://bar.com"
    for policy in (
        build_policy(foo, bar),
        build_policy(bar, foo),
        build_policy("https://*.foo.com", bar),
    ):
        assert_refused(stack, policy, ["https://barfoo.com", "https://foobar.com"])
    assert_allowed(stack, build_policy(foo, bar), foo, bar)


def test_cve_2025_47909_trusted_by_host_alone(stack: Stack) -> None:
    """gorilla/csrf ignored the scheme of trusted origins; it is part of an origin here."""
    assert_refused(stack, build_policy("https://example.net"), ["http://example.net"])
    guard = Guard(None, enforce=True, own_origins=["https://example.net"])
    assert ask(stack, guard, [("Origin", "http://example.net")], "POST").status == 403
    assert ask(stack, guard, [("Origin", "https://example.net")], "POST").called


# Other ecosystems


def test_cve_2017_11173_no_end_of_a_host(stack: Stack) -> None:
    """rack-cors did not anchor the end; an origin is compared as a whole here."""
    for policy in (build_policy(COM), build_policy(re.compile(r"https://example\.com"))):
        assert_refused(stack, policy, [f"{COM}.example.net", f"{COM}-example.net"])


def test_cve_2019_18978_paths_that_are_not_canonical(stack: Stack) -> None:
    """rack-cors gave `/public/../private` the policy of `/public`; it has none here."""
    routes = {"/public": PUBLIC, "/private": build_policy(COM)}
    for path in ("/public/../private", "/public/./../private", "/public//../private",
                 "/public\\..\\private"):  # fmt: skip
        assert allowed_origin_at(stack, routes, path) is None


def test_cve_2023_49803_any_origin_by_default(configure: Configure) -> None:
    """@koa/cors reflected any origin by default; nothing starts without origins here."""
    assert find_problems(configure, max_age=60) == ["no-origins"]
    assert find_problems(configure, allow_origins=[]) == ["no-origins"]


def test_cve_2025_53092_any_origin_with_credentials_by_default(configure: Configure) -> None:
    """Strapi reflected any origin, with credentials, by default; that does not start here."""
    assert find_problems(configure, allow_credentials=True) == ["no-origins"]


def test_cve_2025_53092_another_port_of_localhost(stack: Stack) -> None:
    """Strapi at :1337 answered a page of :8888; another port is another origin here."""
    assert_refused(stack, build_policy("http://localhost:1337"), ["http://localhost:8888"])


def test_cve_2026_54290_any_origin_with_credentials_again(configure: Configure) -> None:
    """hono's fix reflected the origin for `*` with credentials; see CVE-2018-20744."""
    for origins in (["*"], ("*",), {"*"}):
        codes = find_problems(configure, allow_origins=origins, allow_credentials=True)
        assert codes == ["wildcard-with-credentials"]


def test_cve_2026_54290_any_origin_is_never_reflected(stack: Stack) -> None:
    """Without credentials, `*` is sent as it is."""
    for origin in ("https://attacker.example", "null"):
        for method, fields in (
            ("GET", [("Origin", origin), COOKIE]),
            ("OPTIONS", preflight(origin)),
        ):
            answer = ask(stack, PUBLIC, fields, method)
            assert allowed_origin(answer) == "*"
            assert "access-control-allow-credentials" not in by_name(answer.headers)


def test_ghsa_8j4g_w8fx_2239_a_list_split_by_a_slow_regex(stack: Stack) -> None:
    """hono split names by a regex, slow for many spaces; so long a list is not read here."""
    names = f"x{' ' * 200_000}x"
    answer = ask(stack, build_policy(COM), preflight(COM, names=names), "OPTIONS")
    assert answer.decision is not None
    assert answer.decision.reason is Reason.HEADERS_NOT_ALLOWED


def test_ghsa_q7jf_gf43_6x6p_vary_of_the_request(stack: Stack) -> None:
    """hono copied `Vary` of the request; none of the request's is ever sent back here."""
    vary = ("Vary", "accept-encoding")
    for policy, expected in ((build_policy(COM), "Origin"), (PUBLIC, None)):
        answer = ask(stack, policy, [("Origin", COM), vary])
        assert by_name(answer.headers).get("vary") == expected
    answer = ask(stack, build_policy(COM), [*preflight(COM), vary], "OPTIONS")
    assert by_name(answer.headers)["vary"] == f"Origin, {PREFLIGHT_VARY}"


def test_cve_2021_39185_what_http4s_did_besides(stack: Stack) -> None:
    """http4s allowed anyone and `null` by default, sent `false`, and Max-Age anywhere."""
    policy = build_policy(COM)
    assert_refused(stack, policy, ["https://adversary.example.net", "null"])
    answer = ask(stack, policy, preflight(COM, names="x-unlisted"), "OPTIONS")
    assert "x-unlisted" not in by_name(answer.headers)["access-control-allow-headers"].lower()
    assert "Access-Control-Request-Headers" in by_name(answer.headers)["vary"]
    for credentials, sent in ((True, "true"), (False, None)):
        fields = by_name(
            ask(stack, build_policy(COM, credentials=credentials), [("Origin", COM)]).headers
        )
        assert fields.get("access-control-allow-credentials") == sent
        assert not {"access-control-max-age", "access-control-allow-methods"} & set(fields)


def test_cve_2018_8014_any_origin_with_credentials_by_default(configure: Configure) -> None:
    """Tomcat's filter allowed anyone, with credentials, by default; here nothing starts."""
    assert find_problems(configure) in (["no-policy"], ["no-origins"])


def test_cve_2017_7674_no_vary(stack: Stack) -> None:
    """Tomcat's filter sent no Vary; here every answer that may differ has it, refused or not."""
    for fields in ([("Origin", COM)], [("Origin", EVIL)], [("Origin", "%")], []):
        assert by_name(ask(stack, build_policy(COM), fields).headers)["vary"] == "Origin"
    for origin in (COM, EVIL):
        answer = ask(stack, build_policy(COM), preflight(origin), "OPTIONS")
        assert by_name(answer.headers)["vary"].startswith("Origin")


def test_cve_2020_5397_a_preflight_that_reaches_the_application(stack: Stack) -> None:
    """Spring let preflights through to endpoints; none gets there here, allowed or not."""
    for origin, method in ((COM, "PUT"), (COM, "DELETE"), (EVIL, "PUT"), ("%", "GET")):
        answer = ask(stack, build_policy(COM), preflight(origin, method), "OPTIONS")
        assert not answer.called
        assert answer.status == (204 if origin == COM else 403)


def test_cve_2023_35943_origin_removed_in_between(forgetful: ServeWithoutOrigin) -> None:
    """Envoy crashed where `Origin` was gone at the response; here the request decides, once."""
    fields = forgetful(Guard(build_policy(COM)), COM)
    assert fields["access-control-allow-origin"] == COM
    assert "access-control-" not in str(forgetful(Guard(build_policy(COM)), EVIL))


def test_cve_2022_4147_an_invalid_origin_that_is_acted_for(stack: Stack) -> None:
    """Quarkus acted on requests of origins that are not allowed; not here, under `enforce`."""
    enforced = Guard(build_policy(COM), enforce=True)
    for origin in (EVIL, "null", "%", f"{COM}, {EVIL}", ""):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = ask(stack, enforced, [("Origin", origin)], method)
            assert (answer.status, answer.called, allowed_origin(answer)) == (403, False, None)
    assert ask(stack, enforced, [("Origin", COM)], "POST").called


# What holds of the above


def find_tests(advisory: str) -> list[Callable[..., object]]:
    return [made for name, made in globals().items() if name.startswith(f"test_{advisory}_")]


@pytest.mark.parametrize("advisory", ADVISORIES)
def test_every_advisory_runs_on_every_adapter(advisory: str) -> None:
    tests = find_tests(advisory)
    assert tests
    for test in tests:
        assert {"stack", "configure", "forgetful"} & set(inspect.signature(test).parameters)
        assert inspect.getdoc(test)


def test_advisories_are_those_in_the_list() -> None:
    named = {name for name in globals() if re.match("test_(cve|ghsa)_", name)}
    listed = {test.__name__ for advisory in ADVISORIES for test in find_tests(advisory)}
    assert named == listed
    assert len(set(ADVISORIES)) == 32
