"""CORS-safelisted request-headers: the values that need no preflight."""

from __future__ import annotations

import pytest
from support.scripted_server import (
    API,
    HTTP_FETCH,
    MAIN_FETCH,
    PAGE,
    allow,
    allow_preflight,
    get_sent_headers,
    list_texts,
)

from corsguard.browser import Answer, Browser, EngineName, Request, Sent

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")


def list_requested_headers(*headers: tuple[str, str], engine: EngineName = "standard") -> str:
    """Return Access-Control-Request-Headers of the preflight; empty where there is none."""
    names = ", ".join(name for name, _ in headers)

    def send(sent: Sent) -> Answer:
        return allow_preflight(headers=names) if sent.method == "OPTIONS" else allow()

    exchange = Browser(PAGE, engine=engine).play(Request(API, headers=headers), send)
    assert exchange.allowed
    if not exchange.preflights:
        assert (
            list_texts(exchange, MAIN_FETCH)[-1]
            == "method and headers are safelisted: no preflight"
        )
        return ""
    [text] = list_texts(exchange, HTTP_FETCH)
    requested = get_sent_headers(exchange, 0)["Access-Control-Request-Headers"]
    assert (
        text == f"the headers {requested.replace(',', ', ')} are not safelisted: needs a preflight"
    )
    return requested


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", ""),
        ("Accept", "a/b;q=0.5, */*"),
        ("Accept", "a\tb !#$%&'*+^_`|~"),
        ("Accept-Language", "aZ09 *,-.;="),
        ("Content-Language", "de"),
        ("Content-Type", "text/plain"),
        ("Content-Type", " TEXT/Plain ;charset=utf-8"),
        ("Content-Type", "text/plain;"),
        ("Content-Type", "text/plain;="),
        ("Content-Type", "multipart/form-data; boundary=x"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Range", "bytes=0-"),
        ("Range", "bytes=0-0"),
        ("Range", "bytes=00-1"),
        ("Range", "bytes=5-4294967296"),
    ],
)
def test_safelisted_value_needs_no_preflight(name: str, value: str, engine: EngineName) -> None:
    assert list_requested_headers((name, value), engine=engine) == ""


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("Accept", f"a{unsafe}b") for unsafe in '"():<>?@[\\]{}\x7f\x01\x08\x0b\x1f'),
        *(("Accept-Language", f"de{other}") for other in "_!\"'éA\t"[:5]),
        ("Accept-Language", "d\te"),
        ("Content-Language", "de!"),
        ("Content-Type", ""),
        ("Content-Type", "text"),
        ("Content-Type", "application/json"),
        ("Content-Type", "application/csp-report"),
        ("Content-Type", "text/html"),
        ("Content-Type", "text/plain, application/json"),
        ("Content-Type", "text/plain garbage"),
        ("Content-Type", "text /plain"),
        ("Content-Type", ";text/plain"),
        ("Content-Type", 'text/plain; charset="utf-8"'),
        ("Content-Type", "text/plain;a=(b)"),
        ("Range", ""),
        ("Range", "bytes"),
        ("Range", "bytes=-"),
        ("Range", "bytes=-10"),
        ("Range", "bytes=10-5"),
        ("Range", "bytes=0-1,3-4"),
        ("Range", "bytes= 0-1"),
        ("Range", "bytes =0-1"),
        ("Range", "bytes=0 - 1"),
        ("Range", "items=0-1"),
        ("X-A", ""),
        ("Authorization", "Bearer 1"),
        ("If-None-Match", "x"),
        ("Cache-Control", "no-cache"),
        ("X-Requested-With", "XMLHttpRequest"),
    ],
)
def test_other_value_needs_a_preflight(name: str, value: str, engine: EngineName) -> None:
    assert list_requested_headers((name, value), engine=engine) == name.lower()


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("Accept", ""),
        ("Accept-Language", ""),
        ("Content-Language", ""),
        ("Content-Type", "text/plain;a="),
    ],
)
def test_value_limit_is_128_bytes(name: str, start: str, engine: EngineName) -> None:
    assert list_requested_headers((name, start.ljust(128, "a")), engine=engine) == ""
    assert list_requested_headers((name, start.ljust(129, "a")), engine=engine) == name.lower()


def test_range_of_128_bytes_is_safelisted_in_standard() -> None:
    assert list_requested_headers(("Range", "bytes=0-".ljust(128, "1"))) == ""
    assert list_requested_headers(("Range", "bytes=0-".ljust(129, "1"))) == "range"


def test_sum_limit_is_1024_bytes() -> None:
    lines = [("Accept", "a" * 128)] * 8
    assert list_requested_headers(*lines) == ""
    assert list_requested_headers(*lines, ("Accept-Language", "d")) == "accept,accept-language"


def test_sum_counts_safelisted_values_only() -> None:
    assert list_requested_headers(("X-A", "a" * 2_000), ("Accept", "a" * 100)) == "x-a"


def test_request_headers_list_is_sorted_lower_case_unique() -> None:
    headers = [("X-B", "1"), ("Content-Type", "a/b"), ("X-a", "1"), ("x-b", "2")]
    assert list_requested_headers(*headers) == "content-type,x-a,x-b"


def test_firefox_has_no_sum_limit() -> None:
    assert list_requested_headers(*[("Accept", "a" * 128)] * 9, engine="firefox") == ""


def test_firefox_lists_a_header_for_each_line() -> None:
    assert list_requested_headers(("x-a", "1"), ("X-A", "2"), engine="firefox") == "x-a,x-a"


@pytest.mark.parametrize("engine", ["chromium", "webkit"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("Accept", "a" * 64), ("Content-Type", "text/plain"), ("Range", "bytes=0-1")],
)
def test_chromium_and_webkit_check_joined_lines(name: str, value: str, engine: EngineName) -> None:
    assert list_requested_headers((name, value), (name, value), engine=engine) == name.lower()
    assert list_requested_headers((name, value), (name, value)) == ""


@pytest.mark.parametrize(("name", "value"), [("Accept", "é"), ("Content-Type", "text/plain;a=é")])
def test_non_ascii_value_is_unsafe_in_firefox_only(name: str, value: str) -> None:
    found = {engine: list_requested_headers((name, value), engine=engine) for engine in ALL}
    assert found == {**dict.fromkeys(ALL, ""), "firefox": name.lower()}


@pytest.mark.parametrize("value", ["BYTES=0-1", "Bytes=0-1"])
def test_range_unit_case_is_ignored_in_webkit_only(value: str) -> None:
    found = {engine: list_requested_headers(("Range", value), engine=engine) for engine in ALL}
    assert found == {**dict.fromkeys(ALL, "range"), "webkit": ""}


@pytest.mark.parametrize(
    ("number", "engines"),
    [
        (2**63 - 1, []),
        (2**63, ["chromium"]),
        (10**20 - 1, ["chromium", "firefox", "webkit"]),
    ],
)
def test_range_number_limit_depends_on_engine(number: int, engines: list[str]) -> None:
    for value in (f"bytes={number}-", f"bytes=0-{number}"):
        found = [
            engine for engine in ALL if list_requested_headers(("Range", value), engine=engine)
        ]
        assert found == engines


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("User-Agent", "x"),
        ("Save-Data", "on"),
        ("Device-Memory", "0.5"),
        ("DPR", "1"),
        ("Downlink", "1"),
        ("ECT", "4g"),
        ("RTT", "1"),
        ("Viewport-Width", "1"),
        ("Width", "1"),
    ],
)
def test_client_hints_are_safelisted_in_chromium_only(name: str, value: str) -> None:
    found = {engine: list_requested_headers((name, value), engine=engine) for engine in ALL}
    assert found == {**dict.fromkeys(ALL, name.lower()), "chromium": ""}


@pytest.mark.parametrize(("name", "value"), [("Save-Data", "off"), ("Width", "1.5"), ("ECT", "5g")])
def test_invalid_client_hint_is_unsafe_in_chromium(name: str, value: str) -> None:
    assert list_requested_headers((name, value), engine="chromium") == name.lower()
