"""What is decorated in a URLconf. Every handler that starts asks for that, so it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from django.urls import ResolverMatch, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern
from django.utils.functional import Promise

from corsguard import Policy, Problem
from corsguard.guard.decorated_views import find_unreached, mark_reached
from corsguard.guard.view_policies import (
    describe_class,
    describe_handler,
    describe_view,
    get_policy,
    has_policy,
)
from corsguard_django.layers import class_of, decorated_handlers, view_layers
from corsguard_django.reach import entries_of, hidden_in

__all__ = ["Decorated", "Walk", "decorated_in", "decorated_layer_of", "walked"]


class Decorated(NamedTuple):
    """What holds a policy in a URLconf."""

    pattern: str
    """That of the entry."""
    holder: object
    in_words: str
    """The holder in words."""


class Walk(NamedTuple):
    """What was found in a URLconf."""

    decorated: list[Decorated]
    hidden: list[Problem]
    """A problem for each exempt view that a wrapper hides."""
    is_translated: bool
    """Whether a path leads elsewhere in another language."""


_Entries = list[tuple[Any, Any]]
"""The entries of a URLconf and their views, which are kept so that no other has the id of one."""
_Unreached = tuple[ref[Any], ...]
"""What is decorated, and found in no URLconf so far."""
_kept: WeakKeyDictionary[URLResolver, tuple[_Entries, _Unreached, Walk]] = WeakKeyDictionary()


def walked(urlconf: Any = None) -> Walk:
    """Return what is found in a URLconf, None for the root one.

    That is found anew where an entry has changed, or anything has been decorated since.
    """
    resolver = get_resolver(urlconf)
    entries = [(entry, entry.callback) for entry in entries_of(resolver.url_patterns)]
    kept = _kept.get(resolver)
    if kept and _ids(kept[0]) == _ids(entries) and kept[1] == _unreached():
        return kept[2]
    decorated = list(_decorated(resolver.url_patterns, "/", []))
    mark_reached(each.holder for each in decorated)
    hidden = hidden_in(entry for entry, _ in entries)
    is_translated = any(_is_translated(entry.pattern) for entry, _ in entries)
    walk = Walk(decorated, hidden, is_translated)
    if not hidden:
        _kept[resolver] = entries, _unreached(), walk
    return walk


def decorated_in(urlconf: Any = None) -> Iterator[tuple[str, Policy | None]]:
    """What has a policy of its own in a URLconf, None for the root one: its pattern, the policy."""
    return ((each.pattern, get_policy(each.holder)) for each in walked(urlconf).decorated)


def decorated_layer_of(view: object) -> object | None:
    """Return the layer of a view that holds a policy for all methods, the nearest to its code."""
    return next(filter(has_policy, view_layers(view)), None)


def _ids(entries: _Entries) -> list[tuple[int, int]]:
    return [(id(entry), id(view)) for entry, view in entries]


def _unreached() -> _Unreached:
    return tuple(map(ref, find_unreached(())))


def _is_translated(pattern: Any) -> bool:
    """Return True for a pattern of i18n_patterns(), for one that gettext_lazy() translates, and for
    one that nothing tells of."""
    if type(pattern) not in (RegexPattern, RoutePattern):
        return True
    written = (getattr(pattern, name, None) for name in ("_route", "_regex"))
    return any(isinstance(each, Promise) for each in written)


def _decorated(
    entries: Iterable[Any], prefix: str, namespaces: list[str | None]
) -> Iterator[Decorated]:
    for entry in entries:
        pattern = f"{prefix}{entry.pattern}"
        for holder in _holders(entry):
            if has_policy(holder):
                yield Decorated(pattern, holder, _in_words(holder, entry, pattern, namespaces))
        yield from _decorated_handlers(entry.callback, pattern)
        inner = [*namespaces, getattr(entry, "namespace", None)]
        yield from _decorated(getattr(entry, "url_patterns", ()), pattern, inner)


def _decorated_handlers(view: object, pattern: str) -> Iterator[Decorated]:
    handlers = decorated_handlers(view)
    view_class = class_of(view)
    seen: list[object] = []  # GET's is that of HEAD too
    for handler in handlers.values():
        if handler is None or any(handler is each for each in seen):
            continue
        seen.append(handler)
        if view_class:
            words = describe_handler(view_class, handlers, handler)
        else:
            words = f"the operation {getattr(handler, '__name__', '')}"
        yield Decorated(pattern, handler, words)


def _in_words(holder: object, entry: Any, pattern: str, namespaces: list[str | None]) -> str:
    """What holds the policy of an entry of a URLconf, unless it is a handler of a class."""
    if hasattr(entry, "url_patterns"):
        return f"every view of include() at {pattern}"
    view_class = class_of(entry.callback)
    if view_class and holder is view_class:
        return describe_class(view_class)
    dispatch = getattr(view_class, "dispatch", None)
    # as_view() gives a view what dispatch() is decorated with.
    if view_class and has_policy(dispatch) and get_policy(dispatch) is get_policy(holder):
        return describe_class(view_class, "dispatch")
    match = ResolverMatch(entry.callback, (), {}, entry.name, namespaces=namespaces)
    return describe_view(match.view_name)


def _holders(entry: Any) -> Iterator[object]:
    """Yield what may hold the policy of an entry, the nearest to the view first."""
    yield decorated_layer_of(entry.callback)
    yield class_of(entry.callback)
    yield getattr(entry, "urlconf_name", None)  # what include() returned
    yield entry
