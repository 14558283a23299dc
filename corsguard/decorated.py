"""The objects that `@cors_policy` and `@cors_exempt` have decorated, and those that no URL reaches.

A decorator marks an object. The mark counts only if an adapter finds that object again behind a
URL. Where another decorator hides it, nothing would be found, and nothing reported: an exempt view
would then be served with the policy of its path. So every decorated object is remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple
from weakref import ref

from corsguard.problem import Problem

__all__ = ["hidden_in", "mark_reached", "remember", "unreachable"]

_DEEPEST = 8
_WHERE = (
    "put the decorator above all others, on what the URL leads to, or use functools.wraps in the "
    "decorator between"
)


class _Decorated(NamedTuple):
    """A decorated object, as long as it lives, whether it is exempt, and whether a URL led to it.

    Several applications, or several tables of URLs, may share a process: what one of them leads to
    is not lost because another does not.
    """

    ref: ref[Any]
    exempt: bool
    reached: bool = False


_remembered: dict[int, _Decorated] = {}
"""id of a decorated object -> what is known of it; an object that dies is removed."""


def remember(decorated: object, *, exempt: bool) -> None:
    """Remember an object that was decorated, without keeping it alive."""
    if _is_passing(decorated):
        return
    key = id(decorated)

    def forget(_: object) -> None:
        _remembered.pop(key, None)

    try:
        _remembered[key] = _Decorated(ref(decorated, forget), exempt)
    except TypeError:  # no weak reference to it: an include() of Django, which holds its place
        return


def mark_reached(reached: Iterable[object]) -> None:
    """Remember that a URL leads to these objects."""
    for each in reached:
        known = _remembered.get(id(each))
        if known is not None and known.ref() is each:
            _remembered[id(each)] = known._replace(reached=True)


def unreachable(
    reached: Iterable[object], modules: Collection[str], *, exempt: bool = False
) -> list[Problem]:
    """Return a `view-policy-unreachable` for each decorated object that is not reached.

    `reached` are all objects whose policies the adapter finds. `modules` are the names of the
    modules that define the application's views: what other modules decorate is another
    application's. With `exempt`, only what `@cors_exempt` has decorated is looked at.
    """
    lost = {
        id(each): each
        for each, known in _living()
        if not known.reached and _module(each) in modules and (known.exempt or not exempt)
    }
    if lost:
        for each in reached:
            lost.pop(id(each), None)
    return [_problem(each) for each in lost.values()]


def hidden_in(views: Iterable[object], reached: Iterable[object]) -> list[Problem]:
    """Return a problem for each exempt object that is called by a view, but not found by look-up.

    It is sure to be one: a wrapper that holds the exempt view in its closure or attributes stands
    in a URL, and requests that the view should answer without CORS get the policy of the path.
    """
    exempt = {id(each) for each, known in _living() if known.exempt}
    exempt -= {id(each) for each in reached if exempt}
    if not exempt:
        return []
    inside = {id(each): each for view in views for each in _contents(view)}
    return [_problem(inside[each]) for each in inside if each in exempt]


def _living() -> list[tuple[object, _Decorated]]:
    """Return what is remembered and still alive."""
    living = [(known.ref(), known) for known in list(_remembered.values())]
    return [(each, known) for each, known in living if each is not None]


def _is_passing(decorated: object) -> bool:
    """Return True for a bound method in a partial, which Django's method_decorator makes anew for
    each request: the method itself is what a URL leads to."""
    return (
        isinstance(decorated, partial)
        and hasattr(decorated.func, "__self__")
        and hasattr(decorated, "__wrapped__")
    )


def _contents(view: object) -> Iterator[object]:
    """Yield what a view holds: the contents of closures, attributes, arguments of a partial."""
    seen: set[int] = set()
    waiting = [(view, 0)]
    while waiting:
        each, depth = waiting.pop()
        if id(each) in seen or depth > _DEEPEST:
            continue
        seen.add(id(each))
        yield each
        waiting.extend((inner, depth + 1) for inner in _held_by(each))


def _held_by(holder: object) -> Iterator[object]:
    if isinstance(holder, partial):
        yield from (holder.func, *holder.args, *holder.keywords.values())
    yield from (getattr(holder, name, None) for name in ("__wrapped__", "__func__", "__self__"))
    for cell in getattr(holder, "__closure__", None) or ():
        try:
            content = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
        if callable(content):
            yield content
    if not isinstance(holder, type):
        yield from (
            (each for each in vars(holder).values() if callable(each))
            if hasattr(holder, "__dict__")
            else ()
        )


def _problem(decorated: object) -> Problem:
    inner = _innermost(decorated)
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    message = f"{name} ({_place(inner)}) has a policy of its own, and no URL leads to it"
    return Problem("view-policy-unreachable", f'view "{name}"', None, message, _WHERE)


def _innermost(decorated: object) -> object:
    """Return what a decorated object is made of: that is what the project has written."""
    while isinstance(decorated, partial):
        decorated = decorated.func
    return decorated


def _module(decorated: object) -> str:
    return str(getattr(_innermost(decorated), "__module__", ""))


def _place(inner: object) -> str:
    """Return the file and line of an object, `app/views.py:12`."""
    from inspect import getsourcefile, getsourcelines, unwrap

    code: Any = unwrap(inner) if callable(inner) else type(inner)
    if not hasattr(code, "__code__") and not isinstance(code, type):
        code = getattr(code, "__func__", type(code))
    try:
        return f"{getsourcefile(code)}:{getsourcelines(code)[1]}"
    except (OSError, TypeError):  # no source, as in an interactive session
        return f"module {_module(inner)}"
