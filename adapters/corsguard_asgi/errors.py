"""The 500 that Starlette makes outside all of its user middleware.

Only `app.add_middleware(CORSMiddleware, ...)` needs this. `CORSMiddleware(app)` and
`corsguard_starlette.CORSGuard` are around the layer that answers an unhandled exception.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from corsguard import Decision
from corsguard.engine.decision import DECISION
from corsguard.policy.predicates import is_async
from corsguard_asgi.fields import Message, put_on

if TYPE_CHECKING:
    from corsguard.guard.runtime import GuardRuntime

__all__ = ["let_carry"]

# What Starlette's `ServerErrorMiddleware` makes its answer with: the debug page, a line of text,
# or the application's own handler of `Exception` or 500.
_MAKERS = ("debug_response", "error_response", "handler")

_Response = Callable[[Any, Any, Any], Awaitable[None]]


def let_carry(
    framework: object, adapter: GuardRuntime, decision: Decision, error: Exception
) -> None:
    """Let the answer that the framework is about to make to error carry the headers.

    Its error layer was entered before us, with a `send` that is out of reach; and were error
    answered here, it would run the handler once more. What it makes its answer with is looked up
    only now, so that is what is changed, once, and from the first request on.
    """
    vars(error)[DECISION] = decision
    layer: Any = getattr(framework, "middleware_stack", None)
    while layer is not None:
        if hasattr(layer, "error_response") and "error_response" not in vars(layer):
            for name in _MAKERS:
                if maker := getattr(layer, name, None):
                    setattr(layer, name, _carrying(maker, adapter))
        layer = getattr(layer, "app", None)


def _carrying(maker: Callable[[Any, Exception], Any], adapter: GuardRuntime) -> Callable[..., Any]:
    """Wrap a maker of error responses, so that they carry the headers of the decision."""

    def carrying(response: _Response, request: Any, error: Exception) -> _Response:
        # A middleware in between may have copied the scope, or raised an error of its own.
        decision = request.scope.get(DECISION) or vars(error).get(DECISION)
        if decision is None or not decision.headers:
            return response

        async def respond(scope: Any, receive: Any, send: Callable[[Message], Any]) -> None:
            async def send_on(message: Message) -> None:
                start = message["type"] == "http.response.start"
                fields = decision.headers
                await send(put_on(adapter, fields, message, scope) if start else message)

            await response(scope, receive, send_on)

        return respond

    async def make_async(request: Any, error: Exception) -> _Response:
        return carrying(await maker(request, error), request, error)

    def make(request: Any, error: Exception) -> _Response:
        return carrying(maker(request, error), request, error)

    return make_async if is_async(maker) else make
