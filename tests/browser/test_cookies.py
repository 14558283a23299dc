"""Cookies: storage, selection and blocks across sites (RFC 6265bis)."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    API,
    CREDENTIALS,
    OTHER,
    OWN,
    PAGE,
    Visit,
    allow,
    answer,
    get_sent_headers,
    redirect,
)

from corsguard.browser import Cookie, EngineName

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
HOST = "api.example.com"


def send_cookies(visit: Visit, url: str = API, **request: Any) -> str | None:
    """Return the cookies that a request sends."""
    request = {"credentials": "include", **request}
    return get_sent_headers(visit.play(allow(CREDENTIALS), url=url, **request)).get("Cookie")


def store_and_send(
    *lines: str, url: str = API, then: str | None = None, **visit: Any
) -> str | None:
    """Return the cookies that are sent after a response has set these."""
    page = Visit(**visit)
    fields = [("Set-Cookie", line) for line in lines]
    page.play(allow(CREDENTIALS, *fields, origin=page.page), url=url, credentials="include")
    exchange = page.play(
        allow(CREDENTIALS, origin=page.page), url=then or url, credentials="include"
    )
    return get_sent_headers(exchange).get("Cookie")


@pytest.mark.parametrize(
    ("url", "credentials", "carried"),
    [
        (OWN, "omit", False),
        (OWN, "same-origin", True),
        (OWN, "include", True),
        (API, "omit", False),
        (API, "same-origin", False),
        (API, "include", True),
    ],
)
def test_credentials_mode_controls_cookies(url: str, credentials: str, carried: bool) -> None:
    visit = Visit(cookies=[Cookie("sid", "1", "example.com", subdomains=True)])
    assert (send_cookies(visit, url, credentials=credentials) == "sid=1") is carried


@pytest.mark.parametrize("credentials", ["omit", "same-origin"])
def test_response_without_credentials_stores_no_cookie(credentials: str) -> None:
    visit = Visit()
    visit.play(allow(("Set-Cookie", "sid=1")), credentials=credentials)
    assert send_cookies(visit) is None


def test_same_origin_redirected_cross_origin_sends_no_cookie() -> None:
    visit = Visit(cookies=[Cookie("sid", "1", "example.com", subdomains=True)])
    exchange = visit.play(redirect(API), allow(), url=OWN)
    assert get_sent_headers(exchange, 0)["Cookie"] == "sid=1"
    assert "Cookie" not in get_sent_headers(exchange, 1)


def test_stored_cookie_is_sent_afterwards() -> None:
    assert store_and_send("sid=1", "theme=dark") == "sid=1; theme=dark"


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        (" sid = a b ; Path=/", "sid=a b"),
        ('sid="1"', 'sid="1"'),
        ("sid=a=b", "sid=a=b"),
        ("sid=", "sid="),
        ("sid=1; Priority=High; Partitioned; HttpOnly; Made-Up=x", "sid=1"),
        ('sid={"a": 1}', 'sid={"a": 1}'),
        ("=1", "1"),
        ("sid", "sid"),
        ("=", None),
        ("__Host-sid", None),
        (f"a={'b' * 4_095}", f"a={'b' * 4_095}"),
        (f"a={'b' * 4_096}", None),
        ("", None),
    ],
)
def test_set_cookie_line_is_parsed(line: str, pair: str | None) -> None:
    assert store_and_send(line) == pair


@pytest.mark.parametrize(
    ("line", "then", "goes"),
    [
        ("a=1", "https://api.example.com/", True),
        ("a=1; Path=/items", API, True),
        ("a=1; Path=/items", f"{API}/1", True),
        ("a=1; Path=/items", f"{API}?page=2", True),
        ("a=1; Path=/items", "https://api.example.com/itemship", False),
        ("a=1; Path=/items/", API, False),
        ("a=1; Path=/items/", f"{API}/1", True),
        ("a=1; Path=items", "https://api.example.com/", True),
        ("a=1", OWN, False),
        ("a=1; Domain=example.com", OWN, True),
        ("a=1; Domain=.Example.com", OWN, True),
        ("a=1; Domain=api.example.com", "https://v2.api.example.com/", True),
        ("a=1; Domain=other.example", API, False),
        ("a=1; Domain=com", API, False),
        ("a=1; Domain=i.example.com", API, False),
    ],
)
def test_cookie_is_sent_to_its_host_and_path(line: str, then: str, goes: bool) -> None:
    assert (store_and_send(line, then=then) == "a=1") is goes


def test_default_path_is_the_folder_of_the_url() -> None:
    url = "https://api.example.com/v1/items"
    assert store_and_send("a=1", url=url, then="https://api.example.com/v1/other") == "a=1"
    assert store_and_send("a=1", url=url, then="https://api.example.com/v2") is None


def test_ip_address_has_no_subdomains() -> None:
    here, page = "http://127.0.0.1:8000/", "http://127.0.0.1:3000"
    assert store_and_send("a=1; Domain=0.0.1", url=here, page=page) is None
    assert store_and_send("a=1; Domain=127.0.0.1", url=here, page=page) == "a=1"


def test_public_suffix_sets_host_only_cookie() -> None:
    page, here = "http://localhost:3000", "http://localhost:8000/"
    assert store_and_send("a=1; Domain=localhost", url=here, page=page) == "a=1"
    below = "http://a.localhost:8000/"
    assert store_and_send("a=1; Domain=localhost", url=here, then=below, page=page) is None


def test_secure_cookie_needs_https_or_loopback() -> None:
    http, page = "http://api.example.com/", "http://app.example.com"
    assert store_and_send("a=1; Secure", url=http, page=page) is None
    assert store_and_send("a=1; Secure") == "a=1"
    here = "http://localhost:8000/"
    assert store_and_send("a=1; Secure", url=here, page="http://localhost:3000") == "a=1"
    visit = Visit(page=page, cookies=[Cookie("a", "1", HOST, secure=True)])
    exchange = visit.play(allow(CREDENTIALS, origin=page), url=http, credentials="include")
    assert "Cookie" not in get_sent_headers(exchange)


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ("__Secure-a=1", False),
        ("__Secure-a=1; Secure", True),
        ("__host-a=1; Secure; Path=/", True),
        ("__Host-a=1; Path=/", False),
        ("__Host-a=1; Secure; Path=/items", False),
        ("__Host-a=1; Secure; Path=/; Domain=api.example.com", False),
        ("a=1; SameSite=None", False),
        ("a=1; SameSite=None; Secure", True),
    ],
)
def test_prefixed_cookie_needs_its_conditions(line: str, stored: bool) -> None:
    assert (store_and_send(line) is not None) is stored


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ("Max-Age=10", 10),
        ("Max-Age=0", 0),
        ("Max-Age=-1", 0),
        ("Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 10),
        ("Max-Age=ten; Expires=Mon, 12 Jan 1970 13:46:50 GMT", 10),
        ("Expires=Mon, 12 Jan 1970 13:46:50 GMT", 10),
        ("Expires=Mon, 12-Jan-1970 13:46:50 GMT", 10),
        ("Expires=Mon, 12 Jan 1970 13:46:50", 10),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_cookie_expires_by_the_browser_clock(attributes: str, seconds: int) -> None:
    visit = Visit()
    line = ("Set-Cookie", f"a=1; {attributes}")
    visit.play(allow(CREDENTIALS, line), credentials="include")
    assert send_cookies(visit) == ("a=1" if seconds else None)
    visit.now += 9.9
    assert send_cookies(visit) == ("a=1" if seconds else None)
    visit.now += 0.1
    assert send_cookies(visit) is None


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        "Max-Age=1_0",
        "Max-Age=",
        "Expires=soon",
        "Expires=1 Jan 2000 00:00:00 +99999999999999999999",
    ],
)
def test_cookie_with_invalid_date_stays(attributes: str) -> None:
    visit = Visit()
    visit.play(allow(CREDENTIALS, ("Set-Cookie", f"a=1; {attributes}")), credentials="include")
    visit.now += 10**9
    assert send_cookies(visit) == "a=1"


def test_expired_cookie_deletes_the_stored_one() -> None:
    assert store_and_send("a=1", "a=; Max-Age=0") is None


def test_cookies_are_sorted_by_path_length_then_age() -> None:
    assert store_and_send("a=1", "b=1; Path=/items", "c=1", "a=2") == "b=1; a=2; c=1"


@pytest.mark.parametrize("control", ["\0", "\x08", "\n", "\x1b", "\x7f"])
def test_cookie_with_control_character_is_ignored(control: str) -> None:
    assert store_and_send(f"a=b{control}", f"c=d; Path=/{control}") is None
    assert store_and_send("a=b\tc") == "a=b\tc"


@pytest.mark.parametrize("same_site", ["Strict", "Lax", "None", None])
def test_same_site_request_sends_all_cookies(same_site: Any) -> None:
    visit = Visit(cookies=[Cookie("a", "1", HOST, same_site=same_site)])
    assert send_cookies(visit) == "a=1"


def test_site_includes_the_scheme() -> None:
    page = "http://app.example.com"
    visit = Visit(page=page, cookies=[Cookie("a", "1", HOST, same_site="Lax")])
    exchange = visit.play(allow(CREDENTIALS, origin=page), credentials="include")
    assert "Cookie" not in get_sent_headers(exchange)


@pytest.mark.parametrize(
    ("cookie", "goes", "caveat"),
    [
        ({"same_site": "Strict", "secure": True}, False, "SameSite=Strict; "),
        ({"same_site": "Lax", "secure": True}, False, "SameSite=Lax; "),
        ({"same_site": None, "secure": True}, False, "SameSite=Lax by default; "),
        ({"same_site": "None", "secure": False}, False, "SameSite=None; "),
        ({"same_site": "None", "secure": True}, True, None),
    ],
)
@pytest.mark.parametrize("engine", ["standard", "chromium"])
def test_cross_site_request_sends_same_site_none_only(
    cookie: dict[str, Any], goes: bool, caveat: str | None, engine: EngineName
) -> None:
    visit = Visit(engine, cookies=[Cookie("a", "1", "other.example", **cookie)])
    exchange = visit.play(allow(CREDENTIALS), url=OTHER, credentials="include")
    assert ("Cookie" in get_sent_headers(exchange)) is goes
    assert [each.code for each in exchange.caveats] == ([] if goes else ["cookie-same-site:a"])
    assert caveat is None or caveat in exchange.caveats[0].text


def test_opaque_page_is_cross_site() -> None:
    visit = Visit(page="null", cookies=[Cookie("a", "1", HOST)])
    exchange = visit.play(allow(CREDENTIALS, origin="null"), credentials="include")
    assert [each.code for each in exchange.caveats] == ["cookie-same-site:a"]


def test_cross_site_response_stores_same_site_none_only() -> None:
    found = {
        line: store_and_send(f"a=1; {line}", url=OTHER) for line in ("", "SameSite=None; Secure")
    }
    assert found == {"": None, "SameSite=None; Secure": "a=1"}


@pytest.mark.parametrize(
    ("engine", "line", "caveats"),
    [
        ("standard", "Secure", {"cookie-same-site:a": "SameSite=Lax by default; "}),
        ("standard", "SameSite=None", {"cookie-same-site:a": "set SameSite=None; Secure"}),
        ("standard", "Max-Age=60", {"cookie-same-site:a": "does not store the cookie a: "}),
        ("standard", "SameSite=None; Secure", {}),
        ("chromium", "SameSite=Strict", {"cookie-same-site:a": "SameSite=Strict; "}),
        ("firefox", "", {}),
        (
            "webkit",
            "SameSite=None; Secure",
            {"third-party-cookies:a": "blocks third-party cookies"},
        ),
    ],
)
def test_refused_cookie_is_reported(engine: EngineName, line: str, caveats: dict[str, str]) -> None:
    setting = allow(CREDENTIALS, ("Set-Cookie", f"a=1; {line}"))
    exchange = Visit(engine).play(setting, url=OTHER, credentials="include")
    assert [caveat.code for caveat in exchange.caveats] == [*caveats]
    assert all(caveats[caveat.code] in caveat.text for caveat in exchange.caveats)


def test_same_site_none_without_secure_is_never_stored() -> None:
    exchange = Visit().play(allow(("Set-Cookie", "a=1; SameSite=None")), url=OWN)
    assert [caveat.code for caveat in exchange.caveats] == ["cookie-same-site:a"]


@pytest.mark.parametrize(
    ("line", "held", "taken"),
    [
        ("a=new; Path=/", Cookie("a", "old", HOST, secure=True), False),
        ("a=new; Path=/items", Cookie("a", "old", HOST, secure=True), False),
        ("a=new; Path=/", Cookie("a", "old", "example.com", True, secure=True), False),
        ("a=new; Domain=example.com", Cookie("a", "old", HOST, secure=True), False),
        ("a=new; Path=/items", Cookie("a", "old", HOST, path="/items/1", secure=True), True),
        ("a=new; Path=/", Cookie("a", "old", "other.example", secure=True), True),
        ("a=new; Path=/", Cookie("a", "old", HOST), True),
        ("b=new; Path=/", Cookie("a", "old", HOST, secure=True), True),
    ],
)
def test_plain_http_does_not_hide_secure_cookie(line: str, held: Cookie, taken: bool) -> None:
    visit = Visit(page="http://app.example.com", cookies=[held])
    plain = f"http://{HOST}/items"
    setting = allow(CREDENTIALS, ("Set-Cookie", line), origin=visit.page)
    visit.play(setting, url=plain, credentials="include")
    exchange = visit.play(answer(), url=plain, credentials="include")
    assert ("new" in get_sent_headers(exchange).get("Cookie", "")) is taken


def test_https_replaces_secure_cookie() -> None:
    visit = Visit(cookies=[Cookie("a", "old", HOST, secure=True)])
    setting = allow(CREDENTIALS, ("Set-Cookie", "a=new; Path=/; Secure"))
    visit.play(setting, credentials="include")
    assert send_cookies(visit) == "a=new"


def test_firefox_partitions_third_party_cookies() -> None:
    own = Cookie("own", "1", "other.example", same_site="None", secure=True)
    visit = Visit("firefox", cookies=[own])
    setting = allow(CREDENTIALS, ("Set-Cookie", "here=1; SameSite=None; Secure"))
    exchange = visit.play(setting, url=OTHER, credentials="include")
    assert [each.code for each in exchange.caveats] == ["third-party-cookies:own"]
    assert send_cookies(visit, OTHER) == "here=1"
    at_home = Visit("firefox", page="https://other.example", cookies=[own])
    partitioned = own._replace(name="here", third_party=True)
    at_home = Visit("firefox", page="https://other.example", cookies=[own, partitioned])
    assert get_sent_headers(at_home.play(answer(), url=OTHER))["Cookie"] == "own=1"


def test_webkit_blocks_third_party_cookies() -> None:
    own = Cookie("own", "1", "other.example", same_site="None", secure=True)
    visit = Visit("webkit", cookies=[own])
    setting = allow(CREDENTIALS, ("Set-Cookie", "here=1; SameSite=None; Secure"))
    exchange = visit.play(setting, url=OTHER, credentials="include")
    assert [each.code for each in exchange.caveats] == [
        "third-party-cookies:own",
        "third-party-cookies:here",
    ]
    assert send_cookies(visit, OTHER) is None
    assert PAGE not in exchange.caveats[0].text


@pytest.mark.parametrize("engine", ["firefox", "webkit"])
def test_missing_same_site_is_none_in_firefox_and_webkit(engine: EngineName) -> None:
    visit = Visit(engine, cookies=[Cookie("a", "1", "other.example")])
    exchange = visit.play(allow(CREDENTIALS), url=OTHER, credentials="include")
    assert [each.code for each in exchange.caveats] == ["third-party-cookies:a"]
