"""Shadow: a guard that only compares, around the CORS layer that still answers."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from itertools import count
from threading import Lock
from typing import Any

from corsguard.engine.cache import BoundedCache
from corsguard.engine.decision import Decision, Reason
from corsguard.engine.request import CORSRequest, Methods
from corsguard.engine.same_origin import is_same_origin
from corsguard.fetch_spec import REGISTERED_METHODS
from corsguard.fork_safety import restart_in_child
from corsguard.guard.effect import (
    CORSResponse,
    ResponseValues,
    Verdict,
    describe_effect,
    describe_response,
    read_response,
)
from corsguard.guard.runtime import GuardRuntime
from corsguard.guard.shadow_line import (
    OTHER,
    SERVED,
    ShadowLine,
    ShadowVerdict,
    format_line,
    format_start,
)
from corsguard.guard.snapshot import AppliedPolicy
from corsguard.guard.view_policies import View
from corsguard.origin import MAX_LENGTH
from corsguard.policy.predicates import Waiter

__all__ = ["Exchange", "Seen", "Shadow", "read_environ", "read_fields"]

Seen = tuple[Any, ...]
"""What the effect of a response depends on: the attributes of a CORSRequest from `origin` to
`host`, in their order, texts or bytes."""

_logger = logging.getLogger("corsguard")
_MAX_ITEMS: dict[ShadowVerdict, int] = {"would-refuse": 1_000, "would-allow": 1_000, SERVED: 5_000}
_MAX_DETAIL = 60
_MAX_RESPONSES = 32
_MAX_LENGTH = 1_024
"""Characters of what identifies a request that is cached."""
_OTHERS = ShadowLine(
    SERVED, OTHER, OTHER, is_preflight=False, method=OTHER, has_cookie=False, reason=OTHER
)
_LOGGED = frozenset(10**power for power in range(19))
"""The counts of an item that are logged."""


_Key = tuple[AppliedPolicy, Methods, Seen]


class _Item:
    """A line of the log, and how often its request came."""

    __slots__ = ("counter", "line")

    def __init__(self, line: ShadowLine) -> None:
        self.line = line
        self.counter = count(1)

    def add(self) -> None:
        """Count a request. One step in C loses nothing among threads, without a lock."""
        number = next(self.counter)
        if number in _LOGGED:
            _logger.warning("%s", format_line(self.line._replace(requests=number)))


_Items = tuple[_Item, ...]


class Exchange:
    """Requests that are alike, the decision on them, and what each response to them counts for."""

    __slots__ = ("decision", "items", "request", "route")

    def __init__(self, request: CORSRequest, route: str | None, decision: Decision) -> None:
        self.request: CORSRequest = request
        self.route: str | None = route
        self.decision: Decision = decision
        self.items: BoundedCache[ResponseValues, _Items] = BoundedCache(_MAX_RESPONSES)


class Shadow:
    """A guard's decisions beside the responses of the CORS layer that it is to replace.

    No response changes, nothing is refused, and no refusal is logged, published or counted as if
    it had happened. What would differ for a page is counted by verdict, origin, route, kind of
    request, method, cookies and reason. So is each request with cookies whose response the layer
    inside let a page read, by origin and route. Each item is logged at WARNING at its first
    request, and again at each power of ten. There are at most 1,000 items of a verdict, and 5,000
    of requests that were served with cookies; further ones are counted together. The first request
    that is compared is logged as the start.

    A forked child starts at zero, under a process name of its own. Safe to use from many threads.
    An error in here is logged once, and the response goes on.
    """

    def __init__(self, adapter: GuardRuntime) -> None:
        self.adapter: GuardRuntime = adapter
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Start at zero with a new lock; see corsguard.fork_safety."""
        self._lock = Lock()
        self._process = f"{os.getpid()}-{os.urandom(3).hex()}"
        self._has_started = False
        self._items: dict[ShadowLine, _Item] = {}
        self._sizes: dict[ShadowVerdict, int] = {}
        # The policy at a place, and what is seen of a request -> the exchange.
        self._exchanges: BoundedCache[_Key, Exchange] = BoundedCache()

    def begin(
        self,
        environ: Mapping[str, Any],
        method: str,
        path: str,
        view: View | None = None,
        methods: Methods = None,
        wait: Waiter | None = None,
    ) -> Exchange | None:
        """Return the exchange of a request, given as a WSGI environ or as the META of Django.

        None if there is nothing to compare. See GuardRuntime.decide for the parameters.
        """
        snapshot = self.adapter.snapshot
        if "HTTP_ORIGIN" not in environ and not snapshot.enforce:
            return None
        try:
            seen = read_environ(environ, method)
            # As find_key, without the call.
            applied = (view is None and snapshot.everywhere) or snapshot.find(path, view)
            key = applied, methods, seen
            exchange = self._exchanges.get(key)
            if exchange is None:
                request = CORSRequest.from_environ(environ, path, method)
                decision = self.adapter.decide_quietly(request, view, methods, wait)
                exchange = self.store(key, request, decision)
        except Exception as error:
            self.report(error)
            return None
        return exchange

    def find_key(
        self, seen: Seen, path: str, view: View | None = None, methods: Methods = None
    ) -> _Key:
        """Return the key of an exchange: what applies to it, and what is seen of the request."""
        snapshot = self.adapter.snapshot
        applied = (view is None and snapshot.everywhere) or snapshot.find(path, view)
        return applied, methods, seen

    def find(self, key: _Key) -> Exchange | None:
        """Return the exchange of a key, if it is cached."""
        return self._exchanges.get(key)

    def store(self, key: _Key, request: CORSRequest, decision: Decision) -> Exchange:
        """Return a new exchange. It is cached unless a callable may decide otherwise next time."""
        if not self._has_started:
            self._has_started = True
            _logger.warning("%s", format_start(self._process))
        exchange = Exchange(request, key[0].route, decision)
        length = sum(len(value) for value in key[2] if value and value is not True)
        if length <= _MAX_LENGTH and not self.adapter.has_callables:
            self._exchanges.store(key, exchange)
        return exchange

    def end(
        self,
        exchange: Exchange,
        status: int | str,
        headers: Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]],
    ) -> None:
        """Compare the response of the layer inside. `status` may be a status line of WSGI."""
        try:
            response = read_response(status, headers)
            items = exchange.items.get(response)
            if items is None:
                items = self._find_items(exchange, response)
                exchange.items.store(response, items)
            for item in items:
                item.add()
        except Exception as error:
            self.report(error)

    def report(self, error: Exception) -> None:
        """Log an error of the comparison, once."""
        self.adapter.log.report_shadow(error)

    def _find_items(self, exchange: Exchange, values: ResponseValues) -> _Items:
        """Return the items that a request counts for."""
        request, decision = exchange.request, exchange.decision
        response = CORSResponse.of(values)
        if response.status >= 500 and response.allow_origin is None:
            return ()  # from outside the layer that sets the headers
        own_origins = self.adapter.snapshot.own_origins
        now = describe_response(response, request, own_origins)
        then = describe_effect(decision, request, own_origins)
        if request.is_preflight:  # a page can't tell a 403 from another failure
            then = then._replace(is_served=then.is_readable)
        verdicts: list[tuple[ShadowVerdict, Reason]] = []
        if _is_served_with_cookies(request, has_credentials=now.has_credentials) and not (
            is_same_origin(request, own_origins)
        ):
            verdicts.append((SERVED, decision.reason))
        if then != now:
            verdict: Verdict = "would-allow" if then > now else "would-refuse"
            is_same = then[:2] == now[:2] and verdict == "would-refuse"
            reason = Reason.CREDENTIALS_NOT_ALLOWED if is_same else decision.reason
            verdicts.append((verdict, reason))
        return tuple(self._find_item(*each, exchange) for each in verdicts)

    def _find_item(self, verdict: ShadowVerdict, reason: Reason, exchange: Exchange) -> _Item:
        request, decision = exchange.request, exchange.decision
        is_preflight = request.is_preflight
        method = (request.requested_method if is_preflight else request.method) or ""
        line = ShadowLine(
            verdict,
            request.origin if len(request.origin or "") <= MAX_LENGTH else OTHER,
            exchange.route,
            is_preflight,
            method if verdict != SERVED and method in REGISTERED_METHODS else OTHER,
            bool(request.has_cookie),
            reason.value,
            decision.detail[:_MAX_DETAIL] if reason is Reason.HEADERS_NOT_ALLOWED else "",
            self._process,
        )
        with self._lock:
            item = self._items.get(line)
            if item is None and self._sizes.get(verdict, 0) >= _MAX_ITEMS[verdict]:
                line = _OTHERS._replace(verdict=verdict, process=line.process)
                item = self._items.get(line)
            if item is None:
                item = self._items[line] = _Item(line)
                self._sizes[verdict] = self._sizes.get(verdict, 0) + 1
        return item


def _is_served_with_cookies(request: CORSRequest, *, has_credentials: bool) -> bool:
    return bool(
        has_credentials
        and request.has_cookie
        and request.origin is not None
        and not request.is_preflight
    )


def read_environ(environ: Mapping[str, Any], method: str) -> Seen:
    """Return what is seen of a request, given as a WSGI environ or as the META of Django."""
    get = environ.get
    names = requested = None
    if method == "OPTIONS":
        requested = get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        names = get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS")
    return (
        get("HTTP_ORIGIN"),
        method,
        requested,
        names,
        True if get("HTTP_COOKIE") else None,
        get("HTTP_SEC_FETCH_SITE"),
        get("HTTP_SEC_FETCH_MODE"),
        get("HTTP_HOST"),
    )


def read_fields(fields: Mapping[bytes, bytes], method: str) -> Seen:
    """Return the same of the fields of an ASGI request, as bytes."""
    get = fields.get
    names = requested = None
    if method == "OPTIONS":
        requested = get(b"access-control-request-method")
        names = get(b"access-control-request-headers")
    return (
        get(b"origin"),
        method,
        requested,
        names,
        True if get(b"cookie") else None,
        get(b"sec-fetch-site"),
        get(b"sec-fetch-mode"),
        get(b"host"),
    )
