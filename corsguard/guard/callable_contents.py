"""The functions and objects inside a function, a partial, an object or a small container.

Adapters follow them to find a decorated view behind a wrapper that hides it. All look-ups go by
type and through object.__getattribute__: a lazy proxy that is asked for an attribute may need a
request or a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial, partialmethod
from itertools import chain
from types import FunctionType, MethodType, ModuleType
from typing import Any

__all__ = ["find_innermost", "find_path", "get_module_name", "iter_callables", "iter_wrapped"]

_CONTAINERS = (dict, frozenset, list, set, tuple)
_FUNCTIONS = (FunctionType, MethodType, partial)
_LARGEST = 100
"""Items of a container; a larger one is data, not functions that a view calls."""
_MOST_WRAPPERS = 100
_LONGEST_PATH = 12
_MOST_OBJECTS = 10_000
"""Objects that the search for a path visits; an application may reach most of the process."""


def iter_wrapped(view: object) -> Iterator[object]:
    """Yield a view and the objects that it wraps, from wrapper to wrapper.

    The contents of an object are the functions among its attributes. Where the object is the view
    itself, or the view is its method, containers among its attributes are searched too.
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
        waiting.extend(_iter_contents(each))
        values = _list_attributes(each) if callable(each) else ()
        waiting.extend(value for value in values if issubclass(type(value), _FUNCTIONS))
        if id(each) in first:
            waiting.extend(inner for value in values for inner in (value, *_iter_contents(value)))


def iter_callables(owner: object) -> Iterator[object]:
    """Yield the callables and containers that a function, object or container holds directly."""
    for value in chain(_iter_contents(owner), _list_attributes(owner)):
        if callable(value) or issubclass(type(value), (*_CONTAINERS, partialmethod)):
            yield value


def find_path(
    outermost: object, is_end: Callable[[Any], bool], is_closed: Callable[[Any], bool] | None = None
) -> tuple[object, ...]:
    """Return the callables from the outermost one to the nearest for which `is_end` is True.

    Each may call the next: it holds it, or names the global variable that it is. Both ends are
    included; the path is empty where there is none. It does not lead through an object for which
    `is_closed` is True.
    """
    paths: list[tuple[object, ...]] = [(outermost,)]
    seen = {id(outermost)}
    for path in paths:
        last = path[-1]
        if is_end(last):
            return tuple(filter(callable, path))
        if len(path) == _LONGEST_PATH or (is_closed is not None and is_closed(last)):
            continue
        for inner in _iter_called(last):
            if id(inner) not in seen and len(seen) < _MOST_OBJECTS:
                seen.add(id(inner))
                paths.append((*path, inner))
    return ()


def find_innermost(value: Any) -> Any:
    """Return the function, class or object inside all wrappers and partial objects."""
    for _ in range(_MOST_WRAPPERS):
        value = value.func if isinstance(value, partial) else value
        value = getattr(value, "__wrapped__", value)
    return value


def get_module_name(value: Any) -> str:
    """Return the module of a module, class or function; of anything else, that of its class."""
    kind = type(value)
    if issubclass(kind, ModuleType):
        return str(value.__name__)
    return str((value if issubclass(kind, (type, FunctionType)) else kind).__module__)


def _iter_called(wrapper: object) -> Iterator[object]:
    """Yield what a wrapper may call: what it holds, and the global variables that it names."""
    yield from iter_callables(wrapper)
    if isinstance(wrapper, FunctionType):
        named = (wrapper.__globals__.get(name) for name in wrapper.__code__.co_names)
        yield from filter(callable, named)


def _iter_contents(value: Any) -> Iterable[object]:
    """Return the contents of a function, a partial, a method or a small container."""
    kind = type(value)
    if issubclass(kind, FunctionType):
        return _iter_function(value)
    if issubclass(kind, (partial, partialmethod)):
        wrapped = vars(value).get("__wrapped__")
        return (value.func, *value.args, *value.keywords.values(), wrapped)
    if issubclass(kind, MethodType):
        return (value.__func__, value.__self__)
    if issubclass(kind, (classmethod, staticmethod)):
        return (value.__func__,)
    if issubclass(kind, _CONTAINERS) and len(value) <= _LARGEST:
        return tuple(value.values() if issubclass(kind, dict) else value)
    return ()


def _iter_function(function: FunctionType) -> Iterator[object]:
    """Yield the contents of a function's closure, its defaults, and its `__wrapped__`."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # nothing has been assigned to it yet
            yield cell.cell_contents
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield vars(function).get("__wrapped__")


def _list_attributes(owner: object) -> Iterable[object]:
    """Return the values of an object's own attributes; of a class or a module, none."""
    kind = type(owner)
    if issubclass(kind, (type, ModuleType, FunctionType)):
        return ()
    names = {name for each in kind.__mro__ for name in _list_slots(each)}
    slots = (_get_attribute(owner, name) for name in names)
    return (*(_get_attribute(owner, "__dict__") or {}).values(), *slots)


def _get_attribute(owner: object, name: str) -> Any:
    try:
        return object.__getattribute__(owner, name)
    except AttributeError:  # an empty slot, or no such attribute
        return None


def _list_slots(owner: type) -> Iterable[str]:
    slots: str | Iterable[str] = vars(owner).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots
