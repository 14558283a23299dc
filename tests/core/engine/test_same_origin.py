"""Same-origin requests, which need no policy."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.engine_requests import (
    EVIL,
    PLAIN,
    VARY,
    A,
    build_preflight,
)

from corsguard import Engine, Kind, Reason


@pytest.mark.parametrize(
    ("origin", "headers", "own"),
    [
        (EVIL, {"Sec-Fetch-Site": "same-origin"}, True),
        (EVIL, {"Sec-Fetch-Site": "none"}, True),
        (EVIL, {"Sec-Fetch-Site": "same-site", "Host": "evil.example"}, False),
        (EVIL, {"Sec-Fetch-Site": "same-origin,same-origin"}, False),
        (EVIL, {"Sec-Fetch-Site": "Same-Origin"}, False),
        (EVIL, {"Host": "evil.example"}, True),
        (EVIL, {"Host": "EVIL.example:443"}, True),
        (EVIL, {"Host": "evil.example:80"}, False),
        ("http://evil.example", {"Host": "evil.example:80"}, True),
        ("http://evil.example:8000", {"Host": "evil.example:8000"}, True),
        ("http://evil.example:8000", {"Host": "evil.example"}, False),
        (EVIL, {"Host": ""}, False),
        (EVIL, {}, False),
        (EVIL, {"X-Forwarded-Host": "evil.example"}, False),
        (EVIL, {"Forwarded": "host=evil.example"}, False),
        (f"{EVIL}.", {"Host": "evil.example."}, True),
        (f"{EVIL}.", {"Host": "evil.example.:443"}, True),
        (f"{EVIL}.", {"Host": "evil.example"}, False),
        (EVIL, {"Host": "evil.example."}, False),
        ("file://", {"Host": "file"}, False),
        ("file://", {"Host": ""}, False),
        ("null", {"Host": "null"}, False),
        ("null", {"Host": ""}, False),
        (f"{EVIL}/", {"Host": "evil.example/"}, False),
        ("https://own.example", {}, True),
    ],
)
def test_same_origin_request_is_allowed_with_equal_headers(
    origin: str, headers: Mapping[str, str], own: bool
) -> None:
    engine = Engine(PLAIN, own_origins=["https://own.example"])
    decision = engine.decide(origin, "POST", headers)
    assert (decision.reason is Reason.SAME_ORIGIN) is own
    assert decision.headers == (VARY,)
    assert decision.allowed is own
    assert decision.kind is (Kind.NOT_CORS if own else Kind.ACTUAL)


def test_same_origin_is_checked_only_before_a_refusal() -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    assert Engine(PLAIN).decide(A, "POST", own).reason is Reason.ALLOWED
    assert Engine(PLAIN).decide(EVIL, "OPTIONS", {**own, **build_preflight()}).status == 403
    assert Engine(PLAIN).decide(A, "POST", own, credentials=True).reason is Reason.SAME_ORIGIN
