"""`cors_policy` and `cors_exempt` for whatever may stand in a URLconf."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, Unpack

from corsguard import Policy
from corsguard.guard import view_policies
from corsguard.policy import PolicyFields

__all__ = ["cors_exempt", "cors_policy"]

Decorated = TypeVar("Decorated")


def cors_policy(
    policy: Policy | None = None, /, **fields: Unpack[PolicyFields]
) -> Callable[[Decorated], Decorated]:
    """Decorate a view, a view class, `path(...)` or `include(...)` with a policy of its own.

    Takes a Policy, or its fields as keywords: `@cors_policy(allow_origins=[...])`. It wins over the
    policy of the path, and the nearest to the view wins over those around it. On a handler method
    of a view class it applies to that HTTP method.

    Raises TypeError for anything else, and PolicyError.
    """
    decorate = view_policies.cors_policy(policy, **fields)

    def decorate_any(decorated: Decorated) -> Decorated:
        result: Decorated = _decorated(decorate, decorated)
        return result

    return decorate_any


def cors_exempt(decorated: Decorated) -> Decorated:
    """Decorate the same with no CORS at all, whatever the policy of its path. Enforcement stays."""
    result: Decorated = _decorated(view_policies.cors_exempt, decorated)
    return result


class _Included:
    """What include() was called with: its own, as another include() of it may share the module."""

    def __init__(self, urlconf: Any) -> None:
        self.urlpatterns = getattr(urlconf, "urlpatterns", urlconf)
        self.__module__ = getattr(urlconf, "__name__", __name__)
        self.__qualname__ = f"include({self.__module__})"


def _decorated(decorate: Callable[[Any], Any], decorated: Any) -> Any:
    if not isinstance(decorated, tuple):
        return decorate(decorated)
    # include() returns a tuple, which takes no attribute, of a module or of a list of patterns.
    urlconf, *names = decorated
    return (decorate(_Included(urlconf)), *names)
