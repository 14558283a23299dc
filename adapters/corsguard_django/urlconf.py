"""The view policies of a URLconf, cached because every handler that starts asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from django.urls import ResolverMatch, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern
from django.utils.functional import Promise

from corsguard import Problem
from corsguard.guard.decorated_views import find_unreached, mark_reached
from corsguard.guard.policy_list import PolicyOrList
from corsguard.guard.view_descriptions import describe_class, describe_handler, describe_view
from corsguard.guard.view_policies import get_policy, has_policy
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
    """A decorated object in a URLconf: a view, a class, a handler, an entry or an include()."""

    pattern: str
    """The whole pattern of the entry, from the first slash on."""
    holder: object
    description: str
    """The holder in words."""


class URLconfPolicies(NamedTuple):
    """The view policies of a URLconf."""

    holders: list[PolicyHolder]
    hidden: list[Problem]
    """A problem for each exempt view that a wrapper hides."""
    is_translated: bool
    """True if a path may lead to another view in another language."""


_Entries = list[tuple[Any, Any]]
"""The entries of a URLconf and their views, kept alive so that no other object gets their id."""
_References = tuple[ref[Any], ...]
"""The decorated objects that no URLconf has led to so far."""
# Resolver of a URLconf -> its entries, the unreached objects at that time, and the result.
_cache: WeakKeyDictionary[URLResolver, tuple[_Entries, _References, URLconfPolicies]] = (
    WeakKeyDictionary()
)


def inspect_urlconf(urlconf: Any = None) -> URLconfPolicies:
    """Return the view policies of a URLconf, None for the root one.

    The result is cached until an entry of the URLconf changes, or another object is decorated.
    """
    resolver = get_resolver(urlconf)
    entries = [(entry, entry.callback) for entry in iter_entries(resolver.url_patterns)]
    cached = _cache.get(resolver)
    if cached and _get_ids(cached[0]) == _get_ids(entries) and cached[1] == _collect_unreached():
        return cached[2]
    holders = list(_iter_holders(resolver.url_patterns, "/", []))
    mark_reached(each.holder for each in holders)
    hidden = find_hidden_views(entry for entry, _ in entries)
    is_translated = any(_is_translated(entry.pattern) for entry, _ in entries)
    found = URLconfPolicies(holders, hidden, is_translated)
    if not hidden:
        _cache[resolver] = entries, _collect_unreached(), found
    return found


def iter_view_policies(urlconf: Any = None) -> Iterator[tuple[str, PolicyOrList | None]]:
    """Yield the pattern and the policy of each holder in a URLconf, None for the root one."""
    return ((each.pattern, get_policy(each.holder)) for each in inspect_urlconf(urlconf).holders)


def find_policy_layer(view: object) -> object | None:
    """Return the innermost layer of a view that holds a policy for all methods, or None."""
    return next(filter(has_policy, iter_view_layers(view)), None)


def _get_ids(entries: _Entries) -> list[tuple[int, int]]:
    return [(id(entry), id(view)) for entry, view in entries]


def _collect_unreached() -> _References:
    return tuple(map(ref, find_unreached(())))


def _is_translated(pattern: Any) -> bool:
    """Return True if a pattern depends on the language, or if that is not known.

    It does if it is of i18n_patterns(), or translated by gettext_lazy().
    """
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
    seen: list[object] = []  # the handler of GET is that of HEAD, too
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
    """Return the description of the owner of an entry's policy, except handlers of a class."""
    if hasattr(entry, "url_patterns"):
        return f"every view of include() at {pattern}"
    view_class = get_view_class(entry.callback)
    if view_class and holder is view_class:
        return describe_class(view_class)
    dispatch = getattr(view_class, "dispatch", None)
    # as_view() copies the decoration of dispatch() to the view.
    if view_class and has_policy(dispatch) and get_policy(dispatch) is get_policy(holder):
        return describe_class(view_class, "dispatch")
    match = ResolverMatch(entry.callback, (), {}, entry.name, namespaces=namespaces)
    return describe_view(match.view_name)


def _iter_candidates(entry: Any) -> Iterator[object]:
    """Yield the objects that may hold the policy of an entry, the innermost first."""
    yield find_policy_layer(entry.callback)
    yield get_view_class(entry.callback)
    yield getattr(entry, "urlconf_name", None)  # the module that include() returned
    yield entry
