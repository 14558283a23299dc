"""The owners of per-view policies in words, for the log, `explain` and the listings of routes.

The owner of a policy is the object that is decorated: a view, its class, or a method of the class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from corsguard.guard.view_policies import POLICY_ATTRIBUTE

__all__ = ["describe_class", "describe_handler", "describe_holders", "describe_view"]


def describe_holders(holders: Iterable[tuple[object, str]]) -> Mapping[int, str]:
    """Return id of an owner -> its descriptions, joined.

    `holders` yields (owner, description), once for each URL that leads to the owner.
    """
    words: dict[int, dict[str, None]] = {}
    for holder, description in holders:
        words.setdefault(id(holder), {})[description] = None
    return {holder: " and ".join(descriptions) for holder, descriptions in words.items()}


def describe_view(name: str) -> str:
    """Return the description of a view that is decorated itself."""
    return f"the view {name}"


def describe_class(view_class: type, attribute: str = POLICY_ATTRIBUTE) -> str:
    """Return the description of a class that is decorated, or of which an attribute is."""
    return f"every view of the class {_find_defining_class(view_class, attribute)}"


def describe_handler(view_class: type, handlers: Mapping[str, object], handler: object) -> str:
    """Return the description of a decorated handler of a view's class.

    `handlers` maps each HTTP method of the class to its handler; several may share one.
    """
    methods = sorted(method for method, each in handlers.items() if each is handler)
    if "GET" in methods and "HEAD" in methods:  # frameworks serve HEAD with the handler of GET
        methods.remove("HEAD")
    noun = "method" if len(methods) == 1 else "methods"
    name = _find_defining_class(view_class, methods[0].lower())
    return f"the {noun} {' and '.join(methods)} of the class {name}"


def _find_defining_class(view_class: type, attribute: str) -> str:
    """Return the name of the class from which a class inherits an attribute, or its own name."""
    owners = (each for each in view_class.__mro__ if attribute in vars(each))
    return next(owners, view_class).__name__
