"""Cookies: which are kept, which go where, and which are held back (RFC 6265bis)."""

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
    allowing,
    answer,
    headers_of,
    redirect,
)

from corsguard.browser import Cookie, EngineName

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
HOST = "api.example.com"


def sent(visit: Visit, url: str = API, **request: Any) -> str | None:
    """The cookies that go with a request."""
    request = {"credentials": "include", **request}
    return headers_of(visit.play(allowing(CREDENTIALS), url=url, **request)).get("Cookie")


def after(*lines: str, url: str = API, then: str | None = None, **visit: Any) -> str | None:
    """The cookies that are sent after an answer has set these."""
    page = Visit(**visit)
    fields = [("Set-Cookie", line) for line in lines]
    page.play(allowing(CREDENTIALS, *fields, origin=page.page), url=url, credentials="include")
    asked = page.play(
        allowing(CREDENTIALS, origin=page.page), url=then or url, credentials="include"
    )
    return headers_of(asked).get("Cookie")


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
def test_the_credentials_mode_says_where_cookies_go(
    url: str, credentials: str, carried: bool
) -> None:
    visit = Visit(cookies=[Cookie("sid", "1", "example.com", subdomains=True)])
    assert (sent(visit, url, credentials=credentials) == "sid=1") is carried


@pytest.mark.parametrize("credentials", ["omit", "same-origin"])
def test_without_credentials_no_cookie_is_taken(credentials: str) -> None:
    visit = Visit()
    visit.play(allowing(("Set-Cookie", "sid=1")), credentials=credentials)
    assert sent(visit) is None


def test_a_redirect_abroad_leaves_cookies_of_mode_same_origin_behind() -> None:
    visit = Visit(cookies=[Cookie("sid", "1", "example.com", subdomains=True)])
    exchange = visit.play(redirect(API), allowing(), url=OWN)
    assert headers_of(exchange, 0)["Cookie"] == "sid=1"
    assert "Cookie" not in headers_of(exchange, 1)


def test_a_cookie_that_an_answer_sets_is_sent_from_then_on() -> None:
    assert after("sid=1", "theme=dark") == "sid=1; theme=dark"


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
def test_a_line_is_a_pair_and_attributes_known_or_not(line: str, pair: str | None) -> None:
    assert after(line) == pair


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
def test_a_cookie_goes_to_its_host_and_path(line: str, then: str, goes: bool) -> None:
    assert (after(line, then=then) == "a=1") is goes


def test_a_cookie_without_a_path_has_the_folder_of_its_url() -> None:
    url = "https://api.example.com/v1/items"
    assert after("a=1", url=url, then="https://api.example.com/v1/other") == "a=1"
    assert after("a=1", url=url, then="https://api.example.com/v2") is None


def test_an_ip_address_has_no_subdomains() -> None:
    here, page = "http://127.0.0.1:8000/", "http://127.0.0.1:3000"
    assert after("a=1; Domain=0.0.1", url=here, page=page) is None
    assert after("a=1; Domain=127.0.0.1", url=here, page=page) == "a=1"


def test_a_public_suffix_may_set_a_cookie_for_itself_alone() -> None:
    page, here = "http://localhost:3000", "http://localhost:8000/"
    assert after("a=1; Domain=localhost", url=here, page=page) == "a=1"
    below = "http://a.localhost:8000/"
    assert after("a=1; Domain=localhost", url=here, then=below, page=page) is None


def test_a_secure_cookie_needs_https_or_this_machine() -> None:
    http, page = "http://api.example.com/", "http://app.example.com"
    assert after("a=1; Secure", url=http, page=page) is None
    assert after("a=1; Secure") == "a=1"
    here = "http://localhost:8000/"
    assert after("a=1; Secure", url=here, page="http://localhost:3000") == "a=1"
    visit = Visit(page=page, cookies=[Cookie("a", "1", HOST, secure=True)])
    exchange = visit.play(allowing(CREDENTIALS, origin=page), url=http, credentials="include")
    assert "Cookie" not in headers_of(exchange)


@pytest.mark.parametrize(
    ("line", "kept"),
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
def test_some_cookies_are_kept_under_conditions(line: str, kept: bool) -> None:
    assert (after(line) is not None) is kept


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
def test_a_cookie_expires_by_the_browser_s_clock(attributes: str, seconds: int) -> None:
    visit = Visit()
    line = ("Set-Cookie", f"a=1; {attributes}")
    visit.play(allowing(CREDENTIALS, line), credentials="include")
    assert sent(visit) == ("a=1" if seconds else None)
    visit.now += 9.9
    assert sent(visit) == ("a=1" if seconds else None)
    visit.now += 0.1
    assert sent(visit) is None


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
def test_a_cookie_without_a_date_that_can_be_read_stays(attributes: str) -> None:
    visit = Visit()
    visit.play(allowing(CREDENTIALS, ("Set-Cookie", f"a=1; {attributes}")), credentials="include")
    visit.now += 10**9
    assert sent(visit) == "a=1"


def test_a_cookie_is_deleted_by_one_that_is_over() -> None:
    assert after("a=1", "a=; Max-Age=0") is None


def test_longer_paths_come_first_and_then_what_was_there_first() -> None:
    assert after("a=1", "b=1; Path=/items", "c=1", "a=2") == "b=1; a=2; c=1"


@pytest.mark.parametrize("control", ["\0", "\x08", "\n", "\x1b", "\x7f"])
def test_what_has_a_control_character_is_no_cookie(control: str) -> None:
    assert after(f"a=b{control}", f"c=d; Path=/{control}") is None
    assert after("a=b\tc") == "a=b\tc"


@pytest.mark.parametrize("same_site", ["Strict", "Lax", "None", None])
def test_same_site_holds_nothing_back_from_the_page_s_site(same_site: Any) -> None:
    visit = Visit(cookies=[Cookie("a", "1", HOST, same_site=same_site)])
    assert sent(visit) == "a=1"


def test_the_scheme_is_part_of_the_site() -> None:
    page = "http://app.example.com"
    visit = Visit(page=page, cookies=[Cookie("a", "1", HOST, same_site="Lax")])
    exchange = visit.play(allowing(CREDENTIALS, origin=page), credentials="include")
    assert "Cookie" not in headers_of(exchange)


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
def test_only_same_site_none_goes_to_another_site(
    cookie: dict[str, Any], goes: bool, caveat: str | None, engine: EngineName
) -> None:
    visit = Visit(engine, cookies=[Cookie("a", "1", "other.example", **cookie)])
    exchange = visit.play(allowing(CREDENTIALS), url=OTHER, credentials="include")
    assert ("Cookie" in headers_of(exchange)) is goes
    assert [each.code for each in exchange.caveats] == ([] if goes else ["cookie-same-site:a"])
    assert caveat is None or caveat in exchange.caveats[0].text


def test_a_page_without_an_origin_is_another_site() -> None:
    visit = Visit(page="null", cookies=[Cookie("a", "1", HOST)])
    exchange = visit.play(allowing(CREDENTIALS, origin="null"), credentials="include")
    assert [each.code for each in exchange.caveats] == ["cookie-same-site:a"]


def test_another_site_sets_what_it_would_get() -> None:
    found = {line: after(f"a=1; {line}", url=OTHER) for line in ("", "SameSite=None; Secure")}
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
def test_a_cookie_of_another_site_that_is_not_stored_is_told(
    engine: EngineName, line: str, caveats: dict[str, str]
) -> None:
    setting = allowing(CREDENTIALS, ("Set-Cookie", f"a=1; {line}"))
    exchange = Visit(engine).play(setting, url=OTHER, credentials="include")
    assert [caveat.code for caveat in exchange.caveats] == [*caveats]
    assert all(caveats[caveat.code] in caveat.text for caveat in exchange.caveats)


def test_same_site_none_needs_secure_at_home_too() -> None:
    exchange = Visit().play(allowing(("Set-Cookie", "a=1; SameSite=None")), url=OWN)
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
def test_plain_http_hides_no_secure_cookie(line: str, held: Cookie, taken: bool) -> None:
    visit = Visit(page="http://app.example.com", cookies=[held])
    plain = f"http://{HOST}/items"
    setting = allowing(CREDENTIALS, ("Set-Cookie", line), origin=visit.page)
    visit.play(setting, url=plain, credentials="include")
    exchange = visit.play(answer(), url=plain, credentials="include")
    assert ("new" in headers_of(exchange).get("Cookie", "")) is taken


def test_https_sets_a_secure_cookie_anew() -> None:
    visit = Visit(cookies=[Cookie("a", "old", HOST, secure=True)])
    setting = allowing(CREDENTIALS, ("Set-Cookie", "a=new; Path=/; Secure"))
    visit.play(setting, credentials="include")
    assert sent(visit) == "a=new"


def test_firefox_partitions_third_party_cookies() -> None:
    own = Cookie("own", "1", "other.example", same_site="None", secure=True)
    visit = Visit("firefox", cookies=[own])
    setting = allowing(CREDENTIALS, ("Set-Cookie", "here=1; SameSite=None; Secure"))
    exchange = visit.play(setting, url=OTHER, credentials="include")
    assert [each.code for each in exchange.caveats] == ["third-party-cookies:own"]
    assert sent(visit, OTHER) == "here=1"
    at_home = Visit("firefox", page="https://other.example", cookies=[own])
    partitioned = own._replace(name="here", third_party=True)
    at_home = Visit("firefox", page="https://other.example", cookies=[own, partitioned])
    assert headers_of(at_home.play(answer(), url=OTHER))["Cookie"] == "own=1"


def test_webkit_blocks_third_party_cookies() -> None:
    own = Cookie("own", "1", "other.example", same_site="None", secure=True)
    visit = Visit("webkit", cookies=[own])
    setting = allowing(CREDENTIALS, ("Set-Cookie", "here=1; SameSite=None; Secure"))
    exchange = visit.play(setting, url=OTHER, credentials="include")
    assert [each.code for each in exchange.caveats] == [
        "third-party-cookies:own",
        "third-party-cookies:here",
    ]
    assert sent(visit, OTHER) is None
    assert PAGE not in exchange.caveats[0].text


@pytest.mark.parametrize("engine", ["firefox", "webkit"])
def test_firefox_and_webkit_take_no_same_site_for_none(engine: EngineName) -> None:
    visit = Visit(engine, cookies=[Cookie("a", "1", "other.example")])
    exchange = visit.play(allowing(CREDENTIALS), url=OTHER, credentials="include")
    assert [each.code for each in exchange.caveats] == ["third-party-cookies:a"]
