"""assert_cors: the returned outcome, and the report of a failed assertion."""

from __future__ import annotations

from typing import Any

import pytest

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser, Cookie, Response, assert_cors
from corsguard_wsgi import CORSMiddleware

PAGE = "https://app.example.com"
STRANGER = "https://evil.example"


def service(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Total", "3"), ("X-Own", "1")])
    return [b"hello"]


APP = CORSMiddleware(
    service,
    Policy(
        allow_origins=[PAGE],
        allow_methods=["PUT"],
        allow_headers=["X-Trace"],
        expose_headers=["X-Total"],
    ),
)


def catch_failure(**given: Any) -> list[str]:
    """Return the lines of the failed assertion."""
    with pytest.raises(AssertionError) as error:
        assert_cors(APP, **{"page": PAGE, **given})
    return str(error.value).splitlines()


def test_allowed_response_is_returned() -> None:
    outcome = assert_cors(APP, page=PAGE, reads=["x-total", "Content-Type"], preflights=0)
    assert isinstance(outcome, Response)
    assert outcome.text == "hello"


def test_expected_block_is_returned() -> None:
    for blocked in (True, "ALLOW_ORIGIN_MISSING", BlockReason.ALLOW_ORIGIN_MISSING):
        outcome = assert_cors(APP, page=STRANGER, blocked=blocked)
        assert isinstance(outcome, Blocked)
        assert outcome.reason is BlockReason.ALLOW_ORIGIN_MISSING


def test_request_arguments_are_those_of_fetch() -> None:
    outcome = assert_cors(
        APP,
        page=PAGE,
        url="https://api.example.com/items/1?full",
        method="PUT",
        headers={"X-Trace": "1"},
        body=b"{}",
        preflights=1,
    )
    assert isinstance(outcome, Response)
    assert outcome.url == "https://api.example.com/items/1?full"


def test_path_url_is_at_testserver() -> None:
    outcome = assert_cors(APP, page=PAGE, url="/items/1")
    assert isinstance(outcome, Response)
    assert outcome.url == "https://testserver/items/1"


def test_unexpected_block_reports_the_reason() -> None:
    lines = catch_failure(page=STRANGER)
    assert lines[0] == (
        "a script on https://evil.example fetched GET https://testserver/, and it was blocked"
    )
    assert lines[2] == "ALLOW_ORIGIN_MISSING: the response has no Access-Control-Allow-Origin"
    assert "  GET https://testserver/" in lines
    assert "     Origin: https://evil.example" in lines
    assert "  -> 200" in lines
    assert "     Vary: Origin" in lines


def test_block_for_another_reason_reports_both() -> None:
    lines = catch_failure(method="PATCH", blocked="HEADER_NOT_ALLOWED")
    assert lines[0].endswith("and it was blocked, but not for HEADER_NOT_ALLOWED")
    assert lines[2].startswith("METHOD_NOT_ALLOWED: ")


def test_missing_block_reports_the_response() -> None:
    lines = catch_failure(blocked=True)
    assert lines[0].endswith("and it was not blocked")
    assert "     Access-Control-Allow-Origin: https://app.example.com" in lines


def test_hidden_header_is_named() -> None:
    assert catch_failure(reads=["X-Total", "X-Own"])[0].endswith("and the script can't read X-Own")


def test_wrong_number_of_preflights_is_reported() -> None:
    assert catch_failure(method="PUT", preflights=0)[0].endswith(
        "and preflights were sent: 1, not 0"
    )


def test_redirect_to_another_host_is_unreachable() -> None:
    def redirecting(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("302 Found", [("Location", "https://elsewhere.example/")])
        return []

    with pytest.raises(AssertionError) as error:
        assert_cors(redirecting, page="https://testserver", url="https://testserver/old")
    text = str(error.value)
    assert "UNREACHABLE: nothing is served at https://elsewhere.example" in text
    assert text.endswith(
        "  GET https://elsewhere.example/\n     Origin: https://testserver\n  -> no response"
    )


def test_cookies_are_sent_with_the_request() -> None:
    cookies = [Cookie("session", "1", "testserver", secure=True, same_site="None")]
    lines = catch_failure(cookies=cookies, credentials="include")
    assert "     Cookie: session=1" in lines


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (
            {"reads": "X-Total"},
            TypeError,
            "reads='X-Total' is not a list of names: write reads=[\"X-",
        ),
        ({"reads": [1]}, TypeError, 'reads=[1] is not a list of names: write reads=["X-'),
        (
            {"blocked": "ORIGIN_NOT_ALLOWED"},
            ValueError,
            "blocked='ORIGIN_NOT_ALLOWED' is not one of URL_INVALID, ",
        ),
        ({"headers": {"a": 1}}, TypeError, "headers: ('a', 1) is not a name and a value, both of"),
        ({"headers": [("a", b"1")]}, TypeError, "headers: ('a', b'1') is not a name and a value"),
        ({"headers": ["a: 1"]}, TypeError, "headers: 'a: 1' is not a name and a value"),
        ({"body": {"a": 1}, "method": "PUT"}, TypeError, "body={'a': 1} is neither bytes nor a st"),
        ({"cookies": ["a=b"]}, TypeError, "cookies: 'a=b' is not a Cookie: write cookies=[Cookie("),
    ],
)
def test_invalid_argument_raises_one_line_error(
    given: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as raised:
        assert_cors(APP, page=PAGE, **given)
    assert str(raised.value).startswith(words)
    assert "\n" not in str(raised.value)


def test_invalid_cookie_raises_type_error() -> None:
    with pytest.raises(TypeError, match="cookies: 'a=b' is not a Cookie"):
        Browser.on(APP, page=PAGE, cookies=["a=b"])  # type: ignore[list-item]
