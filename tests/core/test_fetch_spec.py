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
def test_is_forbidden_request_header_for_browser_headers_is_true(name: str) -> None:
    assert fetch_spec.is_forbidden_request_header(name.lower())


@pytest.mark.parametrize("name", OTHER_HEADERS)
def test_is_forbidden_request_header_for_others_is_false(name: str) -> None:
    assert not fetch_spec.is_forbidden_request_header(name.lower())


def test_lists_equal_those_of_the_standard() -> None:
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


def test_normalized_methods_are_registered() -> None:
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
def test_is_token_of_token_characters_is_true(text: str) -> None:
    assert fetch_spec.is_token(text)


@pytest.mark.parametrize("character", [*'"(),/:;<=>?@[\\]{} \t\r\n\0\x7f', "é", "\u017f", "\ud800"])
def test_is_token_with_another_character_is_false(character: str) -> None:
    assert not fetch_spec.is_token(character)
    assert not fetch_spec.is_token(f"a{character}b")
    assert not fetch_spec.is_token(f"ab{character}")


def test_is_token_of_an_empty_text_is_false() -> None:
    assert not fetch_spec.is_token("")
