"""The decorators `cors_policy` and `cors_exempt`, for views and entries of a URLconf."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, Unpack

from corsguard.guard import view_policies
from corsguard.guard.policy_list import PolicyOrList
from corsguard.policy import PolicyFields

__all__ = ["cors_exempt", "cors_policy"]

Decorated = TypeVar("Decorated")


def cors_policy(
    policy: PolicyOrList | None = None, /, **fields: Unpack[PolicyFields]
) -> Callable[[Decorated], Decorated]:
    """Decorate a view, a view class, `path(...)` or `include(...)` with its own policy.

    Pass a Policy, a list of policies, or the fields of one as keywords:
    `@cors_policy(allow_origins=[...])`. The policy wins over that of the path, and the innermost
    one over those around it. On a handler method of a view
    class it applies to that HTTP method.

    Raises TypeError for an object that can't be decorated, and PolicyError for a bad policy.
    """
    decorate = view_policies.cors_policy(policy, **fields)

    def decorate_any(decorated: Decorated) -> Decorated:
        result: Decorated = _apply(decorate, decorated)
        return result

    return decorate_any


def cors_exempt(decorated: Decorated) -> Decorated:
    """Decorate a view, a view class, `path(...)` or `include(...)` to have no CORS headers.

    The policy of its path no longer applies. Enforcement does.
    """
    result: Decorated = _apply(view_policies.cors_exempt, decorated)
    return result


class _IncludedURLconf:
    """The URLconf of one include(), as another include() may share the same module."""

    def __init__(self, urlconf: Any) -> None:
        self.urlpatterns = getattr(urlconf, "urlpatterns", urlconf)
        self.__module__ = getattr(urlconf, "__name__", __name__)
        self.__qualname__ = f"include({self.__module__})"


def _apply(decorate: Callable[[Any], Any], decorated: Any) -> Any:
    if not isinstance(decorated, tuple):
        return decorate(decorated)
    # include() returns a tuple, which can't have attributes. Its first item is a module or a list
    # of patterns.
    urlconf, *names = decorated
    return (decorate(_IncludedURLconf(urlconf)), *names)
