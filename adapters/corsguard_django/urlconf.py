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
from corsguard_django.unreachable_views import find_hidden_views, iter_entries
from corsguard_django.view_layers import find_handler_holders, get_view_class, iter_view_layers

__all__ = [
    "PolicyHolder",
    "URLconfPolicies",
    "find_policy_layer",
    "inspect_urlconf",
    "iter_view_policies",
]


class PolicyHolder(NamedTuple):
    """What holds a policy in a URLconf."""

    pattern: str
    """That of the entry."""
    holder: object
    in_words: str
    """The holder in words."""


class URLconfPolicies(NamedTuple):
    """What was found in a URLconf."""

    decorated: list[PolicyHolder]
    hidden: list[Problem]
    """A problem for each exempt view that a wrapper hides."""
    is_translated: bool
    """Whether a path leads elsewhere in another language."""


_Entries = list[tuple[Any, Any]]
"""The entries of a URLconf and their views, which are kept so that no other has the id of one."""
_References = tuple[ref[Any], ...]
"""What is decorated, and found in no URLconf so far."""
_cache: WeakKeyDictionary[URLResolver, tuple[_Entries, _References, URLconfPolicies]] = (
    WeakKeyDictionary()
)


def inspect_urlconf(urlconf: Any = None) -> URLconfPolicies:
    """Return what is found in a URLconf, None for the root one.

    That is found anew where an entry has changed, or anything has been decorated since.
    """
    resolver = get_resolver(urlconf)
    entries = [(entry, entry.callback) for entry in iter_entries(resolver.url_patterns)]
    kept = _cache.get(resolver)
    if kept and _get_ids(kept[0]) == _get_ids(entries) and kept[1] == _collect_unreached():
        return kept[2]
    decorated = list(_iter_holders(resolver.url_patterns, "/", []))
    mark_reached(each.holder for each in decorated)
    hidden = find_hidden_views(entry for entry, _ in entries)
    is_translated = any(_is_translated(entry.pattern) for entry, _ in entries)
    walk = URLconfPolicies(decorated, hidden, is_translated)
    if not hidden:
        _cache[resolver] = entries, _collect_unreached(), walk
    return walk


def iter_view_policies(urlconf: Any = None) -> Iterator[tuple[str, Policy | None]]:
    """What has a policy of its own in a URLconf, None for the root one: its pattern, the policy."""
    return ((each.pattern, get_policy(each.holder)) for each in inspect_urlconf(urlconf).decorated)


def find_policy_layer(view: object) -> object | None:
    """Return the layer of a view that holds a policy for all methods, the nearest to its code."""
    return next(filter(has_policy, iter_view_layers(view)), None)


def _get_ids(entries: _Entries) -> list[tuple[int, int]]:
    return [(id(entry), id(view)) for entry, view in entries]


def _collect_unreached() -> _References:
    return tuple(map(ref, find_unreached(())))


def _is_translated(pattern: Any) -> bool:
    """Return True for a pattern of i18n_patterns(), for one that gettext_lazy() translates, and for
    one that nothing tells of."""
    if type(pattern) not in (RegexPattern, RoutePattern):
        return True
    written = (getattr(pattern, name, None) for name in ("_route", "_regex"))
    return any(isinstance(each, Promise) for each in written)


def _iter_holders(
    entries: Iterable[Any], prefix: str, namespaces: list[str | None]
) -> Iterator[PolicyHolder]:
    for entry in entries:
        pattern = f"{prefix}{entry.pattern}"
        for holder in _iter_candidates(entry):
            if has_policy(holder):
                yield PolicyHolder(pattern, holder, _describe(holder, entry, pattern, namespaces))
        yield from _iter_handler_holders(entry.callback, pattern)
        inner = [*namespaces, getattr(entry, "namespace", None)]
        yield from _iter_holders(getattr(entry, "url_patterns", ()), pattern, inner)


def _iter_handler_holders(view: object, pattern: str) -> Iterator[PolicyHolder]:
    handlers = find_handler_holders(view)
    view_class = get_view_class(view)
    seen: list[object] = []  # GET's is that of HEAD too
    for handler in handlers.values():
        if handler is None or any(handler is each for each in seen):
            continue
        seen.append(handler)
        if view_class:
            words = describe_handler(view_class, handlers, handler)
        else:
            words = f"the operation {getattr(handler, '__name__', '')}"
        yield PolicyHolder(pattern, handler, words)


def _describe(holder: object, entry: Any, pattern: str, namespaces: list[str | None]) -> str:
    """What holds the policy of an entry of a URLconf, unless it is a handler of a class."""
    if hasattr(entry, "url_patterns"):
        return f"every view of include() at {pattern}"
    view_class = get_view_class(entry.callback)
    if view_class and holder is view_class:
        return describe_class(view_class)
    dispatch = getattr(view_class, "dispatch", None)
    # as_view() gives a view what dispatch() is decorated with.
    if view_class and has_policy(dispatch) and get_policy(dispatch) is get_policy(holder):
        return describe_class(view_class, "dispatch")
    match = ResolverMatch(entry.callback, (), {}, entry.name, namespaces=namespaces)
    return describe_view(match.view_name)


def _iter_candidates(entry: Any) -> Iterator[object]:
    """Yield what may hold the policy of an entry, the nearest to the view first."""
    yield find_policy_layer(entry.callback)
    yield get_view_class(entry.callback)
    yield getattr(entry, "urlconf_name", None)  # what include() returned
    yield entry
