"""django-cors-headers: its settings, its signal, and subclasses of its middleware."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from itertools import takewhile
from typing import Any
from weakref import ReferenceType

from corsguard.cli.migrate.configuration import (
    PRIVATE_NETWORK,
    OriginRegex,
    PathScope,
    PeerConfiguration,
    PeerPolicy,
    RouterPath,
    ToDo,
    as_texts,
    build_todo,
    parse_seconds,
    sample_parameter,
)
from corsguard.cli.migrate.route_prefixes import find_prefixes, reject_slow_pattern

__all__ = ["read", "read_settings"]

_OLD_NAMES = ("CORS_ORIGIN_ALLOW_ALL", "CORS_ORIGIN_WHITELIST", "CORS_ORIGIN_REGEX_WHITELIST")
"""Settings of before 3.5, which still take effect."""
_GONE = {
    "CORS_MODEL": "removed in 3.0: connect check_request_enabled",
    "CORS_REPLACE_HTTPS_REFERER": "removed in 4.0: use CSRF_TRUSTED_ORIGINS",
}
"""Setting that no longer has an effect -> why."""
_PARAMETER = re.compile(r"<(?:(\w+):)?\w+>")
_NOT_LITERAL = frozenset("$.*+?()[]{}|\\")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""What a view is assumed to take where it does not say it."""


def read(app: object) -> PeerConfiguration | None:
    """Return what django-cors-headers does in a Django project, if `app` is one; else None."""
    handler = import_module("django.core.handlers.base").BaseHandler
    return read_settings(app) if isinstance(app, handler) else None


def read_settings(app: object = None) -> PeerConfiguration | None:
    """Return what django-cors-headers does by the settings; None if it is not in MIDDLEWARE."""
    settings = import_module("django.conf").settings
    layers = list(_find_layers(settings.MIDDLEWARE))
    if not layers:
        return None
    conf = import_module("corsheaders.conf").conf
    paths = tuple(_iter_paths(import_module("django.urls").get_resolver().url_patterns, "/"))
    todos = [*_find_overridden(layers[0]), *_find_receivers()]
    scope = _read_scope(conf.CORS_URLS_REGEX, paths, todos)
    is_any = bool(conf.CORS_ALLOW_ALL_ORIGINS)
    regexes = tuple(map(_as_regex, conf.CORS_ALLOWED_ORIGIN_REGEXES))
    policy = PeerPolicy(
        "settings",
        scope,
        ("*",) * is_any + as_texts(conf.CORS_ALLOWED_ORIGINS),
        regexes,
        bool(conf.CORS_ALLOW_CREDENTIALS),
        as_texts(conf.CORS_ALLOW_METHODS),
        as_texts(conf.CORS_ALLOW_HEADERS),
        as_texts(conf.CORS_EXPOSE_HEADERS),
        parse_seconds(conf.CORS_PREFLIGHT_MAX_AGE) or None,
    )
    return PeerConfiguration(
        "django-cors-headers",
        version("django-cors-headers"),
        "django",
        (policy,),
        tuple(todos),
        tuple(_name_unknown(settings, type(conf))),
        paths,
        app,
    )


def _find_layers(names: Iterable[str]) -> Iterator[type]:
    """Yield the classes in MIDDLEWARE that are the peer's, or are derived from it."""
    import_string = import_module("django.utils.module_loading").import_string
    middleware = import_module("corsheaders.middleware").CorsMiddleware
    for name in names:
        found = import_string(name)
        if isinstance(found, type) and issubclass(found, middleware):
            yield found


def _find_overridden(kind: type) -> Iterator[ToDo]:
    """Yield a to-do for each method that a subclass of the middleware overrides."""
    middleware = import_module("corsheaders.middleware").CorsMiddleware
    for name, method in vars(middleware).items():
        found = getattr(kind, name)
        if callable(method) and name != "__init__" and found is not getattr(middleware, name):
            yield build_todo(
                f"the subclass {kind.__name__} overrides {name}: write a callable(origin) -> bool "
                "for allow_origins, or routes",
                found,
            )


def _find_receivers() -> Iterator[ToDo]:
    """Yield a to-do for each function that is connected to check_request_enabled."""
    signal = import_module("corsheaders.signals").check_request_enabled
    for entry in signal.receivers:
        receiver = entry[1]() if isinstance(entry[1], ReferenceType) else entry[1]
        if receiver is not None:
            name = getattr(receiver, "__name__", type(receiver).__name__)
            yield build_todo(
                f"the receiver {name} of check_request_enabled decides by the request: write a "
                "callable(origin) -> bool for allow_origins, or routes",
                receiver,
            )


def _read_scope(
    given: str | re.Pattern[str], paths: Collection[RouterPath], todos: list[ToDo]
) -> PathScope:
    """Return the prefixes for CORS_URLS_REGEX; where none say it, its views, with a to-do."""
    pattern = re.compile(given)
    reject_slow_pattern(pattern, [each.path for each in paths], "CORS_URLS_REGEX")
    found = find_prefixes(pattern, [each.path for each in paths])
    if found is not None:
        return PathScope(tuple(found))
    views = dict.fromkeys(each.view for each in paths if pattern.match(each.path))
    outside = {each.view for each in paths if not pattern.match(each.path)}
    whole = tuple(view for view in views if view not in outside)
    todos.append(
        ToDo(
            f"CORS_URLS_REGEX '{pattern.pattern}': no route prefix says this pattern. Write "
            f"@cors_policy on the views that it covers: {', '.join(whole) or 'none'}"
        )
    )
    todos.extend(
        ToDo(
            f"CORS_URLS_REGEX '{pattern.pattern}' covers some of the paths of the view {view} and "
            "not others: @cors_policy is for all of them, so it needs a view of its own"
        )
        for view in views
        if view in outside
    )
    return PathScope((), whole)


def _as_regex(given: str | re.Pattern[str]) -> OriginRegex:
    if isinstance(given, str):
        return OriginRegex(given, is_prefix=True)
    return OriginRegex(given.pattern, given.flags, is_prefix=True)


def _name_unknown(settings: Any, conf: type) -> Iterator[str]:
    """Yield a sentence for each setting that looks like one of the peer's, and is none."""
    if getattr(settings, "CORS_ALLOW_PRIVATE_NETWORK", False):
        yield PRIVATE_NETWORK
    known = [name for name in vars(conf) if name.startswith("CORS_")]
    for name in dir(settings):
        if not name.startswith("CORS_") or name in known or name in _OLD_NAMES:
            continue
        if name in _GONE:
            yield f"{name} has no effect, {_GONE[name]}"
            continue
        close = get_close_matches(name, known, 1)
        meant = f"; was {close[0]} meant?" if close else ""
        yield f"{name} is not a setting of django-cors-headers, and never had an effect{meant}"


def _iter_paths(entries: Iterable[Any], prefix: str) -> Iterator[RouterPath]:
    """Yield a path of each URL pattern. Of a regular expression, its literal beginning."""
    for entry in entries:
        path = prefix + _sample(str(entry.pattern))
        if hasattr(entry, "url_patterns"):
            yield from _iter_paths(entry.url_patterns, path)
        else:
            yield RouterPath(path, tuple(_list_methods(entry.callback)), _name_view(entry))


def _name_view(entry: Any) -> str:
    """Return the name of a URL pattern, or of its view."""
    view = entry.callback
    named = getattr(view, "view_class", view)
    return str(entry.name or getattr(named, "__name__", type(view).__name__))


def _sample(pattern: str) -> str:
    literal = _PARAMETER.sub(lambda match: sample_parameter(match[1] or ""), pattern.lstrip("^"))
    return "".join(takewhile(lambda each: each not in _NOT_LITERAL, literal))


def _list_methods(view: Any) -> Iterable[str]:
    kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
    found = [each for each in _METHODS if hasattr(kind, each.lower())]
    return found or _METHODS
