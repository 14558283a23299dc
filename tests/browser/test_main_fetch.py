"""Main fetch: modes, ports, the network, the resource policy."""

from __future__ import annotations

import pytest
from support.scripted_server import (
    API,
    HTTP_FETCH,
    MAIN_FETCH,
    OTHER,
    OWN,
    PAGE,
    allow,
    allow_preflight,
    answer,
    expect_refusal,
    expect_response,
    list_sent,
    list_texts,
    play,
    redirect,
)

from corsguard.browser import Answer, BlockReason, EngineName, SendError, Sent
from corsguard.fetch_spec import BAD_PORTS

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
NETWORK_FETCH = 'Fetch, "HTTP-network-or-cache fetch"'
RESOURCE_POLICY = 'Fetch, "cross-origin resource policy check"'


def unreachable(sent: Sent) -> Answer:
    raise SendError(f"no server responds at {sent.url}")


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
def test_same_origin_request_is_not_cors(mode: str) -> None:
    exchange = play(answer(), url=OWN, mode=mode)
    assert expect_response(exchange).type == "basic"
    assert list_texts(exchange, MAIN_FETCH) == [f"{PAGE} is the page's own origin: no CORS"]


@pytest.mark.parametrize(
    "url", ["http://app.example.com/", "https://app.example.com:444/", "https://example.com/"]
)
def test_other_scheme_port_or_host_is_cross_origin(url: str) -> None:
    exchange = play(allow(), url=url)
    assert expect_response(exchange).type == "cors"
    assert list_texts(exchange, MAIN_FETCH)[0].endswith(f"is not the page's origin, {PAGE}: CORS")


def test_default_port_is_same_origin() -> None:
    assert expect_response(play(answer(), url="https://APP.example.com:443/")).type == "basic"


def test_opaque_page_is_cross_origin_everywhere() -> None:
    exchange = play(allow(origin="null"), page="null")
    assert expect_response(exchange).type == "cors"


def test_mode_same_origin_refuses_other_origins() -> None:
    expect_refusal(play(mode="same-origin"), BlockReason.SAME_ORIGIN_ONLY, MAIN_FETCH)
    exchange = play(redirect(API), url=OWN, mode="same-origin")
    expect_refusal(exchange, BlockReason.SAME_ORIGIN_ONLY, MAIN_FETCH)
    assert list_sent(exchange) == ["GET"]


def test_mode_no_cors_hides_the_response() -> None:
    exchange = play(answer(("X-A", "1"), body=b"secret", status=404), mode="no-cors")
    response = expect_response(exchange)
    assert (response.type, response.status, response.url) == ("opaque", 0, "")
    assert (dict(response.headers), response.body) == ({}, b"")
    assert list_texts(exchange, MAIN_FETCH) == [
        "mode `no-cors`: the response is hidden from the script"
    ]
    assert list_texts(exchange, 'Fetch, "filtered response"') == [
        "the script gets an opaque response: no status, no headers, no body"
    ]


@pytest.mark.parametrize("mode", ["manual", "error"])
def test_mode_no_cors_needs_redirect_follow(mode: str) -> None:
    exchange = play(mode="no-cors", redirect=mode)
    expect_refusal(exchange, BlockReason.NO_CORS_REDIRECT_MODE, MAIN_FETCH)


def test_mode_no_cors_same_origin_allows_any_redirect_mode() -> None:
    exchange = play(redirect(OWN), url=OWN, mode="no-cors", redirect="manual")
    assert expect_response(exchange).type == "opaqueredirect"


def test_opaque_tainting_survives_redirect_to_own_origin() -> None:
    assert expect_response(play(redirect(OWN), answer(), mode="no-cors")).type == "opaque"


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "localhost:8000/"])
def test_non_http_scheme_is_refused(url: str) -> None:
    refusal = expect_refusal(play(url=url), BlockReason.SCHEME_NOT_HTTP, MAIN_FETCH)
    assert refusal.detail == url.partition(":")[0]


@pytest.mark.parametrize(
    ("url", "fix"),
    [
        ("localhost:8000/items?a=1", "write http://localhost:8000/items?a=1"),
        ("API.example.com:8443/", "write https://api.example.com:8443/"),
        ("mailto:me", "serve it over https"),
        ("ftp://example.com/", "serve it over https"),
    ],
)
def test_missing_scheme_is_suggested(url: str, fix: str) -> None:
    assert expect_refusal(play(url=url), BlockReason.SCHEME_NOT_HTTP, MAIN_FETCH).fix == fix


@pytest.mark.parametrize("port", sorted(BAD_PORTS))
def test_bad_port_is_blocked(port: int) -> None:
    exchange = play(url=f"https://api.example.com:{port}/")
    expect_refusal(exchange, BlockReason.PORT_BLOCKED, 'Fetch, "port blocking"')


def test_bad_port_is_blocked_after_redirect() -> None:
    exchange = play(redirect("https://api.example.com:25/", origin=PAGE))
    expect_refusal(exchange, BlockReason.PORT_BLOCKED, 'Fetch, "port blocking"')


def test_missing_response_is_unreachable() -> None:
    exchange = play(unreachable)
    refusal = expect_refusal(exchange, BlockReason.UNREACHABLE, NETWORK_FETCH)
    assert (refusal.step.text, refusal.in_preflight) == (f"no server responds at {API}", False)
    assert exchange.hops[0].answer is None


def test_missing_preflight_response_is_unreachable() -> None:
    exchange = play(unreachable, method="PUT")
    assert expect_refusal(exchange, BlockReason.UNREACHABLE, NETWORK_FETCH).in_preflight


def test_every_network_request_is_a_step() -> None:
    exchange = play(allow_preflight("PUT"), allow(status=500), method="PUT")
    assert list_texts(exchange, NETWORK_FETCH) == [f"OPTIONS {API} -> 204", f"PUT {API} -> 500"]


def test_status_407_is_refused_by_chromium_only() -> None:
    for engine in ALL:
        exchange = play(allow(status=407), engine=engine)
        if engine == "chromium":
            expect_refusal(exchange, BlockReason.UNREACHABLE, NETWORK_FETCH)
        else:
            assert expect_response(exchange).status == 407


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("policy", "url", "blocked"),
    [
        ("same-origin", API, True),
        ("same-origin", OTHER, True),
        (" same-origin ", API, True),
        ("same-site", API, False),
        ("same-site", OTHER, True),
        ("same-site", "http://api.example.com/", False),
        ("cross-origin", OTHER, False),
        ("SAME-ORIGIN", OTHER, False),
        ("same-origin, same-origin", OTHER, False),
        ("", OTHER, False),
        ("bogus", OTHER, False),
    ],
)
def test_resource_policy_applies_to_no_cors(
    policy: str, url: str, blocked: bool, engine: EngineName
) -> None:
    given = answer(("Cross-Origin-Resource-Policy", policy))
    exchange = play(given, url=url, mode="no-cors", engine=engine)
    if blocked:
        refusal = expect_refusal(exchange, BlockReason.RESOURCE_POLICY, RESOURCE_POLICY)
        assert refusal.detail == policy.strip()
    else:
        assert expect_response(exchange).type == "opaque"
        assert list_texts(exchange, RESOURCE_POLICY)


def test_resource_policy_same_site_compares_schemes() -> None:
    given = answer(("Cross-Origin-Resource-Policy", "same-site"))
    exchange = play(given, mode="no-cors", page="http://app.example.com")
    expect_refusal(exchange, BlockReason.RESOURCE_POLICY, RESOURCE_POLICY)


def test_resource_policy_refuses_opaque_page() -> None:
    given = answer(("Cross-Origin-Resource-Policy", "same-site"))
    exchange = play(given, mode="no-cors", page="null")
    expect_refusal(exchange, BlockReason.RESOURCE_POLICY, RESOURCE_POLICY)


def test_resource_policy_is_checked_on_every_hop() -> None:
    policy = ("Cross-Origin-Resource-Policy", "same-origin")
    exchange = play(answer(("Location", API), policy, status=302), mode="no-cors")
    expect_refusal(exchange, BlockReason.RESOURCE_POLICY, RESOURCE_POLICY)
    assert expect_response(play(redirect(OWN), answer(policy), mode="no-cors")).type == "opaque"


def test_resource_policy_is_ignored_in_mode_cors() -> None:
    exchange = play(allow(("Cross-Origin-Resource-Policy", "same-origin")))
    assert expect_response(exchange).ok
    assert list_texts(exchange, RESOURCE_POLICY) == []


@pytest.mark.parametrize(
    ("url", "given"), [(API, redirect(OTHER, origin=PAGE)), (OWN, redirect(OWN))]
)
def test_redirect_mode_error_refuses_redirects(url: str, given: Answer) -> None:
    exchange = play(given, url=url, redirect="error")
    refusal = expect_refusal(exchange, BlockReason.REDIRECT_MODE_ERROR, HTTP_FETCH)
    assert refusal.detail == "302"


def test_redirect_mode_manual_hides_the_redirect() -> None:
    exchange = play(redirect(OTHER, origin=PAGE), redirect="manual")
    response = expect_response(exchange)
    assert (response.type, response.status, response.url) == ("opaqueredirect", 0, API)
    assert list_texts(exchange, 'Fetch, "filtered response"') == [
        "redirect is `manual`: the redirect is hidden from the script"
    ]


def test_redirect_mode_manual_still_runs_the_cors_check() -> None:
    exchange = play(redirect(OTHER), redirect="manual")
    expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_MISSING, 'Fetch, "CORS check"')


@pytest.mark.parametrize("status", [300, 304])
def test_other_3xx_status_is_not_a_redirect(status: int) -> None:
    given = allow(("Location", OTHER), status=status)
    assert expect_response(play(given, redirect="error")).status == status
