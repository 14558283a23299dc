"""The objects that `@cors_policy` and `@cors_exempt` have decorated, and those that no URL reaches.

A decorator marks an object. The mark counts only if an adapter finds that object again behind a
URL. Where another decorator hides it, nothing would be found, and nothing reported: an exempt view
would then be served with the policy of its path. So every decorated object is remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import partial, partialmethod
from itertools import chain
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple
from weakref import ref

from corsguard.errors import Problem

__all__ = [
    "build_unreachable_problem",
    "find_hidden",
    "find_unreachable",
    "find_unreached",
    "has_exempt",
    "is_remembered",
    "iter_callables",
    "mark_reached",
    "module_of",
    "remember",
]

_CONTAINERS = (dict, frozenset, list, set, tuple)
_FUNCTIONS = (FunctionType, MethodType, partial)
_LARGEST = 100
"""A container of more is data, not what a view calls."""
_MOST_WRAPPERS = 100
_WHERE = (
    "put the decorator above all others, on what the URL leads to (of a class that is not found, "
    "on its methods), or use functools.wraps in the decorator between"
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
    key = id(decorated)

    def forget(_: object) -> None:
        _remembered.pop(key, None)

    with suppress(TypeError):  # of what takes no weak reference
        _remembered[key] = _Decorated(ref(decorated, forget), exempt)


def is_remembered(layer: object) -> bool:
    """Return True if an object was decorated itself, and has no mere copy of another's mark."""
    known = _remembered.get(id(layer))
    return known is not None and known.ref() is layer


def mark_reached(reached: Iterable[object]) -> None:
    """Remember that a URL leads to these objects."""
    for each in reached:
        if is_remembered(each):
            _remembered[id(each)] = _remembered[id(each)]._replace(reached=True)


def find_unreached(reached: Iterable[object], *, exempt: bool = False) -> list[object]:
    """Return the decorated objects that no URL leads to; with `exempt`, the exempt ones of them.

    `reached` are all objects whose policies the adapter finds.
    """
    found = {id(each) for each in reached}
    return [
        each
        for each, known in _living()
        if id(each) not in found and not known.reached and (known.exempt or not exempt)
        if not _is_of_request(each, found)
    ]


def find_unreachable(
    reached: Iterable[object], modules: Collection[str], *, exempt: bool = False
) -> list[Problem]:
    """Return a `view-policy-unreachable` for each decorated object that is not reached.

    `modules` are the names of the modules that define the application's views: what other modules
    decorate is another application's. See `unreached`.
    """
    lost = find_unreached(reached, exempt=exempt)
    return [build_unreachable_problem(each) for each in lost if _module(each) in modules]


def has_exempt() -> bool:
    """Return True if anything that `@cors_exempt` has decorated is alive."""
    return any(known.exempt for _, known in _living())


def find_hidden(views: Iterable[object], reached: Iterable[object]) -> list[Problem]:
    """Return a problem for each exempt object that a view wraps, but that look-up does not find.

    It is sure to be one: a wrapper that holds the exempt view stands in a URL, and requests that
    the view should answer without CORS get the policy of the path. What a view merely knows, such
    as the application and all that this holds, is not looked into.
    """
    exempt = {id(each) for each, known in _living() if known.exempt and not known.reached}
    if exempt:
        exempt -= {id(each) for each in reached}
    inside = {id(each): each for view in views for each in _wrapped_by(view)} if exempt else {}
    return [build_unreachable_problem(inside[each]) for each in inside if each in exempt]


def _living() -> list[tuple[object, _Decorated]]:
    alive = [(known.ref(), known) for known in list(_remembered.values())]
    return [(each, known) for each, known in alive if each is not None]


def _is_of_request(decorated: object, found: Collection[int]) -> bool:
    """Return True for a method that a view's class decorates anew at each request."""
    method = decorated.func if isinstance(decorated, partial) else None
    return id(type(getattr(method, "__self__", None))) in found


def _wrapped_by(view: object) -> Iterator[object]:
    """Yield a view and what it wraps, from wrapper to wrapper.

    Of an object, the functions that are its attributes; where it is the view itself, or its method
    is, those in containers too.
    """
    waiting = [view]
    if type(view) is MethodType:
        waiting.append(view.__self__)
    first = tuple(map(id, waiting))
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_WRAPPERS:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting.extend(_inside(each))
        held = _attributes(each) if callable(each) else ()
        waiting.extend(value for value in held if issubclass(type(value), _FUNCTIONS))
        if id(each) in first:
            waiting.extend(inner for value in held for inner in (value, *_inside(value)))


def iter_callables(holder: object) -> Iterator[object]:
    """Yield what a function, object or container may call, as far as it holds that itself."""
    for held in chain(_inside(holder), _attributes(holder)):
        # By its type: a proxy would say what it stands for, and may need a request for that.
        if callable(held) or issubclass(type(held), (*_CONTAINERS, partialmethod)):
            yield held


def _inside(holder: Any) -> Iterable[object]:
    """Return what a function or a partial holds, and what is in a small container."""
    kind = type(holder)
    if issubclass(kind, FunctionType):
        return _of_function(holder)
    if issubclass(kind, (partial, partialmethod)):
        wrapped = vars(holder).get("__wrapped__")
        return (holder.func, *holder.args, *holder.keywords.values(), wrapped)
    if issubclass(kind, MethodType):
        return (holder.__func__, holder.__self__)
    if issubclass(kind, (classmethod, staticmethod)):
        return (holder.__func__,)
    if issubclass(kind, _CONTAINERS) and len(holder) <= _LARGEST:
        return tuple(holder.values() if issubclass(kind, dict) else holder)
    return ()


def _of_function(function: FunctionType) -> Iterator[object]:
    """Yield the contents of a function's closure, its defaults, and what it says it wraps."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # nothing has been assigned to it yet
            yield cell.cell_contents
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield vars(function).get("__wrapped__")


def _attributes(holder: object) -> Iterable[object]:
    """Return the values of an object's own attributes; of a class or a module, none."""
    kind = type(holder)
    if issubclass(kind, (type, ModuleType, FunctionType)):
        return ()
    names = {name for each in kind.__mro__ for name in _slots(each)}
    slots = (_get(holder, name) for name in names)
    return (*(_get(holder, "__dict__") or {}).values(), *slots)


def _get(holder: object, name: str) -> Any:
    try:
        return object.__getattribute__(holder, name)
    except AttributeError:  # of a slot that is empty, or of what has no such attribute
        return None


def _slots(owner: type) -> Iterable[str]:
    slots: str | Iterable[str] = vars(owner).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def build_unreachable_problem(decorated: object) -> Problem:
    """Return the `view-policy-unreachable` of a decorated object."""
    inner: Any = _innermost(decorated)
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    message = f"{name} ({_place(inner)}) has a policy of its own, and no URL leads to it"
    return Problem("view-policy-unreachable", f'view "{name}"', None, message, _WHERE)


def _innermost(decorated: Any) -> Any:
    """Return the function, class or object that is inside all wrappers and partial objects."""
    for _ in range(_MOST_WRAPPERS):
        decorated = decorated.func if isinstance(decorated, partial) else decorated
        decorated = getattr(decorated, "__wrapped__", decorated)
    return decorated


def module_of(value: Any) -> str:
    """Return the module of a module, class or function; of anything else, that of its class.

    By its type alone: a proxy that is asked for an attribute may need a request or a database.
    """
    kind = type(value)
    if issubclass(kind, ModuleType):
        return str(value.__name__)
    return str((value if issubclass(kind, (type, FunctionType)) else kind).__module__)


def _module(decorated: object) -> str:
    """Return the module that an object was written in: of a partial object, its function's."""
    inner = _innermost(decorated)
    return str(getattr(inner, "__module__", ""))


def _place(inner: Any) -> str:
    """Return the file and line of a function, class or object, `app/views.py:12`."""
    from inspect import getsourcefile, getsourcelines

    is_code = isinstance(inner, type) or hasattr(inner, "__code__") or hasattr(inner, "__func__")
    code = inner if is_code else type(inner)  # of an object, its class
    try:
        file, line = getsourcefile(code) or "", getsourcelines(code)[1]
    except (OSError, TypeError):  # no source, as in an interactive session
        file, line = "", 0
    # Python 3.13 knows the source of `python -c`, whose file is `<string>`.
    return f"module {_module(inner)}" if file.startswith("<") or not file else f"{file}:{line}"
