"""flask-cors, 3.0.10 and later: `CORS` on an application or a blueprint, and `@cross_origin`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from itertools import chain
from typing import Any, NamedTuple

from corsguard.cli.migrate.configuration import (
    PRIVATE_NETWORK,
    OriginRegex,
    PathScope,
    PeerConfiguration,
    PeerError,
    PeerPolicy,
    RouterPath,
    ToDo,
    as_texts,
    build_todo,
    parse_seconds,
    sample_parameter,
    split_list,
)
from corsguard.cli.migrate.route_prefixes import find_prefixes, reject_slow_pattern

__all__ = ["find_decorator", "list_resources", "read"]

_ANY = ".*"
"""What flask-cors makes of `*`."""
_REGEX_CHARACTERS = frozenset("*\\]?$^[]()")
"""A text with one of these is a regular expression for flask-cors."""
_PARAMETER = re.compile(r"<(?:([^>:]+(?:\([^>]*\))?):)?\w+>")
_APP = "CORS(app)"

Options = Mapping[str, Any]


class Resource(NamedTuple):
    """A pattern of paths, and the options that apply to it."""

    pattern: re.Pattern[str] | str
    """A text is compared as it is."""
    options: Options
    place: str

    def covers(self, path: str) -> bool:
        """Return True if flask-cors applies the options to a path."""
        if isinstance(self.pattern, str):
            return self.pattern == path
        return self.pattern.match(path) is not None


_Key = tuple[Resource, ...]
"""The resources that apply to a view, in the order in which an origin is looked up in them."""


def read(app: object) -> PeerConfiguration | None:
    """Return what flask-cors does in a Flask application; None if it does nothing."""
    if not isinstance(app, import_module("flask").Flask):
        return None
    flask_app: Any = app
    reader = _Reader(flask_app)
    policies = reader.read()
    if not policies:
        return None
    return PeerConfiguration(
        "flask-cors",
        version("flask-cors"),
        "flask",
        tuple(policies),
        tuple(dict.fromkeys(reader.todos)),
        tuple(dict.fromkeys(reader.notes)),
        tuple(_iter_paths(flask_app)),
        app,
    )


def list_resources(function: Any) -> list[tuple[Any, Any]] | None:
    """Return (pattern, options) of an after_request function of flask-cors; None for another."""
    if not _is_of_peer(function):
        return None
    found = _get_closure(function).get("resources")
    return None if found is None else list(found)


def find_decorator(view: Any) -> dict[str, Any] | None:
    """Return the options of the outermost `@cross_origin` on a view; None if it has none."""
    while view is not None:
        if _is_of_peer(view) and "_options" in (closure := _get_closure(view)):
            return dict(closure["_options"])
        view = getattr(view, "__wrapped__", None)
    return None


class _Reader:
    """The policies of an application, and what can't be one."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._core = import_module("flask_cors.core")
        self.todos: list[ToDo] = []
        self.notes: list[str] = []

    def read(self) -> list[PeerPolicy]:
        """Return the policies: first those of paths, then those of views that differ from them."""
        self._name_unknown_settings()
        by_app = self._list_after_request(None, _APP)
        paths: dict[str, list[str]] = {}
        for rule in self._app.url_map.iter_rules():
            paths.setdefault(rule.endpoint, []).append(_sample_path(rule))
        self._reject_slow_patterns([path for found in paths.values() for path in found])
        routes = self._find_routes(by_app, paths)
        views = dict(self._find_views(routes, paths))
        self._name_private_network([*routes.values(), *views.values()])
        policies = [
            _build_policy(each, PathScope((prefix,)))
            for prefix, key in routes.items()
            for each in key
        ]
        for scope, key in self._group_by_blueprint(views, [*paths]):
            policies += [_build_policy(each, scope) for each in key]
        return policies

    def _list_after_request(self, blueprint: str | None, place: str) -> list[list[Resource]]:
        """Return the resources of each CORS object, the one that runs first before the others."""
        functions = self._app.after_request_funcs.get(blueprint, ())
        found = filter(None, map(list_resources, reversed(list(functions))))
        return [[self._build_resource(*pair, place) for pair in pairs] for pairs in found]

    def _reject_slow_patterns(self, paths: Collection[str]) -> None:
        """Raise PeerError for a pattern that hangs on a path, as each request to that does."""
        for name in self._app.after_request_funcs:
            for resource in chain.from_iterable(self._list_after_request(name, "")):
                reject_slow_pattern(resource.pattern, paths, "resources")

    def _build_resource(self, pattern: Any, options: Any, place: str) -> Resource:
        # Newer versions forget the names that they do not know.
        self._name_unknown_options(options if isinstance(options, dict) else {}, place)
        return Resource(_as_pattern(pattern), _as_mapping(options), place)

    def _find_views(
        self, routes: Mapping[str, _Key], paths: Mapping[str, list[str]]
    ) -> Iterator[tuple[str, _Key]]:
        """Yield the views with resources that are not those of the route of their path."""
        for endpoint, found in paths.items():
            keys = [self._resolve(endpoint, path) for path in found]
            by_path = [_apply_routes(routes, path) for path in found]
            if keys == by_path:
                continue
            if all(key == keys[0] for key in keys):
                yield endpoint, keys[0]
            else:
                self.todos.append(
                    build_todo(
                        f'the view "{endpoint}" answers at {" and ".join(found)}, for which '
                        "flask-cors has different options: write a route for each path",
                        self._app.view_functions.get(endpoint),
                    )
                )

    def _resolve(self, endpoint: str, path: str) -> _Key:
        """Return the resources that apply to a view at a path, in order; its decorator's first.

        The one that sets the header first wins, and the next ones are used for other origins.
        """
        decorated = self._read_decorator(endpoint)
        if decorated is not None:
            return (decorated,)
        layers: list[list[Resource]] = []
        name = endpoint
        while "." in name:
            name = name.rpartition(".")[0]
            layers += self._list_after_request(name, f"CORS({name})")
        layers += self._list_after_request(None, _APP)
        found = (next((each for each in layer if each.covers(path)), None) for layer in layers)
        return tuple(each for each in found if each)

    def _read_decorator(self, endpoint: str) -> Resource | None:
        view = self._app.view_functions.get(endpoint)
        given = find_decorator(view)
        if given is None:
            self._find_method_decorators(endpoint, view)
            return None
        place = f'@cross_origin on view "{endpoint}"'
        self._name_unknown_options(given, place)
        try:
            options = self._core.get_cors_options(self._app, given)
        except ValueError as error:  # which each request to the view raises
            raise PeerError(f"{place} is not valid: {error}") from None
        return Resource("", _as_mapping(options), place)

    def _find_method_decorators(self, endpoint: str, view: Any) -> None:
        """Add a to-do for each method of a view class that has its own @cross_origin."""
        kind: Any = getattr(view, "view_class", None)
        for method in sorted(getattr(kind, "methods", None) or ()):
            handler = getattr(kind, method.lower(), None)
            if find_decorator(handler) is not None:
                self.todos.append(
                    build_todo(
                        f'{kind.__name__}.{method.lower()} of view "{endpoint}" has its own '
                        "@cross_origin: write @cors_policy(Policy(...)) there",
                        handler,
                    )
                )

    def _find_routes(
        self, layers: list[list[Resource]], paths: Mapping[str, list[str]]
    ) -> dict[str, _Key]:
        """Return prefix -> resources, as far as prefixes can say what patterns of paths say."""
        every = [path for found in paths.values() for path in found]
        prefixes: dict[str, None] = {}
        for layer in layers:
            for resource in layer:
                found = find_prefixes(resource.pattern, every)
                if found is None:
                    self._name_pattern(resource)
                prefixes.update(dict.fromkeys(found or ()))
        routes: dict[str, _Key] = {}
        for prefix in prefixes:
            sample = prefix if prefix == "/" else f"{prefix}/"
            covering = (
                next((each for each in layer if _is_covered(each, prefix, sample)), None)
                for layer in layers
            )
            routes[prefix] = tuple(each for each in covering if each)
        return {prefix: key for prefix, key in routes.items() if key}

    def _name_pattern(self, resource: Resource) -> None:
        source = getattr(resource.pattern, "pattern", resource.pattern)
        self.notes.append(
            f"resources '{source}': no route prefix says this pattern, so the views that it covers "
            "have policies of their own"
        )

    def _group_by_blueprint(
        self, views: Mapping[str, _Key], endpoints: Iterable[str]
    ) -> Iterator[tuple[PathScope, _Key]]:
        """Yield the views with their resources; those of a blueprint at once where they agree.

        Decorated views are not of them: their policy wins over that of the blueprint.
        """
        rest = dict(views)
        registrations = Counter(map(id, self._app.blueprints.values()))
        for name, blueprint in self._app.blueprints.items():
            if registrations[id(blueprint)] > 1:  # its policy would be that of all its names
                continue
            members = [
                each
                for each in endpoints
                if each.startswith(f"{name}.") and not _is_decorated(rest.get(each, ()))
            ]
            key = rest.get(members[0]) if members else None
            is_shared = all(rest.get(each) == key for each in members)
            if key and is_shared and any(each.place.startswith("CORS(") for each in key):
                yield PathScope((), tuple(members), name), key
                for each in members:
                    del rest[each]
        for endpoint, key in rest.items():
            yield PathScope((), (endpoint,)), key

    def _name_private_network(self, keys: Iterable[_Key]) -> None:
        """Add a note if the option is set; in 4.0, it was on by default."""
        name = "allow_private_network"
        is_set = any(each.options.get(name) for key in keys for each in key)
        if is_set and not self._core.DEFAULT_OPTIONS.get(name, True):
            self.notes.append(PRIVATE_NETWORK)

    def _name_unknown_options(self, given: Mapping[str, Any], place: str) -> None:
        known = set(self._core.DEFAULT_OPTIONS)
        for name in given:
            if name not in known:
                self.notes.append(_describe_unknown(f"{name} of {place}", name, known))

    def _name_unknown_settings(self) -> None:
        known = set(self._core.CONFIG_OPTIONS)
        for name in self._app.config:
            if name.startswith("CORS_") and name not in known:
                self.notes.append(_describe_unknown(f'app.config["{name}"]', name, known))


def _describe_unknown(shown: str, name: str, known: set[str]) -> str:
    close = get_close_matches(name, known, 1)
    meant = f"; was {close[0]} meant?" if close else ""
    return f"{shown} is not an option of flask-cors, and never had an effect{meant}"


def _build_policy(resource: Resource, scope: PathScope) -> PeerPolicy:
    options = resource.options
    origins = list(options["origins"])
    headers = [getattr(each, "pattern", each) for each in options["allow_headers"]]
    patterns = [_as_pattern(each) for each in origins]
    is_any = _ANY in [getattr(each, "pattern", each) for each in origins]
    return PeerPolicy(
        resource.place,
        scope,
        ("*",) * is_any + tuple(each for each in patterns if isinstance(each, str)),
        tuple(
            OriginRegex(each.pattern, each.flags | re.IGNORECASE, is_prefix=True)
            for each in patterns
            if isinstance(each, re.Pattern) and each.pattern != _ANY
        ),
        bool(options["supports_credentials"]),
        split_list(options["methods"]),
        ("*",) if _ANY in headers else as_texts(headers),
        split_list(options["expose_headers"]),
        _as_seconds(options["max_age"]),
    )


def _as_seconds(given: Any) -> int | None:
    if not given:  # it does not send an int of 0 either
        return None
    return parse_seconds(given.total_seconds() if isinstance(given, timedelta) else given)


def _as_mapping(options: Any) -> Options:
    """Return the options of any version: a dict, or an object in the newer ones."""
    return dict(options if isinstance(options, dict) else vars(options))


def _as_pattern(given: Any) -> re.Pattern[str] | str:
    """Return a text as the regular expression that older versions read it as, if they do."""
    is_regex = isinstance(given, str) and not _REGEX_CHARACTERS.isdisjoint(given)
    found: re.Pattern[str] | str = re.compile(given) if is_regex else given
    return found


def _apply_routes(routes: Mapping[str, _Key], path: str) -> _Key:
    covering = [
        prefix for prefix in routes if f"{path.rstrip('/')}/".startswith(f"{prefix.rstrip('/')}/")
    ]
    return routes[max(covering, key=len)] if covering else ()


def _is_decorated(key: _Key) -> bool:
    return any(each.place.startswith("@") for each in key)


def _is_covered(resource: Resource, prefix: str, sample: str) -> bool:
    return resource.covers(sample) or resource.covers(prefix)


def _is_of_peer(function: Any) -> bool:
    """Return True for a function that the code of flask-cors has made."""
    names = getattr(function, "__globals__", {})  # __module__ is that of the wrapped function
    return str(names.get("__name__", "")).partition(".")[0] == "flask_cors"


def _get_closure(function: Any) -> dict[str, Any]:
    """Return the variables that a function has from the one around it."""
    cells = function.__closure__ or ()
    return {
        name: cell.cell_contents
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True)
    }


def _sample_path(rule: Any) -> str:
    return _PARAMETER.sub(lambda match: sample_parameter(match[1] or ""), rule.rule)


def _iter_paths(app: Any) -> Iterator[RouterPath]:
    for rule in app.url_map.iter_rules():
        yield RouterPath(_sample_path(rule), tuple(sorted(rule.methods)), rule.endpoint)
