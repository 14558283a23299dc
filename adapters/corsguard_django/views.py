"""Which view a request reaches, and which policy of its own that view has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, get_resolver
from django.utils.translation import get_language_from_path, override

from corsguard import Guard, Policy
from corsguard.views import (
    View,
    class_in_words,
    handler_in_words,
    has_own_policy,
    in_words,
    own_policy,
    sharing,
    view_in_words,
)

__all__ = ["OF_PATH", "Holding", "Views", "decorated_in", "handlers_of", "nearest_holder"]

Holding = tuple[View | None, frozenset[str] | None]
"""The view whose policy holds for a request, None for the policy of its path; and the methods of
the URL that the policy of the path then holds for, None for all of them."""
OF_PATH: Holding = (None, None)
_Decorated = tuple[str, object, str]
"""The pattern of an entry, what holds a policy there, and that in words."""


class Views:
    """The views that have policies of their own, in every URLconf that requests are resolved by.

    Raises PolicyError where such a policy must not start, as soon as its URLconf is used.
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._found: dict[object, Mapping[int, str]] = {}

    def in_urlconf(self, urlconf: Any) -> Mapping[int, str]:
        """What has such a policy in a URLconf, None for the root one, in words and by identity.

        All of these policies are adopted. Empty where no view has one.
        """
        found = self._found.get(urlconf)
        if found is None:
            decorated = list(_decorated_in(urlconf))
            own = [(f'view "{pattern}"', own_policy(holder)) for pattern, holder, _ in decorated]
            self.guard.adopt((place, policy) for place, policy in own if policy)
            found = self._found[urlconf] = in_words(each[1:] for each in decorated)
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
        # LocaleMiddleware, which has not run yet, will take the language of i18n_patterns() from
        # the path too; a preflight has no cookie that could tell another.
        usual = settings.LANGUAGE_CODE
        for language in dict.fromkeys((get_language_from_path(path) or usual, usual)):
            with override(language), suppress(Resolver404):
                return self._holding(get_resolver(urlconf).resolve(path), request, words)
        return OF_PATH

    def _holding(
        self, match: ResolverMatch, request: HttpRequest, words: Mapping[int, str]
    ) -> Holding:
        entries = match.tried[-1] if match.tried else ()  # the last is the one that matched
        holder = nearest_holder(match.func, entries)
        handlers = handlers_of(match.func)
        methods = None
        if handlers:
            method = _method_of(request)
            policy = self.guard.policy_for(request.path_info)
            if holder is not None:
                policy = own_policy(holder)
            policies = {
                name: own_policy(handler) if has_own_policy(handler) else policy
                for name, handler in handlers.items()
            }
            methods = sharing(method, {method: policy, **policies})
            if has_own_policy(handlers.get(method)):
                holder = handlers[method]
        if holder is None:
            return None, methods
        held_by = words.get(id(holder), "")
        return View(match.view_name, own_policy(holder), methods, held_by), None


def decorated_in(urlconf: Any = None) -> Iterator[tuple[str, Policy | None]]:
    """What has a policy of its own in a URLconf, None for the root one: its pattern, the policy."""
    return ((pattern, own_policy(holder)) for pattern, holder, _ in _decorated_in(urlconf))


def _decorated_in(urlconf: Any) -> Iterator[_Decorated]:
    return _decorated(get_resolver(urlconf).url_patterns, "/", [])


def _decorated(
    entries: Iterable[Any], prefix: str, namespaces: list[str | None]
) -> Iterator[_Decorated]:
    for entry in entries:
        pattern = f"{prefix}{entry.pattern}"
        for holder in _holders(entry.callback, [entry]):
            if has_own_policy(holder):
                yield pattern, holder, _in_words(holder, entry, pattern, namespaces)
        handlers = handlers_of(entry.callback)
        for handler in dict.fromkeys(handlers.values()):  # once where GET's is that of HEAD too
            if has_own_policy(handler):
                view_class = cast(type, _class_of(entry.callback))
                yield pattern, handler, handler_in_words(view_class, handlers, handler)
        inner = [*namespaces, getattr(entry, "namespace", None)]
        yield from _decorated(getattr(entry, "url_patterns", ()), pattern, inner)


def _in_words(holder: object, entry: Any, pattern: str, namespaces: list[str | None]) -> str:
    """What holds the policy of an entry of a URLconf, unless it is a handler of a class."""
    if hasattr(entry, "url_patterns"):
        return f"every view of include() at {pattern}"
    if isinstance(holder, type):
        return class_in_words(holder)
    view_class = _class_of(holder)
    dispatch = getattr(view_class, "dispatch", None)
    # as_view() gives a view what dispatch() is decorated with.
    if view_class and has_own_policy(dispatch) and own_policy(dispatch) is own_policy(holder):
        return class_in_words(view_class, "dispatch")
    match = ResolverMatch(entry.callback, (), {}, entry.name, namespaces=namespaces)
    return view_in_words(match.view_name)


def nearest_holder(view: object, entries: Sequence[Any]) -> object | None:
    """What holds the policy of a view, which `entries` of URLconfs lead to from the root one on."""
    return next((held for held in _holders(view, entries) if has_own_policy(held)), None)


def _holders(view: object, entries: Sequence[Any]) -> Iterator[object]:
    """What may hold the policy of a view, the nearest to it first.

    `entries` are those of the URLconfs that lead to it, from the root one on.
    """
    yield view
    while isinstance(view, partial):
        yield (view := view.func)
    yield _class_of(view)
    for entry in reversed(entries):
        yield getattr(entry, "urlconf_name", None)  # what include() returned
        yield entry


def _method_of(request: HttpRequest) -> str:
    """The method whose handler is meant: that of a preflight is the one that it asks for."""
    method, meta = request.method or "", request.META
    if method == "OPTIONS" and "HTTP_ORIGIN" in meta:
        method = meta.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", method).upper()
    return method


def _class_of(view: object) -> type | None:
    while isinstance(view, partial):
        view = view.func
    return getattr(view, "view_class", None)


def handlers_of(view: object) -> Mapping[str, object]:
    """The handlers of a view's class by HTTP method, if any of them has a policy of its own."""
    return _handlers(_class_of(view))


@cache
def _handlers(view_class: type | None) -> Mapping[str, object]:
    names: Iterable[str] = getattr(view_class, "http_method_names", ())
    handlers = {
        name.upper(): getattr(view_class, name) for name in names if hasattr(view_class, name)
    }
    if "GET" in handlers:  # as View.setup() does it
        handlers.setdefault("HEAD", handlers["GET"])
    return handlers if any(map(has_own_policy, handlers.values())) else {}
