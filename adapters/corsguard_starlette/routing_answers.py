"""The answers of an application's routing alone, without calling any of its endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.datastructures import URL

from corsguard_starlette.routing import Leaf, match_leaf, walk

if TYPE_CHECKING:
    from corsguard_asgi.application import Answer

__all__ = ["find_routing_answer", "read_scope"]


def read_scope(app: Starlette, scope: Any) -> Any:
    """Return the scope of a request as the router gets it: FastAPI sets its own root path."""
    root_path = getattr(app, "root_path", "") or scope.get("root_path", "")
    return {**scope, "root_path": root_path}


def find_routing_answer(app: Starlette, scope: Any) -> Answer:
    """Return status and header fields: 200 for an endpoint, else what the router answers itself.

    That is 404, 405, a redirect to the path with or without a slash at its end, or 500 where a path
    convertor raises.
    """
    try:
        if match_leaf(app, scope):
            return 200, ()
        if _takes_other_methods(app, scope):
            return 405, ()
        path = scope["path"]
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        redirected = {**scope, "path": other}
        if app.router.redirect_slashes and path != "/" and _is_routed(app, redirected):
            return 307, [(b"location", str(URL(scope=redirected)).encode())]
    except Exception:
        return 500, ()
    return 404, ()


def _is_routed(app: Starlette, scope: Any) -> bool:
    return bool(match_leaf(app, scope)) or _takes_other_methods(app, scope)


def _takes_other_methods(app: Starlette, scope: Any) -> bool:
    leaves = (each for each in walk(app) if isinstance(each, Leaf))
    methods = set[str]().union(*(leaf.methods for leaf in leaves))
    return any(match_leaf(app, {**scope, "method": method}) for method in methods)
