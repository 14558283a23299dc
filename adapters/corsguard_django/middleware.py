"""The Django middleware, sync and async."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from functools import partial
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
from corsguard.policy.predicates import Predicate, wait_for
from corsguard_django.live import Configured
from corsguard_django.views import METHOD, OF_PATH, Holding

__all__ = ["AROUND", "Around", "CORSMiddleware", "decide_async"]

_HOLDING = "corsguard.holding"
_REACHED = "corsguard.reached"


class Around:
    """The decision of `channels.CORSMiddleware`, which may stand around all of Django."""

    def __init__(self, decision: Decision, holding: Holding) -> None:
        self.decision = decision
        self.holding = holding
        self.is_taken = False
        """Whether Django answers, so that its own middleware puts the headers on the response."""


AROUND: ContextVar[Around | None] = ContextVar("AROUND", default=None)


class CORSMiddleware(Configured):
    """Answers the CORS protocol as settings.CORSGUARD and the policies of views say.

    It stands first in MIDDLEWARE. The decision is left in `request.META["corsguard.decision"]`,
    from when the view is known on: it may have a policy of its own.

    Raises ImproperlyConfigured with every problem of the configuration.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        # Django asks this of the method as well, and spares a thread by it.
        self.process_view = self._process_view_async if self._is_async else self._process_view
        if self._is_async:
            markcoroutinefunction(self)
        super().__init__()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._respond_async(request)
        request.META[METHOD] = request.method
        answer = None
        if (around := AROUND.get()) is not None:
            self._take(request, around)
        elif (known := self._known(request)) is not None:
            answer = _kept(request, OF_PATH, known)
        elif self._asks_ahead(request):
            answer = self._decide(request, self._views.ahead(request))
        if answer is not None:
            return answer
        response: HttpResponseBase = self.get_response(request)
        if (pending := self._pending(request)) is not None:
            answer = self._decide(request, pending)
        return self._finished(request, response) if answer is None else answer

    async def _respond_async(self, request: HttpRequest) -> HttpResponseBase:
        request.META[METHOD] = request.method
        answer = None
        if (around := AROUND.get()) is not None:
            self._take(request, around)
        elif (known := self._known(request)) is not None:
            answer = _kept(request, OF_PATH, known)
        elif self._asks_ahead(request):
            answer = await self._decide_async(request, self._views.ahead(request))
        if answer is not None:
            return answer
        response: HttpResponseBase = await self.get_response(request)
        if (pending := self._pending(request)) is not None:
            answer = await self._decide_async(request, pending)
        return self._finished(request, response) if answer is None else answer

    def _process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        request.META[_REACHED] = True
        holding = self._views.reached(request)
        return None if _is_decided(request, holding) else self._decide(request, holding)

    async def _process_view_async(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        request.META[_REACHED] = True
        holding = self._views.reached(request)
        if _is_decided(request, holding):
            return None
        return await self._decide_async(request, holding)

    def _known(self, request: HttpRequest) -> Decision | None:
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
        applied = snapshot.everywhere or snapshot.find(request.path_info)
        return applied.cache.lookup(request.META, request.method or "")

    def _pending(self, request: HttpRequest) -> Holding | None:
        """Return what applies to a response that no view has made, such as one from a cache.

        None where the request is decided, by that or by its view. What was decided ahead may be
        overtaken: a middleware below may have set `request.urlconf` since.
        """
        if _REACHED in request.META:
            return None
        holding = self._views.ahead(request)
        return None if _is_decided(request, holding) else holding

    def _asks_ahead(self, request: HttpRequest) -> bool:
        """Whether the request must be decided before anything else sees it."""
        request.META.pop(DECISION, None)  # of another guard, around all of Django
        return self._views.guard.adapter.needs_view_first(build_request(request))

    def _take(self, request: HttpRequest, around: Around) -> None:
        """Go by the decision that was made around all of Django, until the view is known."""
        if not self._is_configured:
            self._configure()
        around.is_taken = True
        _kept(request, around.holding, around.decision)

    def _decide(self, request: HttpRequest, holding: Holding) -> HttpResponse | None:
        view, methods = holding
        adapter = self._views.guard.adapter
        decision = _lookup(adapter, request, holding)
        if decision is None:
            decision = adapter.decide(build_request(request), view, methods, _wait)
        return _kept(request, holding, decision)

    async def _decide_async(self, request: HttpRequest, holding: Holding) -> HttpResponse | None:
        return _kept(request, holding, await decide_async(self._views.guard, request, holding))

    def _finished(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response with the header fields of the decision merged in."""
        decision: Decision = request.META[DECISION]
        if not decision.headers or isinstance(response, _Answer):
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
    """Return the decision on a request; callables are awaited, or called in a thread."""
    view, methods = holding
    adapter = guard.adapter
    decision = _lookup(adapter, request, holding)
    if decision is not None:
        return decision
    if not adapter.has_callables:
        return adapter.decide(build_request(request), view, methods)
    policy = view.policy if view else guard.policy_for(request.path_info)
    call = partial(_call_in_time, policy.predicate_timeout if policy else 0)
    return await adapter.decide_async(build_request(request), view, methods, call)


def _lookup(adapter: GuardRuntime, request: HttpRequest, holding: Holding) -> Decision | None:
    """Return the decision on a request whose view is known, where it is cached."""
    view, methods = holding
    cache = adapter.snapshot.find(request.path_info, view).cache
    return cache.lookup(request.META, _method_of(request), methods)


class _Answer(HttpResponse):
    """What is answered without any view."""

    _has_been_logged = True  # by the guard; django.utils.log.log_response() asks this of a response

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.body, status=decision.status, content_type="")
        del self.headers["Content-Type"]
        for name, value in decision.answer_headers:
            self.headers[name] = value


def build_request(request: HttpRequest) -> CORSRequest:
    """Build what a decision is made on. `Host` is read as it is: get_host() may raise.

    The method is the one that CORSMiddleware has seen, whatever middleware below it makes of it.
    """
    return CORSRequest.from_environ(request.META, request.path_info, _method_of(request))


def _method_of(request: HttpRequest) -> str:
    method: str = request.META.get(METHOD) or request.method or ""
    return method


def _is_decided(request: HttpRequest, holding: Holding) -> bool:
    """Whether the request was decided ahead, and for the view that it has reached.

    It was not if another middleware has set `request.urlconf` since.
    """
    meta = request.META
    return DECISION in meta and bool(meta[_HOLDING] == holding)


def _kept(request: HttpRequest, holding: Holding, decision: Decision) -> HttpResponse | None:
    """The answer, where the decision has one; the decision is left for whoever comes next."""
    request.META[DECISION] = decision
    request.META[_HOLDING] = holding
    return None if decision.status is None else _Answer(decision)


def _wait(answer: Awaitable[object], seconds: float) -> object:
    """Wait for what a callable returned, for so many seconds at most."""
    return async_to_sync(wait_for)(answer, seconds)


async def _call_in_time(seconds: float, predicate: Predicate, origin: str) -> object:
    """Call what may block in a thread, and wait for so many seconds at most.

    Nothing can end it there. The request goes on without it, so it is no thread that anything else
    of the request waits for.
    """
    return await wait_for(_call_in_thread(predicate, origin), seconds)


async def _call_in_thread(predicate: Predicate, origin: str) -> object:
    answer = await sync_to_async(_call, thread_sensitive=False)(predicate, origin)
    while isinstance(answer, Awaitable):  # of a plain function that calls an async one
        answer = await answer
    return answer


def _call(predicate: Predicate, origin: str) -> object:
    try:
        return predicate(origin)
    finally:
        connections.close_all()  # of this thread, which Django does not do at the end of requests
