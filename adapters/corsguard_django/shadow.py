"""The shadow mode of the Django middleware: around django-cors-headers, which still answers."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from corsguard.guard.shadow import Shadow, read_environ
from corsguard_django.middleware import CORSMiddleware, build_request, call_in_time, wait

if TYPE_CHECKING:
    from corsguard.guard.shadow import Exchange

__all__ = ["ShadowMiddleware", "become_shadow"]


class ShadowMiddleware(CORSMiddleware):
    """The Django middleware that passes each request and each response on as it is.

    It compares the response with what the policies of the settings and of views would have
    answered; see Shadow.
    """

    _shadow: Shadow | None = None

    def start_shadow(self) -> None:
        """Start to compare; called once, at the end of the constructor."""
        del self.process_view  # Django calls it where it exists

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._pass_on_async(request)
        exchange = self._begin(request)
        response: HttpResponseBase = self.get_response(request)
        self._end(exchange, response)
        return response

    async def _pass_on_async(self, request: HttpRequest) -> HttpResponseBase:
        exchange = await self._begin_async(request)
        response: HttpResponseBase = await self.get_response(request)
        self._end(exchange, response)
        return response

    def _configure(self) -> None:
        super()._configure()
        self._shadow = None  # of the guard before

    def _find_shadow(self) -> Shadow:
        """Return what compares, for the guard of the settings as they are now."""
        if not self._is_configured:
            self._configure()
        shadow = self._shadow
        if shadow is None:
            shadow = self._shadow = Shadow(self._views.guard.adapter)
        return shadow

    def _begin(self, request: HttpRequest) -> Exchange | None:
        shadow = self._find_shadow()
        if not _is_compared(shadow, request):
            return None
        try:
            view, methods = self._views.resolve(request)
        except Exception as error:
            shadow.report(error)
            return None
        method, path = request.method or "", request.path_info
        return shadow.begin(request.META, method, path, view, methods, wait)

    async def _begin_async(self, request: HttpRequest) -> Exchange | None:
        shadow = self._find_shadow()
        if not _is_compared(shadow, request):
            return None
        try:
            holding = self._views.resolve(request)
            seen = read_environ(request.META, request.method or "")
            key = shadow.find_key(seen, request.path_info, *holding)
            exchange = shadow.find(key)
            if exchange is None:
                asked = build_request(request)
                decide = shadow.adapter.decide_quietly_async
                decision = await decide(asked, *holding, call_in_time)
                exchange = shadow.store(key, asked, decision)
        except Exception as error:
            shadow.report(error)
            return None
        return exchange

    def _end(self, exchange: Exchange | None, response: HttpResponseBase) -> None:
        if exchange is not None:
            self._find_shadow().end(exchange, response.status_code, response.headers.items())


def _is_compared(shadow: Shadow, request: HttpRequest) -> bool:
    return "HTTP_ORIGIN" in request.META or bool(shadow.adapter.snapshot.enforce)


def become_shadow(middleware: Any) -> None:
    """Make a middleware one that only compares: the normal one has no branch for this mode."""
    middleware.__class__ = ShadowMiddleware
    middleware.start_shadow()
