"""The URLs of a project, with the policies that apply to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from django.urls import get_resolver

from corsguard import Guard, Policies
from corsguard.guard.route_table import RouteRow, SourcedPolicy, list_sourced
from corsguard.guard.view_policies import get_policy
from corsguard_django.configuration import SETTING, name_route
from corsguard_django.view_layers import find_handler_holders, get_methods
from corsguard_django.views import Views, find_entry_holder, find_view_holder

__all__ = ["rows_of"]

_IMPLIED = frozenset({"HEAD", "OPTIONS"})
_NO_ROUTE = "no route covers it"
# Where the literal part of a pattern ends: at a variable of path(), or anything of a regex.
_NOT_LITERAL = frozenset("<$.*+?()[]{}|\\")


def rows_of(guard: Guard) -> Iterator[RouteRow]:
    """Yield a row for each URL of the root URLconf and each policy that may apply to it."""
    words = Views(guard).in_urlconf(None)
    yield from _iter_rows(get_resolver().url_patterns, "/", (), words, guard.policies)


def _iter_rows(
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
            yield from _iter_rows(entry.url_patterns, url, way, words, policies)
            continue
        holder = find_view_holder(entry.callback)
        if holder is None:
            holder = find_entry_holder(way)
        if holder is None:
            sources = list(_iter_path_policies(url, policies))
        else:
            sources = list_sourced(get_policy(holder), words[id(holder)])
        handlers = find_handler_holders(entry.callback)
        methods = [method for method in get_methods(entry.callback) if method not in _IMPLIED]
        rest = tuple(method for method in methods if handlers.get(method) is None)
        for handler, names in _group_by_handler(methods, handlers):
            for policy, source in list_sourced(get_policy(handler), words[id(handler)]):
                yield RouteRow(names, url, policy, source)
        if rest or not methods:
            for policy, source in sources:
                yield RouteRow(rest, url, policy, source)


def _group_by_handler(
    methods: Iterable[str], handlers: Mapping[str, object | None]
) -> Iterator[tuple[object, tuple[str, ...]]]:
    """Yield each handler that holds its own policy, and its methods."""
    by_id: dict[int, tuple[object, list[str]]] = {}
    for method in methods:
        handler = handlers.get(method)
        if handler is not None:
            by_id.setdefault(id(handler), (handler, []))[1].append(method)
    for handler, names in by_id.values():
        yield handler, tuple(names)


def _iter_path_policies(url: str, policies: Policies) -> Iterator[SourcedPolicy]:
    """Yield each policy that may apply to a path of a URL pattern, and its place."""
    if not isinstance(policies, Mapping):
        yield from list_sourced(policies, SETTING)
        return
    url = url.replace("^", "").removesuffix("$")  # of re_path()
    literal = "".join(takewhile(_is_literal, url))
    covering = [prefix for prefix in policies if _covers(prefix, literal)]
    prefixes = [max(covering, key=len)] if covering else []
    if literal != url:  # the values of the variables decide which of these applies
        below = (prefix for prefix in policies if prefix.startswith(literal))
        prefixes.extend(prefix for prefix in below if prefix not in covering)
    for prefix in prefixes:
        yield from list_sourced(policies[prefix], name_route(prefix))
    if not covering:
        yield None, _NO_ROUTE


def _is_literal(letter: str) -> bool:
    return letter not in _NOT_LITERAL


def _covers(prefix: str, path: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{prefix.rstrip('/')}/")
