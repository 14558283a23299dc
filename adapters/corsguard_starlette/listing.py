"""The routes of an application, each with the policies that may apply to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from starlette.applications import Starlette

from corsguard import Guard
from corsguard.guard.route_rows import (
    RuleSyntax,
    build_rows,
    list_path_policies,
    list_placed,
)
from corsguard.guard.route_table import RouteRow, SourcedPolicy, list_sourced
from corsguard_starlette.middleware import StarletteMiddleware
from corsguard_starlette.routing import Leaf, walk
from corsguard_starlette.view_policies import Views

__all__ = ["list_path_rows", "list_placed", "rows_of"]

_SYNTAX = RuleSyntax("{", re.compile(r"{\w+(?::(?:str|int|float|uuid))?}"))
_HANDSHAKE = ("GET",)
"""The method of a WebSocket handshake (RFC 6455, 4.1)."""


def rows_of(middleware: StarletteMiddleware) -> list[RouteRow]:
    """Return a row for each route and each policy that may apply to some of its methods.

    Those of included routers, of mounts and of the applications in them are included.
    """
    views = middleware.read_views()
    return [row for leaf in views.leaves for row in _iter_rows(middleware, views, leaf)]


def list_path_rows(app: Starlette, guard: Guard) -> list[RouteRow]:
    """Return a row for each route and each policy that may apply to its path, whatever its view."""
    leaves = (each for each in walk(app) if isinstance(each, Leaf))
    return [row for leaf in leaves for row in _iter_path_rows(guard, leaf)]


def _iter_path_rows(guard: Guard, leaf: Leaf) -> Iterator[RouteRow]:
    policies = list_path_policies(guard, _get_path(leaf), _SYNTAX)
    return build_rows(_describe_url(leaf), _list_methods(leaf), lambda _: policies)


def _iter_rows(middleware: StarletteMiddleware, views: Views, leaf: Leaf) -> Iterator[RouteRow]:
    def list_policies(method: str) -> list[SourcedPolicy]:
        view = views.find(leaf, method)
        if view:
            return list_sourced(view.policy, view.holder)
        return [*list_path_policies(middleware.guard, _get_path(leaf), _SYNTAX)]

    yield from build_rows(_describe_url(leaf), _list_methods(leaf), list_policies)


def _get_path(leaf: Leaf) -> str:
    return leaf.url.rpartition("|")[2]  # behind the pattern of a host route


def _describe_url(leaf: Leaf) -> str:
    return f"{leaf.url} (WebSocket)" if leaf.is_websocket else leaf.url


def _list_methods(leaf: Leaf) -> Iterable[str]:
    return _HANDSHAKE if leaf.is_websocket else leaf.methods
