"""A candidate beside the standard's model of a browser: what a page would notice is counted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.random_policies import GUARDS, PAGES, REQUESTS

from corsguard import Guard
from corsguard.browser import Browser, Request
from corsguard.explain.policy_server import build_policy_server


def play(guard: Guard, page: str, request: Request) -> bool:
    """Return True if the page gets the response."""
    return Browser(page).play(request, build_policy_server(guard)).allowed


@settings(max_examples=300, derandomize=True, deadline=None)
@given(GUARDS, GUARDS, st.sampled_from(PAGES), REQUESTS)
@pytest.mark.slow
def test_what_a_page_notices_is_counted(
    guard: Guard, other: Guard, page: str, request: Request
) -> None:
    guard.adapter.set_candidate(other.adapter.snapshot)
    now, then = (play(each, page, request) for each in (guard, other))
    verdicts = {each.verdict for each in guard.candidate_differences}
    # Fetch, "CORS-preflight fetch", 7.4: an upload with a listener, or a stream, needs no
    # Allow-Methods.
    if now != then and not (request.upload_listener or request.streamed):
        assert ("would-allow" if then else "would-refuse") in verdicts


@settings(max_examples=200, derandomize=True, deadline=None)
@given(GUARDS, st.sampled_from(PAGES), REQUESTS)
@pytest.mark.slow
def test_same_policies_are_no_difference(guard: Guard, page: str, request: Request) -> None:
    guard.adapter.set_candidate(guard.adapter.snapshot)
    play(guard, page, request)
    assert guard.candidate_differences == ()


@settings(max_examples=200, derandomize=True, deadline=None)
@given(GUARDS, GUARDS, st.sampled_from(PAGES), REQUESTS)
@pytest.mark.slow
def test_difference_in_the_other_direction_has_the_other_verdict(
    guard: Guard, other: Guard, page: str, request: Request
) -> None:
    opposite = {"would-allow": "would-refuse", "would-refuse": "would-allow"}
    found = []
    for one, another in ((guard, other), (other, guard)):
        one.adapter.set_candidate(another.adapter.snapshot)
        for method, headers in (
            ("OPTIONS", {"Access-Control-Request-Method": request.method}),
            (request.method, {"Sec-Fetch-Site": "cross-site"}),
        ):
            one.decide("/api", page, method, headers, request.credentials == "include")
        found.append(one.candidate_differences)
        one.adapter.set_candidate(None)
    assert {(opposite[each.verdict], *each[1:]) for each in found[0]} == set(found[1])
