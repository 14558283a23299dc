"""Every adapter counts each request once, and tells the candidate of it, cached or not."""

from __future__ import annotations

import pytest
from support.stacks.all import MAIN_STACKS
from support.table import APP, EVIL, Stack, origin, preflight

from corsguard import Guard, Policy
from corsguard.guard.counts import GuardCounts

REQUESTS = [
    ("GET", "/items", []),
    ("GET", "/items", origin(APP)),
    ("GET", "/items", origin(EVIL, ("Sec-Fetch-Site", "cross-site"))),
    ("PUT", "/items", origin(APP, ("Sec-Fetch-Site", "cross-site"))),
    ("OPTIONS", "/items", preflight(APP)),
    ("OPTIONS", "/items", preflight(EVIL)),
    ("GET", "/elsewhere", origin(APP)),
]
POLICY = Policy(allow_origins=[APP], allow_methods=["PUT"])


def count_all(counts: GuardCounts) -> int:
    tables = (*counts.read_hits().values(), *counts.read_computed().values())
    return sum(sum(table.values()) for table in tables)


@pytest.mark.parametrize("enforce", [False, True])
@pytest.mark.parametrize("stack", MAIN_STACKS, ids=lambda stack: stack.name)
def test_each_request_is_counted_once(stack: Stack, enforce: bool) -> None:
    guard = Guard({"/items": POLICY}, enforce=enforce)
    counts = guard.adapter.count()
    client = stack.build(guard)

    for request in REQUESTS:
        for _ in range(3):
            before = count_all(counts)
            client.send(*request)
            assert count_all(counts) - before == 1, request

    has_hits = any(counts.read_hits().values())
    assert has_hits is guard.adapter.snapshot.is_cached  # which a subscriber of a stack ends


@pytest.mark.parametrize("stack", MAIN_STACKS, ids=lambda stack: stack.name)
def test_each_request_is_compared_once(stack: Stack) -> None:
    guard = Guard({"/items": POLICY})
    client = stack.build(guard)
    for request in REQUESTS:  # so that the caches have them
        client.send(*request)
    guard.try_candidate({"/items": Policy(allow_origins=[EVIL])})

    answers = [[client.send(*request) for request in REQUESTS] for _ in range(2)]

    assert set(guard.candidate_differences) == {
        ("would-refuse", APP, "/items", 2 * 3),
        ("would-allow", EVIL, "/items", 2 * 2),
    }
    assert answers[0] == answers[1]
