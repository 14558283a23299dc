"""Requests from the service's own pages, told by `Sec-Fetch-Site`, or by `Host` without it."""

from __future__ import annotations

import pytest

from corsguard import CORSRequest
from corsguard.engine.same_origin import is_same_origin

OWN = "https://api.example.com"


@pytest.mark.parametrize(
    ("origin", "site", "host", "expected"),
    [
        (OWN, "same-origin", None, True),
        (None, "none", None, True),
        (OWN, "cross-site", "api.example.com", False),
        (OWN, None, "API.example.com:443", True),
        (OWN, None, "api.example.com:8443", False),
        (OWN, None, None, False),
        ("https://own.example", None, None, True),
        ("null", None, "", False),
        (None, None, "api.example.com", False),
        ("https://api example.com", None, "api example.com", False),
    ],
)
def test_same_origin_goes_by_fetch_site_then_by_host(
    origin: str | None, site: str | None, host: str | None, expected: bool
) -> None:
    request = CORSRequest("/", origin, "POST", fetch_site=site, host=host)
    assert is_same_origin(request, {"https://own.example"}) is expected
