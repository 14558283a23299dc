"""The Django middleware, sync and async."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from corsguard import Decision, Guard
from corsguard.engine.decision import DECISION
from corsguard.engine.request import CORSRequest
from corsguard.engine.response_headers import UNTOUCHED, is_merged
from corsguard.guard.runtime import GuardRuntime
from corsguard.policy.origin_lookup import THREAD_CLEANUPS
from corsguard.policy.predicates import wait_for
from corsguard_django.settings_mixin import SettingsMixin
from corsguard_django.views import METHOD, OF_PATH, Holding

__all__ = [
    "OUTER_DECISION",
    "CORSMiddleware",
    "OuterDecision",
    "build_request",
    "call_in_time",
    "decide_async",
    "wait",
]

_HOLDING = "corsguard.holding"
_PATH = "corsguard.path"
_REACHED = "corsguard.reached"

THREAD_CLEANUPS.append(connections.close_all)  # Django closes only those of its own threads


class OuterDecision:
    """The decision of `channels.CORSMiddleware`, which may be around all of Django."""

    def __init__(self, decision: Decision, holding: Holding) -> None:
        self.decision = decision
        self.holding = holding
        self.is_taken = False
        """True once Django's own middleware has the request. It then adds the headers."""


OUTER_DECISION: ContextVar[OuterDecision | None] = ContextVar("OUTER_DECISION", default=None)


class CORSMiddleware(SettingsMixin):
    """The Django middleware for the policies of settings.CORSGUARD and of views.

    It must be first in MIDDLEWARE. `request.META["corsguard.decision"]` has the decision once the
    view is known, which may have its own policy. With `CORSGUARD["shadow"] = True` it changes
    nothing, and logs what would differ: see docs/shadow.md.

    Raises ImproperlyConfigured with every problem of the configuration.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        # Django checks this method as well, and needs no thread if both are of the same kind.
        self.process_view: Callable[..., Any] = (
            self._process_view_async if self._is_async else self._process_view
        )
        if self._is_async:
            markcoroutinefunction(self)  # ty: ignore[invalid-argument-type]  # it takes any callable
        super().__init__()
        if self._views.guard.shadow:
            from corsguard_django.shadow import become_shadow

            become_shadow(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._respond_async(request)
        request.META[METHOD] = request.method
        answer = None
        if (outer := OUTER_DECISION.get()) is not None:
            self._adopt(request, outer)
        elif (cached := self._lookup_by_path(request)) is not None:
            answer = _record(request, OF_PATH, cached)
        elif self._needs_view_first(request):
            answer = self._decide(request, self._views.resolve(request))
        if answer is not None:
            return answer
        response: HttpResponseBase = self.get_response(request)
        if (pending := self._find_pending(request)) is not None:
            answer = self._decide(request, pending)
        return self._add_headers(request, response) if answer is None else answer

    async def _respond_async(self, request: HttpRequest) -> HttpResponseBase:
        request.META[METHOD] = request.method
        answer = None
        if (outer := OUTER_DECISION.get()) is not None:
            self._adopt(request, outer)
        elif (cached := self._lookup_by_path(request)) is not None:
            answer = _record(request, OF_PATH, cached)
        elif self._needs_view_first(request):
            answer = await self._decide_async(request, self._views.resolve(request))
        if answer is not None:
            return answer
        response: HttpResponseBase = await self.get_response(request)
        if (pending := self._find_pending(request)) is not None:
            answer = await self._decide_async(request, pending)
        return self._add_headers(request, response) if answer is None else answer

    def _process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        request.META[_REACHED] = True
        holding = self._views.find_resolved(request)
        return None if self._is_decided(request, holding) else self._decide(request, holding)

    async def _process_view_async(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        request.META[_REACHED] = True
        holding = self._views.find_resolved(request)
        if self._is_decided(request, holding):
            return None
        return await self._decide_async(request, holding)

    def _lookup_by_path(self, request: HttpRequest) -> Decision | None:
        """Return the decision on the request where it is cached, and no view has its own policy.

        That is so for the URLconf of this moment. A middleware below may set another one: then the
        decision is made anew, once the view is known.
        """
        if not self._is_configured:
            self._configure()
        views = self._views
        if views.in_urlconf(getattr(request, "urlconf", None)):
            return None
        snapshot = views.guard.adapter.snapshot
        applied = snapshot.pathless
        if applied is None:
            request.META[_PATH] = request.path_info
            applied = snapshot.find(request.path_info)
        return applied.cache.lookup(request.META, request.method or "", path=request.path_info)

    def _find_pending(self, request: HttpRequest) -> Holding | None:
        """Return what applies to a response that no view has made, such as one from a cache.

        None if the decision on the request stands. It does not if a middleware below has set
        `request.urlconf` since.
        """
        if _REACHED in request.META:
            return None
        holding = self._views.resolve(request)
        return None if self._is_decided(request, holding) else holding

    def _needs_view_first(self, request: HttpRequest) -> bool:
        """Return True if the decision must come before any other middleware runs."""
        request.META.pop(DECISION, None)  # of another guard, around all of Django
        return self._views.guard.adapter.needs_view_first(build_request(request))

    def _is_decided(self, request: HttpRequest, holding: Holding) -> bool:
        """Return True if the decision on the request is the one for the view that it has reached.

        It is not if another middleware has set `request.urlconf` since, or `request.path_info`,
        unless the decision had to come before any other middleware.
        """
        meta = request.META
        if DECISION not in meta or meta[_HOLDING] != holding:
            return False
        if meta.get(_PATH, request.path_info) == request.path_info:
            return True
        return self._views.guard.adapter.needs_view_first(build_request(request))

    def _adopt(self, request: HttpRequest, outer: OuterDecision) -> None:
        """Use the decision that was made around all of Django, until the view is known."""
        if not self._is_configured:
            self._configure()
        outer.is_taken = True
        _record(request, outer.holding, outer.decision)

    def _decide(self, request: HttpRequest, holding: Holding) -> HttpResponse | None:
        view, methods = holding
        adapter = self._views.guard.adapter
        decision = _lookup(adapter, request, holding)
        if decision is None:
            decision = adapter.decide(build_request(request), view, methods, wait)
        return _record(request, holding, decision)

    async def _decide_async(self, request: HttpRequest, holding: Holding) -> HttpResponse | None:
        return _record(request, holding, await decide_async(self._views.guard, request, holding))

    def _add_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response with the headers of the decision merged in."""
        decision: Decision = request.META[DECISION]
        if not decision.headers or isinstance(response, _Response):
            return response
        headers = response.headers
        fields: Iterable[tuple[str, str]] = decision.headers
        given = [name for name in headers if name not in UNTOUCHED and is_merged(name)]
        if given:
            there = [(name, headers[name]) for name in given]
            fields = self._views.guard.adapter.merge(decision.headers, there, request.path_info)
            for name in given:
                del headers[name]
        for name, value in fields:
            headers[name] = value
        return response


async def decide_async(guard: Guard, request: HttpRequest, holding: Holding) -> Decision:
    """Return the decision on a request. Async callables are awaited, sync ones run in a thread."""
    view, methods = holding
    adapter = guard.adapter
    decision = _lookup(adapter, request, holding)
    if decision is not None:
        return decision
    if not adapter.has_callables:
        return adapter.decide(build_request(request), view, methods)
    return await adapter.decide_async(build_request(request), view, methods, call_in_time)


def _lookup(adapter: GuardRuntime, request: HttpRequest, holding: Holding) -> Decision | None:
    """Return the decision on a request whose view is known, where it is cached."""
    view, methods = holding
    cache = adapter.snapshot.find(request.path_info, view).cache
    return cache.lookup(request.META, _get_method(request), methods, request.path_info)


class _Response(HttpResponse):
    """A response without any view: to a preflight, or a refusal."""

    _has_been_logged = True  # the guard has; django.utils.log.log_response() reads this attribute

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.body, status=decision.status, content_type="")
        del self.headers["Content-Type"]
        for name, value in decision.answer_headers:
            self.headers[name] = value


def build_request(request: HttpRequest) -> CORSRequest:
    """Build what a decision is made on. `Host` is read as it is: get_host() may raise.

    The method is the one that CORSMiddleware has seen, whatever middleware below it makes of it.
    """
    return CORSRequest.from_environ(request.META, request.path_info, _get_method(request))


def _get_method(request: HttpRequest) -> str:
    method: str = request.META.get(METHOD) or request.method or ""
    return method


def _record(request: HttpRequest, holding: Holding, decision: Decision) -> HttpResponse | None:
    """Store the decision in the request, and return its response, None if the view responds."""
    request.META[DECISION] = decision
    request.META[_HOLDING] = holding
    return None if decision.status is None else _Response(decision)


def wait(answer: Awaitable[object], seconds: float) -> object:
    """Wait at most some seconds for the awaitable that a callable returned."""
    return async_to_sync(wait_for)(answer, seconds)


async def call_in_time(ask: Callable[[], object], seconds: float) -> object:
    """Call a function that may block in a thread, and wait at most some seconds for it.

    The thread can't be stopped. It is not the one of the request, which goes on without it.
    """
    return await wait_for(_call_in_thread(ask), seconds)


async def _call_in_thread(ask: Callable[[], object]) -> object:
    answer = await sync_to_async(_call, thread_sensitive=False)(ask)
    while isinstance(answer, Awaitable):  # a plain function may call an async one
        answer = await answer
    return answer


def _call(ask: Callable[[], object]) -> object:
    try:
        return ask()
    finally:
        connections.close_all()  # of this thread: Django closes only those of its own threads
