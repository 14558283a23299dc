"""Which interface an application has, WSGI or ASGI, going by how it is called."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, iscoroutinefunction, signature
from typing import Any, Literal, get_args

__all__ = ["Interface", "asgi_app", "interface_of"]

Interface = Literal["asgi", "wsgi"]

_BY_POSITION = {Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD}
_WSGI_ARGUMENTS = 2  # PEP 3333: environ, start_response
_ASGI_ARGUMENTS = 3  # the ASGI specification: scope, receive, send
_HINT = 'write interface="asgi" or interface="wsgi"'


def interface_of(app: Any, given: Interface | None = None) -> Interface:
    """Return the interface of app: the given one, or the one that its parameters tell.

    Raises TypeError for what can't be called, and where the parameters don't tell.
    """
    if given is not None and given not in get_args(Interface):
        raise ValueError(f"interface={given!r} is not one of {', '.join(get_args(Interface))}")
    if not callable(app):
        raise TypeError(f"{app!r} is neither a WSGI nor an ASGI application: it can't be called")
    if given is not None:
        return given
    found = _signature(app)
    if found is None:
        raise TypeError(f"{app!r} does not tell which arguments it takes: {_HINT}")
    interface = _by_parameters(app, found)
    if interface is None:
        raise TypeError(
            f"{app!r} takes {found}, which is neither (environ, start_response) of WSGI nor "
            f"(scope, receive, send) of ASGI: {_HINT}; or call it first, where it returns the "
            "application"
        )
    return interface


def asgi_app(app: Any) -> Callable[..., Any]:
    """Return app as ASGI 3 calls it, also where it is one of ASGI 2, which is called twice."""
    found = _signature(app)
    if found is None or not _is_double_callable(found):
        return app  # type: ignore[no-any-return]

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await app(scope)(receive, send)

    return call


def _by_parameters(app: Any, found: Signature) -> Interface | None:
    takes_two, takes_three = _takes(found, _WSGI_ARGUMENTS), _takes(found, _ASGI_ARGUMENTS)
    if takes_two and takes_three and not isinstance(app, type):
        # Such as (*args): nothing else tells that it is awaited.
        is_async = iscoroutinefunction(app) or iscoroutinefunction(_called(app))
        return "asgi" if is_async else "wsgi"
    if _is_double_callable(found):
        return "asgi"
    # A class is an application if what it makes is a response: PEP 3333 iterates over that, and
    # ASGI awaits it.
    if takes_two and (not isinstance(app, type) or hasattr(app, "__iter__")):
        return "wsgi"
    if takes_three and (not isinstance(app, type) or hasattr(app, "__await__")):
        return "asgi"
    return None


def _called(app: Any) -> Any:
    """Return what a call of app runs, where app is no function.

    It need not be a method of its class: an instance may have a slot that is called `__call__`.
    """
    return getattr(app, "__call__", app)  # noqa: B004


def _signature(app: Any) -> Signature | None:
    """Return the parameters of app, None where they can't be known.

    Of a partial function they are those that are left, of a class those of `__init__`.
    """
    for called in (app, _called(app)):
        try:
            return signature(called)
        except (TypeError, ValueError):
            continue
    return None


def _takes(found: Signature, number: int) -> bool:
    """Return True if a call with so many arguments by position, and no other, is possible."""
    try:
        found.bind(*range(number))
    except TypeError:
        return False
    return True


def _required(found: Signature) -> list[Parameter]:
    """Return the parameters that take an argument by position and have no default."""
    return [
        each
        for each in found.parameters.values()
        if each.kind in _BY_POSITION and each.default is Parameter.empty
    ]


def _is_double_callable(found: Signature) -> bool:
    """Return True if the parameters are those of ASGI 2: the scope alone."""
    names = [each.name for each in _required(found)]
    return names == ["scope"] and not _takes(found, _ASGI_ARGUMENTS)
