"""A dict of view functions that counts its changes."""

from __future__ import annotations

from typing import Any

__all__ = ["ViewFunctions"]


class ViewFunctions(dict[str, Any]):
    """The `view_functions` of an application: endpoint -> view function.

    `changes` grows whenever a function is added or replaced. Flask reads a view function at each
    request, so an application may replace one at any time:
    `app.view_functions["login"] = limiter.exempt(app.view_functions["login"])`. The length of the
    dict stays the same then.
    """

    changes: int = 0

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
