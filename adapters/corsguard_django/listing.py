"""The URLs of a project beside the policies that apply to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from django.urls import get_resolver

from corsguard import Guard, Policies, Policy
from corsguard.guard.route_table import RouteRow
from corsguard.guard.view_policies import get_policy
from corsguard_django.configuration import SETTING, place_of
from corsguard_django.layers import decorated_handlers, methods_of
from corsguard_django.views import Views, holder_around, holder_of_view

__all__ = ["rows_of"]

_IMPLIED = frozenset({"HEAD", "OPTIONS"})
_NO_ROUTE = "no route covers it"
# Where the literal part of a pattern ends: at a variable of path(), or anything of a regex.
_NOT_LITERAL = frozenset("<$.*+?()[]{}|\\")

_Source = tuple[Policy | None, str]
"""A policy, and where it comes from, in words."""


def rows_of(guard: Guard) -> Iterator[RouteRow]:
    """Yield a row for each URL of the root URLconf and each policy that may apply to it."""
    words = Views(guard).in_urlconf(None)
    yield from _rows(get_resolver().url_patterns, "/", (), words, guard.policies)


def _rows(
    entries: Iterable[Any],
    prefix: str,
    around: tuple[Any, ...],
    words: Mapping[int, str],
    policies: Policies,
) -> Iterator[RouteRow]:
    for entry in entries:
        url = f"{prefix}{entry.pattern}"
        way = (*around, entry)
        if hasattr(entry, "url_patterns"):
            yield from _rows(entry.url_patterns, url, way, words, policies)
            continue
        holder = holder_of_view(entry.callback)
        if holder is None:
            holder = holder_around(way)
        if holder is None:
            sources = list(_by_path(url, policies))
        else:
            sources = [(get_policy(holder), words[id(holder)])]
        handlers = decorated_handlers(entry.callback)
        methods = [method for method in methods_of(entry.callback) if method not in _IMPLIED]
        rest = tuple(method for method in methods if handlers.get(method) is None)
        for handler, names in _by_handler(methods, handlers):
            yield RouteRow(names, url, get_policy(handler), words[id(handler)])
        if rest or not methods:
            for policy, source in sources:
                yield RouteRow(rest, url, policy, source)


def _by_handler(
    methods: Iterable[str], handlers: Mapping[str, object | None]
) -> Iterator[tuple[object, tuple[str, ...]]]:
    """Yield what holds a policy of its own by method, and its methods."""
    by_id: dict[int, tuple[object, list[str]]] = {}
    for method in methods:
        handler = handlers.get(method)
        if handler is not None:
            by_id.setdefault(id(handler), (handler, []))[1].append(method)
    for handler, names in by_id.values():
        yield handler, tuple(names)


def _by_path(url: str, policies: Policies) -> Iterator[_Source]:
    """Yield each policy that may apply to the paths of a URL pattern, with its place."""
    if policies is None or isinstance(policies, Policy):
        yield policies, SETTING
        return
    url = url.replace("^", "").removesuffix("$")  # of re_path()
    literal = "".join(takewhile(_is_literal, url))
    covering = [prefix for prefix in policies if _covers(prefix, literal)]
    prefixes = [max(covering, key=len)] if covering else []
    if literal != url:  # what its variables are decides which of these it is
        below = (prefix for prefix in policies if prefix.startswith(literal))
        prefixes.extend(prefix for prefix in below if prefix not in covering)
    for prefix in prefixes:
        yield policies[prefix], place_of(prefix)
    if not covering:
        yield None, _NO_ROUTE


def _is_literal(letter: str) -> bool:
    return letter not in _NOT_LITERAL


def _covers(prefix: str, path: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{prefix.rstrip('/')}/")
