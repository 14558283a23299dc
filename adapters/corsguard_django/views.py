"""Which view a request reaches, and which policy of its own that view has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, get_resolver
from django.utils.translation import override

from corsguard import Guard, PolicyError
from corsguard.guard.view_policies import (
    View,
    describe_holders,
    find_shared_methods,
    get_policy,
    has_policy,
)
from corsguard_django.languages import languages_of
from corsguard_django.layers import class_of, decorated_handlers
from corsguard_django.walk import decorated_layer_of, walked

__all__ = [
    "METHOD",
    "OF_PATH",
    "Holding",
    "Views",
    "holder_around",
    "holder_of_view",
    "method_of",
]

METHOD = "corsguard.method"
"""The key of META under which CORSMiddleware leaves the method that it has seen."""
Holding = tuple[View | None, frozenset[str] | None]
"""The view whose policy holds for a request, None for the policy of its path; and the methods of
the URL that the policy of the path then holds for, None for all of them."""
OF_PATH: Holding = (None, None)


class _Known(NamedTuple):
    """What is known of a view, which is kept so that no other has its id."""

    view: object
    holder: object | None
    """What holds the policy for all methods; None where nothing of the view does."""
    handlers: Mapping[str, object | None]
    """What holds the policy of a method, None for the same as the rest; empty without any."""


class Views:
    """The views that have policies of their own, in every URLconf that requests are resolved by.

    Raises PolicyError where such a policy must not start, as soon as its URLconf is used.
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._found: dict[object, Mapping[int, str]] = {}
        self._translated: set[object] = set()  # the URLconfs that differ between languages
        self._known: dict[int, _Known] = {}  # by the id of the view

    def in_urlconf(self, urlconf: Any) -> Mapping[int, str]:
        """What has such a policy in a URLconf, None for the root one, in words and by identity.

        All of these policies are adopted. Empty where no view has one.
        """
        found = self._found.get(urlconf)
        if found is None:
            walk = walked(urlconf)
            if walk.hidden:
                raise PolicyError(walk.hidden)
            own = [(f'view "{each.pattern}"', get_policy(each.holder)) for each in walk.decorated]
            self.guard.adapter.add_views((place, policy) for place, policy in own if policy)
            if walk.is_translated:
                self._translated.add(urlconf)
            words = ((each.holder, each.in_words) for each in walk.decorated)
            found = self._found[urlconf] = describe_holders(words)
        return found

    def reached(self, request: HttpRequest) -> Holding:
        """What holds for the view that Django has found."""
        match = request.resolver_match
        words = self.in_urlconf(getattr(request, "urlconf", None))
        if not words or match is None:
            return OF_PATH
        return self._holding(match, request, words)

    def ahead(self, request: HttpRequest) -> Holding:
        """What holds for the view that Django will find, or would have found, had nobody answered
        on the way there, such as a cache: that is an answer in the name of the view."""
        urlconf = getattr(request, "urlconf", None)
        words = self.in_urlconf(urlconf)
        if not words:
            return OF_PATH
        path = request.path_info
        languages = [settings.LANGUAGE_CODE]
        if urlconf in self._translated:
            languages = languages_of(request, urlconf)
        for language in languages:
            with override(language), suppress(Resolver404):
                return self._holding(get_resolver(urlconf).resolve(path), request, words)
        return OF_PATH

    def _holding(
        self, match: ResolverMatch, request: HttpRequest, words: Mapping[int, str]
    ) -> Holding:
        entries = match.tried[-1] if match.tried else ()  # the last is the one that matched
        known = self._known.get(id(match.func)) or self._know(match.func)
        holder = known.holder
        if holder is None:
            holder = holder_around(entries)
        methods = None
        if known.handlers:
            method = method_of(request)
            policy = self.guard.policy_for(request.path_info)
            if holder is not None:
                policy = get_policy(holder)
            policies = {
                name: policy if handler is None else get_policy(handler)
                for name, handler in known.handlers.items()
            }
            methods = find_shared_methods(method, {method: policy, **policies})
            handler = known.handlers.get(method)
            holder = holder if handler is None else handler
        if holder is None:
            return None, methods
        held_by = words.get(id(holder), "")
        return View(match.view_name, get_policy(holder), held_by), methods

    def _know(self, view: object) -> _Known:
        known = self._known[id(view)] = _Known(view, holder_of_view(view), decorated_handlers(view))
        return known


def holder_of_view(view: object) -> object | None:
    """Return what holds the policy of a view for all methods: a layer of it, or its class."""
    layer = decorated_layer_of(view)
    if layer is not None:
        return layer
    view_class = class_of(view)
    return view_class if has_policy(view_class) else None


def holder_around(entries: Sequence[object]) -> object | None:
    """Return what holds the policy of the views below entries of URLconfs, the root one first.

    The nearest to the views wins. What include() returned is nearer than the entry that it is in.
    """
    for entry in reversed(entries):
        for holder in (getattr(entry, "urlconf_name", None), entry):
            if has_policy(holder):
                return holder
    return None


def method_of(request: HttpRequest) -> str:
    """Return the method whose handler is meant: that of a preflight is the one that it asks for.

    What another middleware makes of the method further down is left aside (`?_method=PUT`).
    """
    meta = request.META
    method: str = meta.get(METHOD) or request.method or ""
    if method == "OPTIONS" and "HTTP_ORIGIN" in meta:
        method = meta.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", method).upper()
    return method
