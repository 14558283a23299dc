"""What a script passes to `fetch()`, in the shapes that it may have."""

from __future__ import annotations

import pytest

from corsguard.browser import Headers, Request


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "1", "X-B": "2"}, [("X-A", "1"), ("X-B", "2")], Headers([("X-A", "1"), ("X-B", "2")])],
)
def test_request_fields_are_pairs_whatever_their_shape(headers: object) -> None:
    request = Request("https://api.example.com/", headers=headers)  # type: ignore[arg-type]
    assert [value for _, value in request.fields] == ["1", "2"]
    assert [name.lower() for name, _ in request.fields] == ["x-a", "x-b"]
