"""The registry of objects that `@cors_policy` and `@cors_exempt` have decorated.

A decorator stores a policy on an object. It applies only if an adapter finds that object behind a
URL. Where another decorator hides it, look-up finds nothing and an exempt view would be served
with the policy of its path. So every decorated object is registered, and those that no URL reaches
are reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple
from weakref import ref

from corsguard.errors import Problem
from corsguard.guard.callable_contents import find_innermost, iter_wrapped

__all__ = [
    "build_unreachable_problem",
    "find_hidden",
    "find_unreachable",
    "find_unreached",
    "has_exempt",
    "is_registered",
    "mark_reached",
    "register",
]

_SUGGESTION = (
    "put the decorator above all others, on the view that the URL leads to (for a class that is "
    "not found, on its methods), or use functools.wraps in the decorator between"
)


class _Entry(NamedTuple):
    """A decorated object.

    Several applications, or several URLconfs, may share a process. So `is_reached` stays True once
    one of them leads to the object.
    """

    ref: ref[Any]
    is_exempt: bool
    is_reached: bool = False


_registry: dict[int, _Entry] = {}
"""id of a decorated object -> its entry, which is removed when the object dies."""


def register(decorated: object, *, exempt: bool) -> None:
    """Add a decorated object to the registry, without keeping it alive."""
    key = id(decorated)

    def forget(_: object) -> None:
        _registry.pop(key, None)

    with suppress(TypeError):  # the object supports no weak references
        _registry[key] = _Entry(ref(decorated, forget), exempt)


def is_registered(layer: object) -> bool:
    """Return True if an object was decorated itself, and has not just a copied attribute."""
    entry = _registry.get(id(layer))
    return entry is not None and entry.ref() is layer


def mark_reached(reached: Iterable[object]) -> None:
    """Record that a URL leads to these objects."""
    for each in reached:
        if is_registered(each):
            _registry[id(each)] = _registry[id(each)]._replace(is_reached=True)


def find_unreached(reached: Iterable[object], *, exempt: bool = False) -> list[object]:
    """Return the decorated objects that no URL leads to; with `exempt`, the exempt ones of them.

    `reached` are all objects whose policies the adapter finds.
    """
    found = {id(each) for each in reached}
    return [
        each
        for each, entry in _list_living()
        if id(each) not in found and not entry.is_reached and (entry.is_exempt or not exempt)
        if not _is_decorated_per_request(each, found)
    ]


def find_unreachable(
    reached: Iterable[object], modules: Collection[str], *, exempt: bool = False
) -> list[Problem]:
    """Return a `view-policy-unreachable` for each decorated object that is not reached.

    `modules` are the names of the modules that define the application's views. Objects that other
    modules decorate belong to another application. See `find_unreached` for the rest.
    """
    unreached = find_unreached(reached, exempt=exempt)
    return [build_unreachable_problem(each) for each in unreached if _get_module(each) in modules]


def has_exempt() -> bool:
    """Return True if any object that `@cors_exempt` has decorated is alive."""
    return any(entry.is_exempt for _, entry in _list_living())


def find_hidden(views: Iterable[object], reached: Iterable[object]) -> list[Problem]:
    """Return a problem for each exempt object that a view wraps, but that look-up does not find.

    This is always an error: requests that the view should serve without CORS get the policy of the
    path. Objects that a view only refers to, such as the application, are not searched.
    """
    living = _list_living()
    exempt = {id(each) for each, entry in living if entry.is_exempt and not entry.is_reached}
    if exempt:
        exempt -= {id(each) for each in reached}
    inside = {id(each): each for view in views for each in iter_wrapped(view)} if exempt else {}
    return [build_unreachable_problem(inside[each]) for each in inside if each in exempt]


def _list_living() -> list[tuple[object, _Entry]]:
    living = [(entry.ref(), entry) for entry in list(_registry.values())]
    return [(each, entry) for each, entry in living if each is not None]


def _is_decorated_per_request(decorated: object, found: Collection[int]) -> bool:
    """Return True for a method that a view's class decorates anew at each request."""
    method = decorated.func if isinstance(decorated, partial) else None
    return id(type(getattr(method, "__self__", None))) in found


def build_unreachable_problem(decorated: object) -> Problem:
    """Return the `view-policy-unreachable` of a decorated object."""
    inner: Any = find_innermost(decorated)
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    message = f"{name} ({_locate(inner)}) has a per-view policy, but no URL leads to it"
    return Problem("view-policy-unreachable", f'view "{name}"', None, message, _SUGGESTION)


def _get_module(decorated: object) -> str:
    """Return the module in which an object, or the function of a partial object, is defined."""
    return str(getattr(find_innermost(decorated), "__module__", ""))


def _locate(inner: Any) -> str:
    """Return the file and line of a function, class or object, `app/views.py:12`, or its module."""
    from inspect import getsourcefile, getsourcelines

    is_code = isinstance(inner, type) or hasattr(inner, "__code__") or hasattr(inner, "__func__")
    code = inner if is_code else type(inner)
    try:
        file, line = getsourcefile(code) or "", getsourcelines(code)[1]
    except (OSError, TypeError):  # no source, as in an interactive session
        file, line = "", 0
    # Python 3.13 has the source of `python -c`, whose file is `<string>`.
    return f"module {_get_module(inner)}" if file.startswith("<") or not file else f"{file}:{line}"
