"""The CORS check of the answer to the request itself."""

from __future__ import annotations

import pytest
from support.scripted_server import (
    CORS_CHECK,
    CREDENTIALS,
    PAGE,
    allowing,
    answer,
    play,
    refused,
    seen,
    told,
)

from corsguard.browser import BlockReason, EngineName

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
ORIGIN = "Access-Control-Allow-Origin"
ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("value", [PAGE, f" {PAGE}\t", "*"])
def test_the_page_s_origin_or_the_wildcard_passes(value: str, engine: EngineName) -> None:
    exchange = play(allowing(origin=value), engine=engine)
    assert seen(exchange).type == "cors"
    [text] = told(exchange, CORS_CHECK)
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
def test_any_other_value_is_refused(value: str, reason: BlockReason, engine: EngineName) -> None:
    refusal = refused(play(allowing(origin=value), engine=engine), reason, CORS_CHECK)
    assert (refusal.detail, refusal.in_preflight) == (value, False)
    assert refusal.fix == f"send {ORIGIN}: {PAGE} (a policy's allow_origins)"


@pytest.mark.parametrize("values", [(PAGE, PAGE), (PAGE, "*"), (PAGE, ""), ("", PAGE)])
def test_two_lines_are_refused(values: tuple[str, str]) -> None:
    exchange = play(answer(*((ORIGIN, value) for value in values)))
    refusal = refused(exchange, BlockReason.ALLOW_ORIGIN_MULTIPLE, CORS_CHECK)
    assert refusal.detail == ", ".join(values)


def test_a_missing_header_is_refused() -> None:
    refusal = refused(play(answer()), BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)
    assert (refusal.detail, refusal.step.text) == ("", f"the response has no {ORIGIN}")


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 404, 500, 503, 599])
def test_a_status_of_failure_passes_all_the_same(status: int) -> None:
    assert seen(play(allowing(status=status))).status == status
    refused(play(answer(status=status)), BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("value", ["true", " true "])
def test_credentials_need_true(value: str, engine: EngineName) -> None:
    exchange = play(allowing((ALLOW_CREDENTIALS, value)), credentials="include", engine=engine)
    assert seen(exchange).ok
    assert told(exchange, CORS_CHECK) == [f"{ORIGIN} is {PAGE}, and {ALLOW_CREDENTIALS} is true"]


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("value", ["True", "TRUE", "false", "true, true", "", "yes", "true,"])
def test_nothing_else_will_do_for_credentials(value: str, engine: EngineName) -> None:
    exchange = play(allowing((ALLOW_CREDENTIALS, value)), credentials="include", engine=engine)
    refusal = refused(exchange, BlockReason.ALLOW_CREDENTIALS_NOT_TRUE, CORS_CHECK)
    assert refusal.detail == value
    assert repr(value) in refusal.step.text


def test_credentials_are_refused_where_the_header_is_missing() -> None:
    exchange = play(allowing(), credentials="include")
    refusal = refused(exchange, BlockReason.ALLOW_CREDENTIALS_NOT_TRUE, CORS_CHECK)
    assert refusal.step.text.endswith(f"{ALLOW_CREDENTIALS} is missing")


@pytest.mark.parametrize("engine", ALL)
def test_the_wildcard_is_refused_with_credentials(engine: EngineName) -> None:
    exchange = play(allowing(CREDENTIALS, origin="*"), credentials="include", engine=engine)
    refused(exchange, BlockReason.ALLOW_ORIGIN_WILDCARD, CORS_CHECK)


@pytest.mark.parametrize("credentials", ["omit", "same-origin"])
def test_without_credentials_nothing_has_to_allow_them(credentials: str) -> None:
    assert seen(play(allowing(), credentials=credentials)).ok


def test_a_page_without_an_origin_is_null() -> None:
    assert seen(play(allowing(origin="null"), page="null")).ok
    exchange = play(allowing(origin="Null"), page="null")
    refusal = refused(exchange, BlockReason.ALLOW_ORIGIN_INVALID, CORS_CHECK)
    assert refusal.fix.startswith("send the request from a page that has an origin")
