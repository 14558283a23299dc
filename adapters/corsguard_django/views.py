"""The view that a request reaches, and the policy that applies to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, get_resolver
from django.utils.translation import override

from corsguard import Guard, PolicyError
from corsguard.guard.policy_list import PolicyOrList
from corsguard.guard.view_descriptions import describe_holders
from corsguard.guard.view_policies import View, find_shared_methods, get_policy, has_policy
from corsguard_django.languages import guess_languages
from corsguard_django.urlconf import find_policy_layer, inspect_urlconf
from corsguard_django.view_layers import find_handler_holders, get_view_class

__all__ = [
    "METHOD",
    "OF_PATH",
    "Holding",
    "Views",
    "find_entry_holder",
    "find_view_holder",
    "get_target_method",
]

METHOD = "corsguard.method"
"""The key of META that has the method of the request before other middleware changes it."""
Holding = tuple[View | None, frozenset[str] | None]
"""The view whose policy applies to a request, None for the policy of its path; and the methods of
the URL that this policy applies to, None for all of them."""
OF_PATH: Holding = (None, None)
"""The policy of the path applies, to all methods."""


class _ViewHolders(NamedTuple):
    """The objects that hold the policies of one view."""

    view: object
    """The view itself, kept alive so that no other object gets its id."""
    holder: object | None
    """The holder for all methods; None if no part of the view is one."""
    handlers: Mapping[str, object | None]
    """HTTP method -> its own holder, None for the common one; empty if no method has its own."""


class Views:
    """The views with their own policies, in every URLconf that a request uses.

    The first use of a URLconf raises PolicyError if one of its policies must not start.
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._descriptions: dict[object, Mapping[int, str]] = {}  # URLconf -> id of holder -> words
        self._translated: set[object] = set()  # the URLconfs that differ between languages
        self._holders: dict[int, _ViewHolders] = {}  # id of a view -> its holders

    def in_urlconf(self, urlconf: Any) -> Mapping[int, str]:
        """Return id of holder -> its description, for a URLconf, None for the root one.

        The first call adopts the policies. The mapping is empty if no view has its own policy.
        """
        descriptions = self._descriptions.get(urlconf)
        if descriptions is None:
            found = inspect_urlconf(urlconf)
            if found.hidden:
                raise PolicyError(found.hidden)
            own = [(f'view "{each.pattern}"', get_policy(each.holder)) for each in found.holders]
            self.guard.adapter.add_views((place, policy) for place, policy in own if policy)
            if found.is_translated:
                self._translated.add(urlconf)
            words = ((each.holder, each.description) for each in found.holders)
            descriptions = self._descriptions[urlconf] = describe_holders(words)
        return descriptions

    def find_resolved(self, request: HttpRequest) -> Holding:
        """Return what applies to the view that Django has resolved."""
        match = request.resolver_match
        words = self.in_urlconf(getattr(request, "urlconf", None))
        if not words or match is None:
            return OF_PATH
        return self._holding(match, request, words)

    def resolve(self, request: HttpRequest) -> Holding:
        """Return what applies to the view that Django will resolve.

        A middleware, such as a cache, may respond before that, in place of the view.
        """
        urlconf = getattr(request, "urlconf", None)
        words = self.in_urlconf(urlconf)
        if not words:
            return OF_PATH
        path = request.path_info
        languages = [settings.LANGUAGE_CODE]
        if urlconf in self._translated:
            languages = guess_languages(request, urlconf)
        for language in languages:
            with override(language), suppress(Resolver404):
                return self._holding(get_resolver(urlconf).resolve(path), request, words)
        return OF_PATH

    def _holding(
        self, match: ResolverMatch, request: HttpRequest, words: Mapping[int, str]
    ) -> Holding:
        entries = match.tried[-1] if match.tried else ()  # the last is the one that matched
        view = self._holders.get(id(match.func)) or self._add_view(match.func)
        holder = view.holder
        if holder is None:
            holder = find_entry_holder(entries)
        methods = None
        if view.handlers:
            method = get_target_method(request)
            policy: PolicyOrList | None = self.guard.policies_for(request.path_info)
            if holder is not None:
                policy = get_policy(holder)
            policies = {
                name: policy if handler is None else get_policy(handler)
                for name, handler in view.handlers.items()
            }
            methods = find_shared_methods(method, {method: policy, **policies})
            handler = view.handlers.get(method)
            holder = holder if handler is None else handler
        if holder is None:
            return None, methods
        description = words.get(id(holder), "")
        return View(match.view_name, get_policy(holder), description), methods

    def _add_view(self, view: object) -> _ViewHolders:
        holders = _ViewHolders(view, find_view_holder(view), find_handler_holders(view))
        self._holders[id(view)] = holders
        return holders


def find_view_holder(view: object) -> object | None:
    """Return the holder of a view's policy for all methods: a layer of it, its class, or None."""
    layer = find_policy_layer(view)
    if layer is not None:
        return layer
    view_class = get_view_class(view)
    return view_class if has_policy(view_class) else None


def find_entry_holder(entries: Sequence[object]) -> object | None:
    """Return the entry or include() whose policy applies to the views below, or None.

    `entries` leads from the root URLconf to a view. The innermost holder wins, and the module that
    include() returned is inside its entry.
    """
    for entry in reversed(entries):
        for holder in (getattr(entry, "urlconf_name", None), entry):
            if has_policy(holder):
                return holder
    return None


def get_target_method(request: HttpRequest) -> str:
    """Return the method whose handler decides: for a preflight, the requested method.

    A change of the method by another middleware (`?_method=PUT`) does not count.
    """
    meta = request.META
    method: str = meta.get(METHOD) or request.method or ""
    if method == "OPTIONS" and "HTTP_ORIGIN" in meta:
        method = meta.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", method).upper()
    return method
