"""Main fetch and what follows from it: modes, ports, the network, the resource policy."""

from __future__ import annotations

import pytest
from support.scripted_server import (
    API,
    HTTP_FETCH,
    MAIN_FETCH,
    OTHER,
    OWN,
    PAGE,
    allowing,
    answer,
    play,
    preflighted,
    redirect,
    refused,
    seen,
    told,
    wire,
)

from corsguard.browser import Answer, BlockReason, EngineName, SendError, Sent
from corsguard.fetch_spec import BAD_PORTS

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
NETWORK_FETCH = 'Fetch, "HTTP-network-or-cache fetch"'
RESOURCE_POLICY = 'Fetch, "cross-origin resource policy check"'


def unreachable(sent: Sent) -> Answer:
    raise SendError(f"nobody answers at {sent.url}")


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
def test_the_page_s_own_origin_is_not_cors(mode: str) -> None:
    exchange = play(answer(), url=OWN, mode=mode)
    assert seen(exchange).type == "basic"
    assert told(exchange, MAIN_FETCH) == [f"{PAGE} is the page's own origin: no CORS"]


@pytest.mark.parametrize(
    "url", ["http://app.example.com/", "https://app.example.com:444/", "https://example.com/"]
)
def test_another_scheme_port_or_host_is_another_origin(url: str) -> None:
    exchange = play(allowing(), url=url)
    assert seen(exchange).type == "cors"
    assert told(exchange, MAIN_FETCH)[0].endswith(f"is not the page's origin, {PAGE}: CORS")


def test_the_default_port_is_the_same_origin() -> None:
    assert seen(play(answer(), url="https://APP.example.com:443/")).type == "basic"


def test_a_page_without_an_origin_is_at_home_nowhere() -> None:
    exchange = play(allowing(origin="null"), page="null")
    assert seen(exchange).type == "cors"


def test_mode_same_origin_goes_nowhere_else() -> None:
    refused(play(mode="same-origin"), BlockReason.SAME_ORIGIN_ONLY, MAIN_FETCH)
    exchange = play(redirect(API), url=OWN, mode="same-origin")
    refused(exchange, BlockReason.SAME_ORIGIN_ONLY, MAIN_FETCH)
    assert wire(exchange) == ["GET"]


def test_mode_no_cors_is_sent_and_kept_from_the_script() -> None:
    exchange = play(answer(("X-A", "1"), body=b"secret", status=404), mode="no-cors")
    response = seen(exchange)
    assert (response.type, response.status, response.url) == ("opaque", 0, "")
    assert (dict(response.headers), response.body) == ({}, b"")
    assert told(exchange, MAIN_FETCH) == ["mode `no-cors`: the response is hidden from the script"]
    assert told(exchange, 'Fetch, "filtered response"') == [
        "the script gets an opaque response: no status, no headers, no body"
    ]


@pytest.mark.parametrize("mode", ["manual", "error"])
def test_mode_no_cors_follows_redirects(mode: str) -> None:
    exchange = play(mode="no-cors", redirect=mode)
    refused(exchange, BlockReason.NO_CORS_REDIRECT_MODE, MAIN_FETCH)


def test_mode_no_cors_at_home_may_do_as_it_likes_with_redirects() -> None:
    exchange = play(redirect(OWN), url=OWN, mode="no-cors", redirect="manual")
    assert seen(exchange).type == "opaqueredirect"


def test_what_went_abroad_stays_opaque_at_home() -> None:
    assert seen(play(redirect(OWN), answer(), mode="no-cors")).type == "opaque"


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "localhost:8000/"])
def test_another_scheme_than_http_is_refused(url: str) -> None:
    refusal = refused(play(url=url), BlockReason.SCHEME_NOT_HTTP, MAIN_FETCH)
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
def test_a_url_whose_scheme_was_forgotten_is_mended(url: str, fix: str) -> None:
    assert refused(play(url=url), BlockReason.SCHEME_NOT_HTTP, MAIN_FETCH).fix == fix


@pytest.mark.parametrize("port", sorted(BAD_PORTS))
def test_a_bad_port_is_closed_to_every_page(port: int) -> None:
    exchange = play(url=f"https://api.example.com:{port}/")
    refused(exchange, BlockReason.PORT_BLOCKED, 'Fetch, "port blocking"')


def test_a_bad_port_is_closed_to_redirects_too() -> None:
    exchange = play(redirect("https://api.example.com:25/", origin=PAGE))
    refused(exchange, BlockReason.PORT_BLOCKED, 'Fetch, "port blocking"')


def test_no_answer_is_a_network_error() -> None:
    exchange = play(unreachable)
    refusal = refused(exchange, BlockReason.UNREACHABLE, NETWORK_FETCH)
    assert (refusal.step.text, refusal.in_preflight) == (f"nobody answers at {API}", False)
    assert exchange.hops[0].answer is None


def test_no_answer_to_the_preflight_is_a_network_error() -> None:
    exchange = play(unreachable, method="PUT")
    assert refused(exchange, BlockReason.UNREACHABLE, NETWORK_FETCH).in_preflight


def test_every_request_over_the_wire_is_a_step() -> None:
    exchange = play(preflighted("PUT"), allowing(status=500), method="PUT")
    assert told(exchange, NETWORK_FETCH) == [f"OPTIONS {API} -> 204", f"PUT {API} -> 500"]


def test_chromium_alone_takes_407_from_no_server() -> None:
    for engine in ALL:
        exchange = play(allowing(status=407), engine=engine)
        if engine == "chromium":
            refused(exchange, BlockReason.UNREACHABLE, NETWORK_FETCH)
        else:
            assert seen(exchange).status == 407


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
def test_the_resource_policy_is_for_no_cors(
    policy: str, url: str, blocked: bool, engine: EngineName
) -> None:
    given = answer(("Cross-Origin-Resource-Policy", policy))
    exchange = play(given, url=url, mode="no-cors", engine=engine)
    if blocked:
        refusal = refused(exchange, BlockReason.RESOURCE_POLICY, RESOURCE_POLICY)
        assert refusal.detail == policy.strip()
    else:
        assert seen(exchange).type == "opaque"
        assert told(exchange, RESOURCE_POLICY)


def test_an_http_page_is_not_of_the_site_of_an_https_resource() -> None:
    given = answer(("Cross-Origin-Resource-Policy", "same-site"))
    exchange = play(given, mode="no-cors", page="http://app.example.com")
    refused(exchange, BlockReason.RESOURCE_POLICY, RESOURCE_POLICY)


def test_a_page_without_an_origin_is_of_no_site() -> None:
    given = answer(("Cross-Origin-Resource-Policy", "same-site"))
    exchange = play(given, mode="no-cors", page="null")
    refused(exchange, BlockReason.RESOURCE_POLICY, RESOURCE_POLICY)


def test_the_resource_policy_is_checked_on_every_hop() -> None:
    policy = ("Cross-Origin-Resource-Policy", "same-origin")
    exchange = play(answer(("Location", API), policy, status=302), mode="no-cors")
    refused(exchange, BlockReason.RESOURCE_POLICY, RESOURCE_POLICY)
    assert seen(play(redirect(OWN), answer(policy), mode="no-cors")).type == "opaque"


def test_mode_cors_does_not_look_at_the_resource_policy() -> None:
    exchange = play(allowing(("Cross-Origin-Resource-Policy", "same-origin")))
    assert seen(exchange).ok
    assert told(exchange, RESOURCE_POLICY) == []


@pytest.mark.parametrize(
    ("url", "given"), [(API, redirect(OTHER, origin=PAGE)), (OWN, redirect(OWN))]
)
def test_redirect_mode_error_refuses_a_redirect(url: str, given: Answer) -> None:
    exchange = play(given, url=url, redirect="error")
    refusal = refused(exchange, BlockReason.REDIRECT_MODE_ERROR, HTTP_FETCH)
    assert refusal.detail == "302"


def test_redirect_mode_manual_keeps_the_redirect_from_the_script() -> None:
    exchange = play(redirect(OTHER, origin=PAGE), redirect="manual")
    response = seen(exchange)
    assert (response.type, response.status, response.url) == ("opaqueredirect", 0, API)
    assert told(exchange, 'Fetch, "filtered response"') == [
        "redirect is `manual`: the redirect is hidden from the script"
    ]


def test_redirect_mode_manual_needs_the_cors_check_all_the_same() -> None:
    exchange = play(redirect(OTHER), redirect="manual")
    refused(exchange, BlockReason.ALLOW_ORIGIN_MISSING, 'Fetch, "CORS check"')


@pytest.mark.parametrize("status", [300, 304])
def test_another_3xx_is_an_answer_as_any_other(status: int) -> None:
    given = allowing(("Location", OTHER), status=status)
    assert seen(play(given, redirect="error")).status == status
