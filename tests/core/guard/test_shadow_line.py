"""The lines of the shadow mode: each can be read back, and no request can forge one."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsguard.guard.shadow_line import (
    OTHER,
    SERVED,
    ShadowLine,
    format_line,
    format_start,
    parse_line,
)

LINE = ShadowLine(
    "would-refuse",
    "https://a.example",
    "/api",
    is_preflight=False,
    method="GET",
    has_cookie=True,
    reason="ORIGIN_NOT_ALLOWED",
    process="4711-5f3a0c",
    requests=10,
)
TEXT = (
    "shadow: would-refuse origin=https://a.example route=/api kind=request method=GET "
    "cookies=yes count=10 reason=ORIGIN_NOT_ALLOWED process=4711-5f3a0c"
)
HOSTILE = (
    "https://e.example\nWARNING corsguard shadow: served-with-cookies origin=https://e.example",
    "https://e.example route=/ kind=request method=GET cookies=yes count=1000",
    '","origin":"x\\',
    "(none)",
    "(other)",
    "-",
    "",
    "%0A",
    "h\u0130\x00\x1b[31m",
)


def test_line_has_the_documented_form() -> None:
    assert format_line(LINE) == TEXT


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        LINE._replace(verdict=SERVED, origin=None, route=None, has_cookie=False),
        LINE._replace(is_preflight=True, reason="HEADERS_NOT_ALLOWED", detail="x-one two"),
        LINE._replace(origin=OTHER, route=OTHER, method=OTHER, reason=OTHER),
        *(LINE._replace(origin=each) for each in HOSTILE if each != "(none)"),
    ],
)
def test_line_is_read_back(line: ShadowLine) -> None:
    assert parse_line(format_line(line)) == line


@given(st.text(), st.text(), st.text())
def test_values_of_requests_stay_in_their_field(origin: str, route: str, detail: str) -> None:
    line = format_line(LINE._replace(origin=origin, route=route, detail=detail))

    assert re.fullmatch(r"[ -~]+", line)
    assert line.count(" ") == TEXT.count(" ")
    assert line.count("=") == TEXT.count("=")
    assert not set(line) & set("\"'\\{}<>")


@pytest.mark.parametrize(
    "wrap",
    [
        "{}",
        "2026-11-27 19:00:00,123 WARNING corsguard [worker 3]: {}",
        "<12>Nov 27 19:00:00 host gunicorn[77]: {} extra=1",
    ],
)
def test_line_is_found_in_any_format(wrap: str) -> None:
    assert parse_line(wrap.format(TEXT)) == LINE
    assert parse_line(wrap.format(format_start("4711-5f3a0c"))) == "4711-5f3a0c"


def test_line_is_found_in_json() -> None:
    document = json.dumps({"message": TEXT, "level": "WARNING"})

    assert parse_line(document) == LINE
    assert parse_line(document.replace("/", "\\/")) == LINE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET /api 200",
        "shadow: would-refuse origin=https://a.example",
        TEXT.replace("would-refuse", "would-like"),
        TEXT.replace("5f3a0c", "5f3a0"),
        TEXT.replace("5f3a0c", "5f3a0cd"),
    ],
)
def test_other_lines_are_ignored(text: str) -> None:
    assert parse_line(text) is None
