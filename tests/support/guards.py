"""Deciding on a guard as an adapter does: with a view, the methods of its URL, and callables."""

from __future__ import annotations

from corsguard import CORSRequest, Decision, Guard
from corsguard.engine.engine import Caller, Waiter
from corsguard.engine.request import Methods, RequestHeaders
from corsguard.guard.view_policies import View

__all__ = ["decide", "decide_async"]


def decide(
    guard: Guard,
    path: str,
    origin: str | None,
    method: str,
    headers: RequestHeaders,
    credentials: bool | None = None,
    *,
    view: View | None = None,
    methods: Methods = None,
    wait: Waiter | None = None,
) -> Decision:
    """Return the decision on a request that reaches a view."""
    request = CORSRequest.from_headers(path, origin, method, headers, credentials)
    return guard.adapter.decide(request, view, methods, wait)


async def decide_async(
    guard: Guard,
    path: str,
    origin: str | None,
    method: str,
    headers: RequestHeaders,
    credentials: bool | None = None,
    *,
    view: View | None = None,
    methods: Methods = None,
    call: Caller | None = None,
) -> Decision:
    """Return the same where callables may have to be awaited."""
    request = CORSRequest.from_headers(path, origin, method, headers, credentials)
    return await guard.adapter.decide_async(request, view, methods, call)
