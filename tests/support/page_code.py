"""The Python of a page of the documentation, executed as a module of its own."""

from __future__ import annotations

from typing import Any

__all__ = ["run_python"]


def run_python(code: str, page: str = "page.md") -> dict[str, Any]:
    """Run a block of Python, and return the names that it defines."""
    names: dict[str, Any] = {"__name__": "page"}  # `docs` is a folder, where Flask looks for files
    exec(compile(code, page, "exec"), names)
    return names
