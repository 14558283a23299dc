"""The interface of an application, WSGI or ASGI, detected from its parameters."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from inspect import Parameter, Signature, iscoroutinefunction, signature
from typing import Any, Literal, get_args

__all__ = ["Interface", "as_asgi3", "detect_interface"]

Interface = Literal["asgi", "wsgi"]

_BY_POSITION = {Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD}
_WSGI_ARGUMENTS = 2  # PEP 3333: environ, start_response
_ASGI_ARGUMENTS = 3  # the ASGI specification: scope, receive, send
_HINT = 'write interface="asgi" or interface="wsgi"'


def detect_interface(app: Any, interface: Interface | None = None) -> Interface:
    """Return interface, or where that is None the one that the parameters of app match.

    Raises ValueError for an unknown interface, and TypeError where app is not callable, or its
    parameters match neither.
    """
    if interface is not None and interface not in get_args(Interface):
        raise ValueError(f"interface={interface!r} is not one of {', '.join(get_args(Interface))}")
    if not callable(app):
        raise TypeError(f"{app!r} is neither a WSGI nor an ASGI application: it can't be called")
    if interface is not None:
        return interface
    found = _read_signature(app)
    if found is None:
        raise TypeError(f"the parameters of {app!r} are not known: {_HINT}")
    detected = _match_parameters(app, found)
    if detected is None:
        raise TypeError(
            f"{app!r} takes {found}, which is neither (environ, start_response) of WSGI nor "
            f"(scope, receive, send) of ASGI: {_HINT}; or call it first, if it "
            "is a factory"
        )
    return detected


def as_asgi3(app: Any) -> Callable[..., Any]:
    """Return app with the calling convention of ASGI 3, wrapped where it has that of ASGI 2."""
    found = _read_signature(app)
    if found is None or not _is_double_callable(found):
        asgi3: Callable[..., Any] = app
        return asgi3

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await app(scope)(receive, send)

    return call


def _match_parameters(app: Any, found: Signature) -> Interface | None:
    takes_two, takes_three = _can_take(found, _WSGI_ARGUMENTS), _can_take(found, _ASGI_ARGUMENTS)
    if takes_two and takes_three and not isinstance(app, type):
        # Such as (*args): only a coroutine function is known to be awaited.
        is_async = iscoroutinefunction(app) or iscoroutinefunction(_find_call(app))
        return "asgi" if is_async else "wsgi"
    if _is_double_callable(found):
        return "asgi"
    # A class is an application if its instances are responses: WSGI iterates over them (PEP 3333),
    # ASGI awaits them.
    if takes_two and (not isinstance(app, type) or hasattr(app, "__iter__")):
        return "wsgi"
    if takes_three and (not isinstance(app, type) or hasattr(app, "__await__")):
        return "asgi"
    return None


def _find_call(app: Any) -> Any:
    """Return the function that a call of app runs, or app where that is a function.

    It is not always a method of the class: an instance may have a slot that is called `__call__`.
    """
    return getattr(app, "__call__", app)  # noqa: B004


def _read_signature(app: Any) -> Signature | None:
    """Return the signature of app, or None where Python can't read it.

    A partial function has the remaining parameters, and a class those of `__init__`.
    """
    for function in (app, _find_call(app)):
        # TypeError and ValueError are documented. An attribute of app may raise anything else.
        with suppress(Exception):
            return signature(function)
    return None


def _can_take(found: Signature, number: int) -> bool:
    """Return True if a call with this number of positional arguments is possible."""
    try:
        found.bind(*range(number))
    except TypeError:
        return False
    return True


def _list_required(found: Signature) -> list[Parameter]:
    """Return the positional parameters without a default."""
    return [
        each
        for each in found.parameters.values()
        if each.kind in _BY_POSITION and each.default is Parameter.empty
    ]


def _is_double_callable(found: Signature) -> bool:
    """Return True if the parameters are those of ASGI 2: the scope alone."""
    names = [each.name for each in _list_required(found)]
    return names == ["scope"] and not _can_take(found, _ASGI_ARGUMENTS)
