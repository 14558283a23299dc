"""Lists of policies at one place: what is refused, warned of, asked, cached and logged."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.guards import decide, decide_async
from support.random_policies import APP, METHODS, NAMES, PAGES, VALID

from corsguard import CORSRequest, Decision, Guard, Policy, PolicyError, PolicyWarning, Reason
from corsguard.guard.arguments import build_configured_guard, build_guard
from corsguard.guard.view_policies import View, cors_policy, find_shared_methods, get_policy

PARTNER = "https://partner.example"
EVIL = "https://evil.example"
FRONTENDS = Policy(allow_origins=[APP], allow_credentials=True, allow_methods=["PUT"])
PARTNERS = Policy(allow_origins=[PARTNER])
PUBLIC = Policy(allow_origins=["*"])
LIST = [FRONTENDS, PUBLIC]

Row = tuple[str, str, str]


def list_problems(build: Callable[..., object], *given: Any) -> list[Row]:
    with pytest.raises(PolicyError) as caught:
        build(*given)
    return [(each.code, each.field, each.suggestion) for each in caught.value.problems]


@pytest.mark.parametrize("policies", [LIST, tuple(LIST), {"/": LIST}])
def test_list_is_accepted_wherever_a_policy_is(policies: Any) -> None:
    guard = Guard(policies)
    assert guard.policies_for("/api") == (FRONTENDS, PUBLIC)
    assert guard.policy_for("/api") is FRONTENDS
    guard.reconfigure(PARTNERS)
    assert guard.policies_for("/api") == (PARTNERS,)
    guard.reconfigure(policies)
    assert guard.policies_for("/api") == (FRONTENDS, PUBLIC)


def test_no_cors_is_no_policy() -> None:
    guard = Guard({"/": LIST, "/off": None})
    assert guard.policies_for("/off") == ()
    assert guard.policy_for("/off") is None


def test_list_that_the_caller_changes_stays_as_it_was() -> None:
    policies = [FRONTENDS]
    guard = Guard({"/": policies})
    policies.append(PUBLIC)
    assert guard.policies_for("/") == (FRONTENDS,)
    assert guard.decide("/", EVIL, "GET", {}).reason is Reason.ORIGIN_NOT_ALLOWED


def test_list_of_one_answers_as_its_policy() -> None:
    for policy in (FRONTENDS, PUBLIC):
        for origin in (APP, EVIL, None):
            alone = Guard(policy).decide("/", origin, "GET", {})
            assert Guard([policy]).decide("/", origin, "GET", {}) == alone


REMOVE = "remove it: an origin that no policy of the list covers is refused"
FLAT = "put its policies into the outer list"
EMPTY = "list a policy; for no CORS, write None, or false in a file, and no list"
LAST = "put the policy of `*` last, or remove this one"


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ([], [("type-invalid", "policies", EMPTY)]),
        ({"/": []}, [("type-invalid", 'routes."/"', EMPTY)]),
        ([FRONTENDS, None], [("type-invalid", "policies[1]", REMOVE)]),
        ({"/": [False, PUBLIC]}, [("type-invalid", 'routes."/"[0]', REMOVE)]),
        ({"/": [FRONTENDS, [PUBLIC]]}, [("type-invalid", 'routes."/"[1]', FLAT)]),
        ([PUBLIC, FRONTENDS], [("policy-unreachable", "policies[1]", LAST)]),
        (
            {"/api": [PARTNERS, PUBLIC, FRONTENDS, PUBLIC]},
            [
                ("policy-unreachable", 'routes."/api"[2]', LAST),
                ("policy-unreachable", 'routes."/api"[3]', LAST),
            ],
        ),
    ],
)
def test_wrong_list_is_a_problem_with_a_fix(policies: Any, expected: list[Row]) -> None:
    assert list_problems(Guard, policies) == expected
    guard = Guard(PARTNERS)
    assert list_problems(guard.reconfigure, policies) == expected
    assert guard.policies_for("/") == (PARTNERS,)


def test_reconfigure_refuses_what_is_neither_a_policy_nor_a_list() -> None:
    guard = Guard(LIST)
    for wrong in (5, {"/": 5}, {"/": "https://a.example"}, [APP]):
        [(code, _, _)] = list_problems(guard.reconfigure, wrong)
        assert code == "type-invalid"
    assert guard.policies == tuple(LIST)


def test_item_of_another_type_is_type_invalid() -> None:
    [(code, field, suggestion)] = list_problems(Guard, [FRONTENDS, 5])
    assert (code, field) == ("type-invalid", "policies[1]")
    assert suggestion.startswith("Policy(allow_origins=[...])")


def test_unreachable_policy_names_the_one_that_covers_everything() -> None:
    with pytest.raises(PolicyError, match=r'routes\."/"\[0\] lists `\*`, which covers every'):
        Guard({"/": [PUBLIC, FRONTENDS]})


@pytest.mark.parametrize(
    "later",
    [APP, "https://a.example.com", "http://localhost:5173", "https://*.example.com"],
)
def test_origin_that_an_earlier_policy_covers_is_warned_of(later: str) -> None:
    first = Policy(allow_origins=[APP, "https://*.example.com", "http://localhost:*"])
    with pytest.warns(PolicyWarning) as warned:
        guard = Guard({"/": [PARTNERS, first, Policy(allow_origins=[EVIL, later])]})
    assert [str(each.message) for each in warned] == [
        f'routes."/"[2].allow_origins: {later} has no effect here: routes."/"[1] covers it, and '
        f"the first policy that covers an origin decides. Remove {later}, or put this policy "
        "first [origin-unreachable]"
    ]
    assert [each.problem.code for each in guard.warnings] == ["origin-unreachable"]
    with pytest.warns(PolicyWarning, match="origin-unreachable"):
        guard.reconfigure(guard.policies)


def test_pattern_wider_than_that_of_an_earlier_policy_is_not_warned_of() -> None:
    wider = Policy(allow_origins=["https://*.example.com", lambda origin: False])
    assert Guard([FRONTENDS, wider, PUBLIC]).warnings == ()


def test_enforced_list_must_not_hold_a_wildcard() -> None:
    def build(policies: Any) -> Guard:
        return Guard(policies, enforce=True)

    code, exempt = "enforce-with-wildcard", "list the origins, or exempt the path"
    assert list_problems(build, LIST) == [(code, "policies[1].allow_origins", exempt)]
    assert list_problems(build, {"/": LIST}) == [(code, 'routes."/"[1].allow_origins', exempt)]
    assert Guard({"/": LIST}, enforce=True, enforce_exempt=["/"]).enforce is True


# Configuration


TABLES = [
    {"allow_origins": [APP], "allow_credentials": True, "allow_methods": ["PUT"]},
    {"allow_origins": ["*"]},
]
TOML = f"""
[[routes."/"]]
allow_origins = ["{APP}"]
allow_credentials = true
allow_methods = ["PUT"]

[[routes."/"]]
allow_origins = ["*"]
"""


def test_list_of_tables_in_each_configuration(tmp_path: Any) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(TOML)
    mapping: dict[str, Any] = {"routes": {"/": TABLES}}
    for guard in (
        Guard.from_file(file),
        Guard.from_mapping(mapping),
        Guard.from_mapping({"routes": {"/": [FRONTENDS, TABLES[1]]}}),
        build_configured_guard(mapping),
        build_guard(None, mapping),
    ):
        assert guard.policies_for("/api") == (FRONTENDS, PUBLIC)
    assert build_configured_guard(LIST).policies_for("/api") == (FRONTENDS, PUBLIC)
    assert build_guard(LIST).policies_for("/api") == (FRONTENDS, PUBLIC)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], [("type-invalid", 'routes."/"', EMPTY)]),
        ([TABLES[0], None], [("type-invalid", 'routes."/"[1]', REMOVE)]),
        ([TABLES[0], [TABLES[1]]], [("type-invalid", 'routes."/"[1]', FLAT)]),
        ([TABLES[0], 5], [("type-invalid", 'routes."/"[1]', '{"allow_origins": [...]}')]),
        (
            [{"allow_origins": ["*"], "max_age": -1}, {"allow_origin": []}],
            [
                ("max-age-out-of-range", 'routes."/"[0].max_age', "0"),
                ("unknown-field", 'routes."/"[1].allow_origin', "allow_origins"),
            ],
        ),
        (TABLES[::-1], [("policy-unreachable", 'routes."/"[1]', LAST)]),
    ],
)
def test_wrong_list_of_tables_names_the_entry(entries: Any, expected: list[Row]) -> None:
    assert list_problems(Guard.from_mapping, {"routes": {"/": entries}}) == expected


def test_warnings_of_tables_name_the_entry(tmp_path: Any) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(f'{TOML}\nmax_age = 86400\n[[routes."/api"]]\nallow_origins = ["{APP}"]\n'
                    f'[[routes."/api"]]\nallow_origins = ["{APP}"]\n')  # fmt: skip
    with pytest.warns(PolicyWarning) as warned:
        guard = Guard.from_file(file)
    fields = ['routes."/"[1].max_age', 'routes."/api"[1].allow_origins']
    assert [each.message.problem.field for each in warned] == fields  # type: ignore[union-attr]
    assert [each.problem.field for each in guard.warnings] == fields


# Views


def test_decorator_takes_a_list() -> None:
    def view() -> None:
        raise NotImplementedError

    assert get_policy(cors_policy(LIST)(view)) == (FRONTENDS, PUBLIC)
    assert list_problems(cors_policy, []) == [("type-invalid", "policies", EMPTY)]
    assert list_problems(cors_policy, LIST[::-1]) == [("policy-unreachable", "policies[1]", LAST)]
    with pytest.raises(TypeError, match="cors_policy takes"):
        cors_policy([APP])  # type: ignore[list-item]


def test_view_with_a_list_is_decided_and_enforced() -> None:
    own = (FRONTENDS, PARTNERS)
    guard = Guard({"/": PUBLIC}, enforce=True, enforce_exempt=["/"])
    guard.adapter.add_views([('view "own"', own)])
    view = View("own", own)
    assert decide(guard, "/", PARTNER, "GET", {}, view=view).allowed
    assert not decide(guard, "/", EVIL, "GET", {}, view=view).allowed
    assert [place for place, _ in guard.adapter.snapshot.place_policies()] == [
        'routes."/"',
        'view "own"[0]',
        'view "own"[1]',
    ]
    insecure = Policy(allow_origins=["http://a.example"])
    problems = list_problems(guard.adapter.add_views, [('view "v"', (FRONTENDS, insecure))])
    assert [row[:2] for row in problems] == [("origin-insecure", 'view "v"[1].allow_origins')]


def test_views_with_equal_lists_share_their_methods() -> None:
    policies: Mapping[str, Any] = {"GET": LIST, "PUT": tuple(LIST), "POST": FRONTENDS}
    assert find_shared_methods("GET", policies) == frozenset({"GET", "PUT"})
    assert find_shared_methods("POST", {"GET": [FRONTENDS], "POST": FRONTENDS}) is None


def test_origin_in_two_policies_of_a_view_is_a_warning() -> None:
    guard = Guard({"/": PUBLIC})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        guard.adapter.add_views([('view "own"', (FRONTENDS, Policy(allow_origins=[APP])))])
    assert [each.problem.field for each in guard.warnings] == ['view "own"[1].allow_origins']


# Decisions


def strip_vary(decision: Decision) -> Decision:
    """Return a decision without `Vary`, whose fields a list sends always."""
    fields = tuple(field for field in decision.headers if field[0] != "Vary")
    return decision._replace(headers=fields)


PREFLIGHTS = st.builds(
    lambda method, names: {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ",".join(names).lower(),
    },
    st.sampled_from(METHODS),
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
)


@settings(derandomize=True)
@given(
    VALID.filter(lambda policy: "*" not in policy.allow_origins),
    VALID,
    st.sampled_from([None, *PAGES, EVIL, "https://A", "x" * 400]),
    st.sampled_from(["GET", "POST", "OPTIONS"]),
    st.just({}) | PREFLIGHTS,
    st.sampled_from([None, True, False]),
)
def test_first_policy_that_covers_the_origin_decides(
    first: Policy,
    second: Policy,
    origin: str | None,
    method: str,
    headers: Mapping[str, str],
    credentials: bool | None,
) -> None:
    covered = Guard(first).decide("/", origin, "GET", {})
    deciding = first if covered.reason is Reason.ALLOWED else second
    alone = Guard(deciding).decide("/", origin, method, headers, credentials)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)
        guard = Guard([first, second])
    for _ in range(2):
        decision = guard.decide("/", origin, method, headers, credentials)
        if decision.reason is Reason.ORIGIN_NOT_ALLOWED:  # the nearest origin of both is shown
            alone = alone._replace(lazy_detail=decision.lazy_detail)
        assert strip_vary(decision) == strip_vary(alone)
        assert "Origin" in dict(decision.headers)["Vary"].split(", ")


@pytest.mark.parametrize("policies", [[FRONTENDS, PUBLIC], [PARTNERS, FRONTENDS, PUBLIC]])
def test_untrusted_origin_never_gets_allow_credentials(policies: list[Policy]) -> None:
    guard = Guard(policies)
    for method, headers in (
        ("GET", {}),
        ("OPTIONS", {"Access-Control-Request-Method": "PUT"}),
    ):
        for _ in range(2):
            decision = guard.decide("/", EVIL, method, headers, credentials=True)
            fields = dict(decision.headers)
            assert fields["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in fields


def test_refused_origin_shows_the_nearest_of_all_policies() -> None:
    guard = Guard([PARTNERS, FRONTENDS])
    for near, listed in (("http://app.example.com", APP), ("http://partner.example", PARTNER)):
        detail = guard.decide("/", near, "GET", {}).detail
        assert detail == f"{near} (nearest listed: {listed})"


# Callables


def build_asking(asked: list[str], name: str, allowed: str) -> Callable[[str], bool]:
    def ask(origin: str) -> bool:
        asked.append(name)
        return origin == allowed

    return ask


def build_asking_async(asked: list[str], name: str, allowed: str) -> Callable[[str], Any]:
    async def ask(origin: str) -> bool:
        asked.append(name)
        await asyncio.sleep(0)
        return origin == allowed

    return ask


@pytest.mark.parametrize(
    ("origin", "expected", "allowed"),
    [
        (APP, [], APP),
        ("https://one.example", ["one"], "https://one.example"),
        (PARTNER, ["one"], PARTNER),
        ("https://two.example", ["one", "two"], "https://two.example"),
        (EVIL, ["one", "two"], "*"),
    ],
)
@pytest.mark.parametrize("build", [build_asking, build_asking_async])
def test_callables_are_asked_in_turn(
    build: Callable[..., Any], origin: str, expected: list[str], allowed: str
) -> None:
    asked: list[str] = []
    one = Policy(allow_origins=[APP, build(asked, "one", "https://one.example")])
    two = Policy(allow_origins=[build(asked, "two", "https://two.example")])
    guard = Guard([one, PARTNERS, two, PUBLIC])
    for _ in range(2):  # an answer is not cached
        asked.clear()
        if build is build_asking:
            decision = guard.decide("/", origin, "GET", {})
        else:
            decision = asyncio.run(decide_async(guard, "/", origin, "GET", {}))
        assert asked == expected
        assert dict(decision.headers)["Access-Control-Allow-Origin"] == allowed


def test_last_callable_that_refuses_decides() -> None:
    asked: list[str] = []
    one = Policy(allow_origins=[build_asking(asked, "one", APP)])
    guard = Guard([PARTNERS, one])
    assert guard.decide("/", EVIL, "GET", {}).reason is Reason.ORIGIN_NOT_ALLOWED
    assert guard.decide("/", APP, "GET", {}).reason is Reason.ALLOWED
    assert asked == ["one", "one"]


def test_only_decisions_after_a_question_are_not_cached() -> None:
    asked: list[str] = []
    one = Policy(allow_origins=[APP, build_asking(asked, "one", "https://one.example")])
    guard = Guard([one, PUBLIC])
    cache = guard.adapter.snapshot.find("/").cache
    for origin, is_cached in ((APP, True), (EVIL, False), ("https://one.example", False)):
        guard.decide("/", origin, "GET", {})
        assert (cache.lookup({"HTTP_ORIGIN": origin}, "GET") is not None) is is_cached


def test_failures_of_all_callables_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    def fail_first(_: str) -> bool:
        raise RuntimeError("first")

    def fail_second(_: str) -> bool:
        raise RuntimeError("second")

    first, second = Policy(allow_origins=[fail_first]), Policy(allow_origins=[fail_second])
    for policies in ([first, second, PUBLIC], [first, second]):
        decision = Guard(policies).decide("/", EVIL, "GET", {})
        assert [str(error) for _, error in decision.faults] == ["first", "second"]
    assert "fail_first" in caplog.text
    assert "fail_second" in caplog.text


# Cache


@pytest.mark.parametrize("policies", [LIST, [PARTNERS, FRONTENDS]])
@pytest.mark.parametrize("cookie", [{}, {"HTTP_COOKIE": "a=b"}])
def test_second_request_is_answered_from_the_cache(
    policies: list[Policy], cookie: Mapping[str, str]
) -> None:
    guard = Guard(policies)
    for origin in (APP, None, EVIL):
        environ = {"REQUEST_METHOD": "GET", "HTTP_SEC_FETCH_SITE": "cross-site", **cookie}
        if origin:
            environ["HTTP_ORIGIN"] = origin
        decision = guard.adapter.decide(CORSRequest.from_environ(environ, "/"))
        cache = guard.adapter.snapshot.find("/").cache
        found = cache.lookup(environ, "GET")
        assert found == decision
        headers = [
            (name[5:].replace("_", "-").lower().encode(), value.encode())
            for name, value in environ.items()
            if name.startswith("HTTP_")
        ]
        assert cache.lookup_headers(headers, "GET") is found


def test_engines_are_shared_by_equal_lists_only() -> None:
    shared = [FRONTENDS, PARTNERS]
    snapshot = Guard({"/a": shared, "/b": tuple(shared), "/c": FRONTENDS}).adapter.snapshot
    assert snapshot.find("/a").engines is snapshot.find("/b").engines
    assert snapshot.find("/c").engines[0] is not snapshot.find("/a").engines[0]


# Log


@pytest.mark.parametrize(
    ("policies", "origin", "deciding"),
    [
        ({"/": LIST}, EVIL, 'decided by routes."/"[1]'),
        ({"/": LIST}, APP, 'decided by routes."/"[0]'),
        (LIST, APP, "decided by policies[0]"),
        ({"/": [PARTNERS, FRONTENDS]}, EVIL, 'no policy of routes."/" covers it'),
        ([PARTNERS, FRONTENDS], EVIL, "no policy of the list covers it"),
    ],
)
def test_log_names_the_policy_that_has_decided(
    policies: Any, origin: str, deciding: str, caplog: pytest.LogCaptureFixture
) -> None:
    Guard(policies).decide("/", origin, "OPTIONS", {"Access-Control-Request-Method": "PATCH"})
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().endswith(f" ({deciding})")


def test_log_of_a_request_without_an_origin_names_no_policy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard([FRONTENDS, PARTNERS], enforce=True)
    decision = guard.decide("/", None, "POST", {"Sec-Fetch-Site": "cross-site"})
    assert decision.reason is Reason.CROSS_ORIGIN_REFUSED
    assert "decided by" not in caplog.text


def test_log_names_the_policy_of_a_view(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(None)
    own = (FRONTENDS, PARTNERS)
    guard.adapter.add_views([("view", own)])
    decide(guard, "/", PARTNER, "GET", {}, True, view=View("own", own))
    assert caplog.messages[0].endswith(' (decided by view "own"[1])')


def test_policy_of_very_many_origins_is_not_searched_for_unreachable_ones() -> None:
    many = Policy(allow_origins=[APP, *(f"https://t{number}.example" for number in range(10_001))])
    assert Guard([FRONTENDS, many]).warnings == ()
    with pytest.warns(PolicyWarning):
        [warning] = Guard([many, FRONTENDS]).warnings
    assert warning.problem.field == "policies[1].allow_origins"
