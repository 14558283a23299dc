"""The shadow mode of the extension: around Starlette's own CORSMiddleware, which still answers."""

from __future__ import annotations

from typing import Any

from corsguard import Problem
from corsguard.engine.request import Methods
from corsguard.guard.view_policies import View
from corsguard_asgi.middleware import ASGIApp, Scope
from corsguard_asgi.shadow import ShadowMiddleware
from corsguard_starlette.middleware import StarletteMiddleware

__all__ = ["StarletteShadow"]


class StarletteShadow(ShadowMiddleware, StarletteMiddleware):
    """The middleware around all others, which passes everything on as it is.

    Policies of views are compared too.
    """

    def __init__(self, *arguments: Any) -> None:
        StarletteMiddleware.__init__(self, *arguments)
        self.start_shadow()

    def _find_view(self, scope: Scope) -> tuple[View | None, Methods]:
        return StarletteMiddleware._find_view(self, scope)  # noqa: SLF001  # of its own base class

    def _build_stack(self, build: Any) -> ASGIApp:
        self.app: ASGIApp = build()
        self._next: ASGIApp = self.app
        return self

    def _find_conflicts(self) -> list[Problem]:
        """Return nothing: in this mode, another CORS layer is to be active."""
        return []
