"""A Starlette or FastAPI application as the `corsguard` command sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from starlette.applications import Starlette

from corsguard import Guard
from corsguard.browser.messages import Send
from corsguard.browser.transport import open_transport
from corsguard.cli.application.guarded_app import (
    Findings,
    RouteListing,
    UnguardedApplicationError,
)
from corsguard.cli.change_format import ChangeFormatter, format_as_python
from corsguard.guard.policy_list import PolicyOrList
from corsguard.guard.route_table import compare_routes
from corsguard_asgi.application import Answer, ASGIApplication, build_answering_app
from corsguard_asgi.application import describe_app as describe_asgi_app
from corsguard_asgi.shadow import ShadowMiddleware
from corsguard_asgi.wrapped_apps import find_wrapped
from corsguard_starlette.listing import list_path_rows, list_placed, rows_of
from corsguard_starlette.middleware import StarletteMiddleware, find_other_cors
from corsguard_starlette.outer_middleware import find_added_later, find_around
from corsguard_starlette.routing_answers import find_routing_answer, read_scope
from corsguard_starlette.unreachable_views import find_unreachable_views

if TYPE_CHECKING:
    from corsguard.explain.fixes import Transport
    from corsguard.origin import Origin

__all__ = ["describe_app"]


class _GuardedStarlette:
    """An application with CORSGuard."""

    def __init__(self, app: Starlette, middleware: StarletteMiddleware, outermost: object) -> None:
        self._app = app
        self._middleware = middleware
        self._outermost = outermost
        """What a server calls: the application, or what is around it."""

    @property
    def guard(self) -> Guard:
        """The guard, with the policies of the views."""
        return self._middleware.guard

    @property
    def view_policies(self) -> Mapping[str, PolicyOrList | None]:
        """The policies of views: owner in words -> policy."""
        views = self._middleware.read_views()
        found = (
            views.find(leaf, method) for leaf in views.leaves for method in leaf.methods or {""}
        )
        return {view.holder: view.policy for view in found if view}

    @property
    def format_change(self) -> ChangeFormatter:
        """The formatter for a change, as the arguments of CORSGuard or a Policy."""
        return format_as_python

    def find_problems(self) -> Findings:
        """Return what is wrong with the policies of paths and views."""
        middleware = self._middleware
        problems = (*middleware.problems, *find_unreachable_views(self._app))
        around = find_around(self._outermost, self._app)
        warnings = (
            *(warning.problem for warning in self.guard.warnings),
            *around.warnings,
            *compare_routes(rows_of(middleware), list_placed(self.guard)),
        )
        return Findings(problems, warnings, around.notes)

    def list_routes(self) -> RouteListing:
        """Return a row for each route and each policy that may apply to it."""
        return RouteListing(tuple(rows_of(self._middleware)))

    def build_trial(self, origin: Origin) -> Transport:
        """Return the transport to the application at origin, which calls none of its views."""

        def transport(guard: Guard) -> Send:
            answering = build_answering_app(lambda scope: find_routing_answer(self._app, scope))
            trial = self._middleware.rehearsing(guard, answering)

            async def serve(scope: Any, receive: Any, send: Any) -> None:
                await trial(read_scope(self._app, scope), receive, send)

            return open_transport(serve, origin, "asgi")

        return transport


class _WrappedStarlette(ASGIApplication):
    """An application behind CORSMiddleware, which knows its paths but not its views."""

    def __init__(self, app: Starlette, found: ASGIApplication, outermost: object) -> None:
        super().__init__(found.middleware, is_listed=found.is_listed)
        self._app = app
        self._outermost = outermost

    def find_problems(self) -> Findings:
        """Return what is wrong with the policies, and what is outside of the middleware."""
        guarded = self._app if self.is_listed else self.middleware
        around = find_around(self._outermost, guarded)
        added = find_added_later(self._app) if self.is_listed else None
        warnings = (
            *super().find_problems().warnings,
            *around.warnings,
            *(added.warnings if added else ()),
            *compare_routes(list_path_rows(self._app, self.guard), list_placed(self.guard)),
        )
        notes = (*around.notes, *(added.notes if added else ()))
        is_shadow = isinstance(self.middleware, ShadowMiddleware)
        problems = () if is_shadow else tuple(find_other_cors(self._app))
        return Findings(problems, warnings, notes)

    def list_routes(self) -> RouteListing:
        """Return a row for each route and each policy that may apply to its path."""
        return RouteListing(tuple(list_path_rows(self._app, self.guard)))

    def _find_answer(self, scope: Any) -> Answer:
        return find_routing_answer(self._app, read_scope(self._app, scope))


def describe_app(app: object) -> _GuardedStarlette | _WrappedStarlette | None:
    """Return the Starlette or FastAPI application that an object is, or leads to, with its guard.

    Raises UnguardedApplicationError where it has none, and PolicyError where a policy is not valid.
    Returns None where there is no such application.
    """
    found = find_wrapped(app, lambda each: issubclass(type(each), Starlette))
    if not found:
        return None
    starlette = cast(Starlette, found[0])
    middleware = getattr(starlette.state, "corsguard", None)
    if isinstance(middleware, StarletteMiddleware):
        middleware.is_quiet = True  # `check` reports it
        middleware.read_views()
        return _GuardedStarlette(starlette, middleware, app)
    asgi = describe_asgi_app(app)
    if asgi is not None:
        return _WrappedStarlette(starlette, asgi, app)
    raise UnguardedApplicationError(
        "has no CORSGuard. Add it: CORSGuard(app, allow_origins=[...]), "
        "with `from corsguard_starlette import CORSGuard`"
    )
