"""`cors_policy` and `cors_exempt` for whatever may stand in a URLconf."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

from corsguard import Policy, views

__all__ = ["cors_exempt", "cors_policy"]

Decorated = TypeVar("Decorated")


def cors_policy(policy: Policy) -> Callable[[Decorated], Decorated]:
    """Decorate a view, a view class, `path(...)` or `include(...)` with a policy of its own.

    It wins over the policy of the path, and the nearest to the view wins over those around it.
    On a handler method of a view class, by `method_decorator`, it holds for that HTTP method.
    """
    decorate = views.cors_policy(policy)

    def decorate_any(decorated: Decorated) -> Decorated:
        result: Decorated = _decorated(decorate, decorated)
        return result

    return decorate_any


def cors_exempt(decorated: Decorated) -> Decorated:
    """Decorate the same with no CORS at all, whatever the policy of its path. Enforcement stays."""
    result: Decorated = _decorated(views.cors_exempt, decorated)
    return result


def _decorated(decorate: Callable[[Any], Any], decorated: Any) -> Any:
    if not isinstance(decorated, tuple):
        return decorate(decorated)
    # include() returns a tuple, which takes no attribute, of a module, which another include()
    # may share, or of a list of patterns.
    urlconf, *names = decorated
    patterns = getattr(urlconf, "urlpatterns", urlconf)
    return (decorate(SimpleNamespace(urlpatterns=patterns)), *names)
