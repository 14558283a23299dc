"""The lists of the Fetch standard, and the grammar of a token (RFC 9110, 5.6.2)."""

from __future__ import annotations

import pytest

from corsguard import fetch_spec

FORBIDDEN_REQUEST_HEADERS = """
    Accept-Charset Accept-Encoding Access-Control-Request-Headers Access-Control-Request-Method
    Connection Content-Length Cookie Cookie2 Date DNT Expect Host Keep-Alive Origin Referer
    Set-Cookie TE Trailer Transfer-Encoding Upgrade Via Proxy-Authorization Sec-Fetch-Site Sec-X
""".split()
OTHER_HEADERS = """
    Accept Authorization Content-Type Range User-Agent X-HTTP-Method X-HTTP-Method-Override
    X-Method-Override Proxy Sec Secret Dnt-X Cookies
""".split()


@pytest.mark.parametrize("name", FORBIDDEN_REQUEST_HEADERS)
def test_a_header_that_only_the_browser_sets_is_forbidden(name: str) -> None:
    assert fetch_spec.is_forbidden_request_header(name.lower())


@pytest.mark.parametrize("name", OTHER_HEADERS)
def test_a_header_that_a_script_may_set_is_not_forbidden(name: str) -> None:
    assert not fetch_spec.is_forbidden_request_header(name.lower())


def test_the_other_lists_are_those_of_the_standard() -> None:
    assert fetch_spec.SAFELISTED_METHODS == ("GET", "HEAD", "POST")
    assert {"CONNECT", "TRACE", "TRACK"} == fetch_spec.FORBIDDEN_METHODS
    assert {"set-cookie", "set-cookie2"} == fetch_spec.FORBIDDEN_RESPONSE_HEADERS
    assert {
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-max-age",
        "access-control-expose-headers",
    } == fetch_spec.RESPONSE_HEADERS
    assert fetch_spec.MAX_AGE_CAPS == {"Chromium": 7200, "Firefox": 86400, "WebKit": 600}
    assert fetch_spec.MAX_AGE_LIMIT == 86400


def test_every_method_that_browsers_upper_case_is_registered() -> None:
    assert {
        "DELETE",
        "GET",
        "HEAD",
        "OPTIONS",
        "POST",
        "PUT",
        "PATCH",
    } < fetch_spec.REGISTERED_METHODS


@pytest.mark.parametrize("text", ["GET", "x-a", "*", "!#$%&'*+-.^_`|~09azAZ", "0"])
def test_a_token_is_of_token_characters(text: str) -> None:
    assert fetch_spec.is_token(text)


@pytest.mark.parametrize("character", [*'"(),/:;<=>?@[\\]{} \t\r\n\0\x7f', "é", "\u017f", "\ud800"])
def test_any_other_character_makes_it_no_token(character: str) -> None:
    assert not fetch_spec.is_token(character)
    assert not fetch_spec.is_token(f"a{character}b")
    assert not fetch_spec.is_token(f"ab{character}")


def test_nothing_is_no_token() -> None:
    assert not fetch_spec.is_token("")
