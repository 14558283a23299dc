"""The arguments of `corsguard explain` on a file."""

from __future__ import annotations

from collections.abc import Callable

APP = "https://app.example.com"
API = "https://api.example.com"
ROUTED = """
[routes."/api"]
allow_origins = ["https://app.example.com"]
allow_methods = ["PATCH"]
expose_headers = ["X-Total"]
[routes]
"/api/internal" = false
"""
Explain = Callable[..., tuple[int | str | None, str, str]]
