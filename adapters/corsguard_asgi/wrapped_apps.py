"""The applications that a layer may pass a request on to, found without calling any of them.

A layer may be a function around the next one, or keep it in an attribute of any name. Attributes
are read from where Python stores them: a proxy or a property is never evaluated.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dis import get_instructions
from functools import lru_cache, partial
from itertools import chain
from types import (
    CellType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

__all__ = ["find_wrapped"]

_MOST_OBJECTS = 1000  # a layer may reach a large part of the process

_COLLECTIONS = frozenset({dict, list, tuple, set, frozenset})


def find_wrapped(
    layer: object, is_end: Callable[[object], bool], *, in_collections: bool = False
) -> list[object]:
    """Return the objects behind a layer for which `is_end` is True, the nearest first.

    The search stops at such an object, and after `_MOST_OBJECTS` objects. It enters dicts, lists,
    tuples and sets only with `in_collections`: a layer may call one or another of what is in them,
    and change the request for each.
    """
    seen = {id(layer): layer}  # id -> object, which keeps each alive: no other gets its id
    waiting = deque([layer])
    ends: list[object] = []
    while waiting:
        each = waiting.popleft()
        if is_end(each):
            ends.append(each)
            continue
        is_searched = in_collections and type(each) in _COLLECTIONS
        for held in _list_items(each) if is_searched else _iter_held(each):
            if id(held) not in seen and len(seen) < _MOST_OBJECTS:
                seen[id(held)] = held
                waiting.append(held)
    return ends


def _list_items(collection: Any) -> list[object]:
    return list(collection.values() if type(collection) is dict else collection)


def _iter_held(each: Any) -> Iterator[object]:
    """Return the objects that a callable may call; none for a class or what can't be called."""
    kind = type(each)
    if kind is FunctionType:
        return _iter_function(each)
    if kind is MethodType:
        return chain(_iter_self(each.__self__), (each.__func__,))
    if kind is staticmethod or kind is classmethod:
        return iter((each.__func__,))
    if issubclass(kind, partial):
        return chain((each.func,), each.args, each.keywords.values())
    return _iter_object(each) if callable(each) else iter(())


def _iter_function(function: FunctionType) -> Iterator[object]:
    yield from vars(function).values()  # __wrapped__, for one
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        yield from _iter_self(_get_content(cell))
    if not _is_stdlib(function.__globals__.get("__name__")):
        yield from _iter_globals(function.__code__, function.__globals__)


def _iter_self(each: object) -> Iterator[object]:
    """Return a callable itself, or what an object that can't be called refers to.

    The object is the `self` of a method, or what a closure has.
    """
    return iter((each,)) if callable(each) else _iter_object(each)


def _get_content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # nothing has been assigned yet
        return None


def _iter_globals(code: CodeType, variables: dict[str, Any]) -> Iterator[object]:
    """Yield the global variables that code reads, and what it reads from modules."""
    for name, where in _find_global_names(code):
        if name in variables:
            value = variables[name]
            yield from _iter_module(value, where) if type(value) is ModuleType else (value,)


@lru_cache(4096)
def _find_global_names(code: CodeType) -> tuple[tuple[str, CodeType], ...]:
    """Return the names of the global variables that code and its inner functions read.

    Each comes with the code object that reads it.
    """
    names = dict.fromkeys(
        each.argval for each in get_instructions(code) if each.opname == "LOAD_GLOBAL"
    )
    inner = (each for each in code.co_consts if type(each) is CodeType)
    return (
        *((name, code) for name in names),
        *(chain.from_iterable(map(_find_global_names, inner))),
    )


def _iter_module(module: ModuleType, code: CodeType) -> Iterator[object]:
    """Yield what code may read from a module, by `module.app` or `package.module.app`."""
    modules = [module]
    for each in modules:
        for value in [vars(each)[name] for name in code.co_names if name in vars(each)]:
            if type(value) is not ModuleType:
                yield value
            elif value not in modules:
                modules.append(value)


def _iter_object(each: object) -> Iterator[object]:
    """Yield the attributes of an object, and those of its class."""
    kind = type(each)
    if issubclass(kind, type):
        return
    classes = [of for of in kind.__mro__ if not _is_stdlib(of.__module__)]
    for of in classes:
        stored = vars(of).get("__dict__")
        if type(stored) is GetSetDescriptorType:
            yield from list(stored.__get__(each, kind).values())
        yield from _iter_class(of, each)


def _iter_class(of: type, each: object) -> Iterator[object]:
    """Yield the methods, the class variables and the slots of an object that one class defines."""
    for name, value in list(vars(of).items()):
        if type(value) is MemberDescriptorType:
            try:
                yield value.__get__(each, of)
            except AttributeError:  # the slot is not set
                continue
        elif name == "__call__" or not name.startswith("__"):
            yield value


def _is_stdlib(module: object) -> bool:
    return str(module).partition(".")[0] in sys.stdlib_module_names
