"""The CORS check of the response to the request itself."""

from __future__ import annotations

import pytest
from support.scripted_server import (
    CORS_CHECK,
    CREDENTIALS,
    PAGE,
    allow,
    answer,
    expect_refusal,
    expect_response,
    list_texts,
    play,
)

from corsguard.browser import BlockReason, EngineName

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
ORIGIN = "Access-Control-Allow-Origin"
ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("value", [PAGE, f" {PAGE}\t", "*"])
def test_page_origin_or_wildcard_passes(value: str, engine: EngineName) -> None:
    exchange = play(allow(origin=value), engine=engine)
    assert expect_response(exchange).type == "cors"
    [text] = list_texts(exchange, CORS_CHECK)
    assert text.startswith(f"{ORIGIN} is ")


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("https://api.example.com", BlockReason.ALLOW_ORIGIN_MISMATCH),
        ("http://app.example.com", BlockReason.ALLOW_ORIGIN_MISMATCH),
        (f"{PAGE}/", BlockReason.ALLOW_ORIGIN_MISMATCH),
        (PAGE.upper(), BlockReason.ALLOW_ORIGIN_MISMATCH),
        (f"{PAGE}:443", BlockReason.ALLOW_ORIGIN_MISMATCH),
        (f"{PAGE}\x0b", BlockReason.ALLOW_ORIGIN_MISMATCH),
        ("null", BlockReason.ALLOW_ORIGIN_MISMATCH),
        ("", BlockReason.ALLOW_ORIGIN_INVALID),
        ("foo", BlockReason.ALLOW_ORIGIN_INVALID),
        ("true", BlockReason.ALLOW_ORIGIN_INVALID),
        (f"'{PAGE}'", BlockReason.ALLOW_ORIGIN_INVALID),
        (f"{PAGE}, {PAGE}", BlockReason.ALLOW_ORIGIN_MULTIPLE),
        (f"{PAGE} {PAGE}", BlockReason.ALLOW_ORIGIN_MULTIPLE),
        (f"{PAGE},", BlockReason.ALLOW_ORIGIN_MULTIPLE),
        ("*, *", BlockReason.ALLOW_ORIGIN_MULTIPLE),
    ],
)
def test_other_allow_origin_is_refused(value: str, reason: BlockReason, engine: EngineName) -> None:
    refusal = expect_refusal(play(allow(origin=value), engine=engine), reason, CORS_CHECK)
    assert (refusal.detail, refusal.in_preflight) == (value, False)
    assert refusal.fix == f"send {ORIGIN}: {PAGE} (a policy's allow_origins)"


@pytest.mark.parametrize("values", [(PAGE, PAGE), (PAGE, "*"), (PAGE, ""), ("", PAGE)])
def test_two_allow_origin_lines_are_refused(values: tuple[str, str]) -> None:
    exchange = play(answer(*((ORIGIN, value) for value in values)))
    refusal = expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_MULTIPLE, CORS_CHECK)
    assert refusal.detail == ", ".join(values)


def test_missing_allow_origin_is_refused() -> None:
    refusal = expect_refusal(play(answer()), BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)
    assert (refusal.detail, refusal.step.text) == ("", f"the response has no {ORIGIN}")


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 404, 500, 503, 599])
def test_error_status_passes_the_cors_check(status: int) -> None:
    assert expect_response(play(allow(status=status))).status == status
    expect_refusal(play(answer(status=status)), BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("value", ["true", " true "])
def test_credentials_need_true(value: str, engine: EngineName) -> None:
    exchange = play(allow((ALLOW_CREDENTIALS, value)), credentials="include", engine=engine)
    assert expect_response(exchange).ok
    assert list_texts(exchange, CORS_CHECK) == [
        f"{ORIGIN} is {PAGE}, and {ALLOW_CREDENTIALS} is true"
    ]


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("value", ["True", "TRUE", "false", "true, true", "", "yes", "true,"])
def test_other_allow_credentials_is_refused(value: str, engine: EngineName) -> None:
    exchange = play(allow((ALLOW_CREDENTIALS, value)), credentials="include", engine=engine)
    refusal = expect_refusal(exchange, BlockReason.ALLOW_CREDENTIALS_NOT_TRUE, CORS_CHECK)
    assert refusal.detail == value
    assert repr(value) in refusal.step.text


def test_missing_allow_credentials_is_refused() -> None:
    exchange = play(allow(), credentials="include")
    refusal = expect_refusal(exchange, BlockReason.ALLOW_CREDENTIALS_NOT_TRUE, CORS_CHECK)
    assert refusal.step.text.endswith(f"{ALLOW_CREDENTIALS} is missing")


@pytest.mark.parametrize("engine", ALL)
def test_wildcard_with_credentials_is_refused(engine: EngineName) -> None:
    exchange = play(allow(CREDENTIALS, origin="*"), credentials="include", engine=engine)
    expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_WILDCARD, CORS_CHECK)


@pytest.mark.parametrize("credentials", ["omit", "same-origin"])
def test_allow_credentials_is_unneeded_without_credentials(credentials: str) -> None:
    assert expect_response(play(allow(), credentials=credentials)).ok


def test_opaque_page_needs_allow_origin_null() -> None:
    assert expect_response(play(allow(origin="null"), page="null")).ok
    exchange = play(allow(origin="Null"), page="null")
    refusal = expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_INVALID, CORS_CHECK)
    assert refusal.fix.startswith("send the request from a page that has an origin")
