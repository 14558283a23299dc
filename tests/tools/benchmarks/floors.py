"""The floor: the least that pure Python can do for the same answer, a closure over a dict.

It knows exact origins alone, looks at no method or header of a preflight, keeps no decision for
the application, logs nothing, and can't be reconfigured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tools.benchmarks.workload import EXPOSED, HEADERS, MAX_AGE, METHODS

_VARY = ("Vary", "Origin")
_PREFLIGHT_VARY = (
    "Vary",
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
)
_OURS = frozenset(
    {
        "vary",
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-max-age",
    }
)

Fields = list[tuple[Any, Any]]


def _actual(origin: str) -> Fields:
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", EXPOSED),
        _VARY,
    ]


def _preflight(origin: str) -> Fields:
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", ", ".join(METHODS)),
        ("Access-Control-Allow-Headers", ", ".join(HEADERS)),
        ("Access-Control-Max-Age", str(MAX_AGE)),
        _PREFLIGHT_VARY,
    ]


def _merge_fields(given: Fields, ours: Fields) -> Fields:
    """Merge Vary, and replace the CORS fields that the application set."""
    varying = [value for name, value in given if name.lower() == "vary"]
    kept = [field for field in given if field[0].lower() not in _OURS]
    return [*kept, *ours[:-1], ("Vary", ", ".join([*varying, "Origin"]))]


def wsgi_floor(app: Any, origins: Sequence[str]) -> Callable[..., Any]:
    actual: dict[Any, Fields] = {origin: _actual(origin) for origin in origins}
    preflights: dict[Any, Fields] = {origin: _preflight(origin) for origin in origins}
    others = [_VARY]

    def floor(environ: dict[str, Any], start_response: Any) -> Any:
        origin = environ.get("HTTP_ORIGIN")
        if (
            environ["REQUEST_METHOD"] == "OPTIONS"
            and origin is not None
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        ):
            fields = preflights.get(origin)
            if fields is None:
                start_response("403 Forbidden", [_PREFLIGHT_VARY])
            else:
                start_response("204 No Content", [*fields])
            return ()
        fields = actual.get(origin, others)

        def start(status: str, headers: Fields, exc_info: Any = None) -> Any:
            for name, _ in headers:
                if name.lower() in _OURS:
                    headers = _merge_fields(headers, fields)
                    break
            else:
                headers = headers + fields
            return start_response(status, headers, exc_info)

        return app(environ, start)

    return floor


def asgi_floor(app: Any, origins: Sequence[str]) -> Callable[..., Any]:
    actual: dict[Any, Fields] = {
        origin.encode(): _encode_fields(_actual(origin)) for origin in origins
    }
    preflights: dict[Any, Fields] = {
        origin.encode(): _encode_fields(_preflight(origin)) for origin in origins
    }
    others = _encode_fields([_VARY])
    ours = frozenset(name.encode() for name in _OURS)
    refused = _encode_fields([_PREFLIGHT_VARY])

    async def floor(scope: dict[str, Any], receive: Any, send: Any) -> None:
        origin = preflight = None
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value
            elif name == b"access-control-request-method":
                preflight = value
        if scope["method"] == "OPTIONS" and origin is not None and preflight is not None:
            fields = preflights.get(origin)
            status = 403 if fields is None else 204
            start = {"type": "http.response.start", "status": status, "headers": fields or refused}
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        fields = actual.get(origin, others)

        def send_on(message: dict[str, Any]) -> Any:
            if message["type"] == "http.response.start":
                given = message["headers"]
                for name, _ in given:
                    if name in ours:
                        given = _merge_fields(given, fields)
                        break
                else:
                    given = given + fields
                message = {**message, "headers": given}
            return send(message)

        await app(scope, receive, send_on)

    return floor


def django_floor(origins: Sequence[str]) -> Callable[[Any], Callable[[Any], Any]]:
    """Build a middleware on the public header API, without Django's internals."""
    from django.http import HttpResponse

    actual = {origin: _actual(origin) for origin in origins}
    preflights = {origin: _preflight(origin) for origin in origins}
    others = [_VARY]

    def middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def floor(request: Any) -> Any:
            meta = request.META
            origin = meta.get("HTTP_ORIGIN")
            if (
                request.method == "OPTIONS"
                and origin is not None
                and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in meta
            ):
                fields = preflights.get(origin)
                response = HttpResponse(status=403 if fields is None else 204)
                for name, value in fields or [_PREFLIGHT_VARY]:
                    response.headers[name] = value
                return response
            response = get_response(request)
            for name, value in actual.get(origin, others):
                response.headers[name] = value
            return response

        return floor

    return middleware


def _encode_fields(fields: Fields) -> Fields:
    return [(name.lower().encode(), value.encode()) for name, value in fields]
