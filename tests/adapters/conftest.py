from __future__ import annotations

from support.app_command import on_app

__all__ = ["on_app"]
