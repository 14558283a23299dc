"""The view functions of an application, in a dict that counts what is put into it."""

from __future__ import annotations

from typing import Any

__all__ = ["ViewFunctions"]


class ViewFunctions(dict[str, Any]):
    """endpoint -> view function; `changes` grows with each that is put in or replaced.

    Flask reads a view function at each request, so it may be replaced at any time:
    `app.view_functions["login"] = limiter.exempt(app.view_functions["login"])`. The number of them
    stays the same then.
    """

    changes = 0

    def __setitem__(self, endpoint: str, function: Any) -> None:
        self.changes += 1
        super().__setitem__(endpoint, function)

    def setdefault(self, endpoint: str, function: Any = None) -> Any:
        self.changes += 1
        return super().setdefault(endpoint, function)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self.changes += 1
        super().update(*args, **kwargs)

    def __ior__(self, other: Any) -> ViewFunctions:  # type: ignore[override,misc]  # as dict does
        self.update(other)
        return self
