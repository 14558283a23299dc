"""The routes of an application, each with the policies that may apply to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corsguard.guard.route_rows import (
    RuleSyntax,
    SourcedPolicy,
    build_rows,
    list_path_policies,
    list_placed,
)
from corsguard.guard.route_table import RouteRow
from corsguard_starlette.middleware import StarletteMiddleware
from corsguard_starlette.routing import Leaf
from corsguard_starlette.view_policies import Views

__all__ = ["list_placed", "rows_of"]

_SYNTAX = RuleSyntax("{", re.compile(r"{\w+(?::(?:str|int|float|uuid))?}"))
_HANDSHAKE = ("GET",)
"""The method of a WebSocket handshake (RFC 6455, 4.1)."""


def rows_of(middleware: StarletteMiddleware) -> list[RouteRow]:
    """Return a row for each route and each policy that may apply to some of its methods.

    Those of included routers, of mounts and of the applications in them are included.
    """
    views = middleware.read_views()
    return [row for leaf in views.leaves for row in _iter_rows(middleware, views, leaf)]


def _iter_rows(middleware: StarletteMiddleware, views: Views, leaf: Leaf) -> Iterator[RouteRow]:
    path = leaf.url.rpartition("|")[2]  # behind the pattern of a host route

    def list_policies(method: str) -> list[SourcedPolicy]:
        view = views.find(leaf, method)
        if view:
            return [(view.policy, view.holder)]
        return [*list_path_policies(middleware.guard, path, _SYNTAX)]

    url = f"{leaf.url} (WebSocket)" if leaf.is_websocket else leaf.url
    yield from build_rows(url, _HANDSHAKE if leaf.is_websocket else leaf.methods, list_policies)
