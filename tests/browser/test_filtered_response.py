"""Filtered responses: the part of a response that a script may read."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    CREDENTIALS,
    OWN,
    allow,
    answer,
    expect_response,
    list_texts,
    play,
)

from corsguard.browser import Response

FIELDS = (
    *((name, "1") for name in ("Cache-Control", "Content-Language", "Content-Length")),
    *((name, "1") for name in ("Content-Type", "Expires", "Last-Modified", "Pragma")),
    *((name, "1") for name in ("ETag", "Vary", "X-One", "Authorization")),
    *(("X-Two", "2"), ("X-Two", "3"), ("Set-Cookie", "a=b"), ("Set-Cookie2", "a=b")),
)
SAFELISTED = """cache-control content-language content-length content-type expires last-modified
    pragma""".split()
CORS_FILTERED = 'Fetch, "CORS filtered response"'


def read(*expose: str, **request: Any) -> Response:
    """Return the response as the script sees it, where it exposes these."""
    exposed = [("Access-Control-Expose-Headers", value) for value in expose]
    return expect_response(play(allow(*FIELDS, *exposed, CREDENTIALS), **request))


def test_same_origin_script_reads_all_but_set_cookie() -> None:
    exchange = play(answer(*FIELDS, body=b"\xc3\xa4\xff"), url=OWN)
    response = expect_response(exchange)
    assert set(response.headers) == {name.lower() for name, _ in FIELDS} - {
        "set-cookie",
        "set-cookie2",
    }
    assert (response.type, response.url, response.redirected) == ("basic", OWN, False)
    assert (response.body, response.text) == (b"\xc3\xa4\xff", "ä\ufffd")
    assert list_texts(exchange, 'Fetch, "filtered response"') == [
        "the script may read every header but Set-Cookie"
    ]


def test_json_body_is_parsed() -> None:
    assert expect_response(
        play(answer(body=b'{"price": [1, "\xe2\x82\xac"]}'), url=OWN)
    ).json() == {"price": [1, "\u20ac"]}
    with pytest.raises(ValueError, match="Expecting value"):
        expect_response(play(answer(body=b"<p>"), url=OWN)).json()


@pytest.mark.parametrize(
    "expose",
    ["", "X One", "(bad), X-One", "X-One;", '"X-One"', "X-One\x0b", "Set-Cookie, Set-Cookie2"],
)
def test_cross_origin_script_reads_safelisted_headers(expose: str) -> None:
    assert sorted(read().headers) == SAFELISTED
    assert sorted(read(expose).headers) == SAFELISTED


@pytest.mark.parametrize("expose", ["X-One", "x-one", ",,X-ONE,,", "Set-Cookie, X-One\t,"])
def test_cross_origin_script_reads_exposed_headers(expose: str) -> None:
    assert sorted(read(expose).headers) == sorted([*SAFELISTED, "x-one"])


def test_expose_headers_lines_are_joined() -> None:
    headers = read("X-One", "X-Two").headers
    assert (headers["x-one"], headers["X-TWO"]) == ("1", "2, 3")
    assert sorted(read("X-One", "b ad").headers) == SAFELISTED


@pytest.mark.parametrize("expose", ["*", "*, X-One"])
def test_wildcard_exposes_all_but_set_cookie(expose: str) -> None:
    names = set(read(expose).headers)
    assert {"etag", "vary", "x-one", "authorization", "access-control-allow-origin"} < names
    assert not {"set-cookie", "set-cookie2"} & names


def test_wildcard_with_credentials_is_a_literal_name() -> None:
    assert sorted(read("*", credentials="include").headers) == SAFELISTED
    star = allow(("*", "star"), ("Access-Control-Expose-Headers", "*"), CREDENTIALS)
    assert dict(expect_response(play(star, credentials="include")).headers) == {"*": "star"}


def test_readable_headers_are_recorded_in_a_step() -> None:
    given = allow(("ETag", "1"), ("Pragma", "1"), ("Access-Control-Expose-Headers", "etag"))
    assert list_texts(play(given), CORS_FILTERED) == [
        "the script may read the headers: etag, pragma"
    ]
    assert list_texts(play(allow()), CORS_FILTERED) == ["the script may read the headers: none"]


@pytest.mark.parametrize(("status", "ok"), [(199, False), (200, True), (299, True), (300, False)])
def test_ok_is_true_for_success_statuses(status: int, ok: bool) -> None:
    assert expect_response(play(allow(status=status))).ok is ok


def test_response_url_has_no_fragment() -> None:
    assert expect_response(play(answer(), url=f"{OWN}#top")).url == OWN


def test_headers_are_a_case_insensitive_mapping() -> None:
    headers = read("X-Two").headers
    assert "x-tWO" in headers
    assert len(headers) == len(SAFELISTED) + 1
    assert "'x-two': '2, 3'" in repr(headers)
    assert headers.get("X-None") is None


def test_white_space_around_a_value_is_removed() -> None:
    exposed = ("Access-Control-Expose-Headers", "X-A")
    response = expect_response(play(allow(exposed, ("X-A", " \t1 2\t "))))
    assert response.headers["X-A"] == "1 2"
