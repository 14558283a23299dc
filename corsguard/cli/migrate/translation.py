"""The translation of a peer's configuration into the one configuration shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from corsguard import Guard, Policy, PolicyError, Problem
from corsguard.cli.migrate.configuration import PeerConfiguration, PeerPolicy, ToDo
from corsguard.cli.migrate.origins import translate_origins
from corsguard.fetch_spec import (
    FORBIDDEN_METHODS,
    FORBIDDEN_RESPONSE_HEADERS,
    MAX_AGE_LIMIT,
    NORMALIZED_METHODS,
    REGISTERED_METHODS,
    RESPONSE_HEADERS,
    is_forbidden_request_header,
    is_token,
)
from corsguard.policy.warning_filter import ignore_policy_warnings

__all__ = ["Translation", "ViewPolicies", "find_problems", "translate"]

ALLOW_NOTHING: Mapping[str, Any] = {"routes": {"/": None}}
"""The configuration where only code has policies. An empty one is refused: it may be an error."""

_ECHOING = frozenset({"flask-cors", "Starlette", "express cors"})
"""The peers that answer `*` with the requested names, of which `Authorization` may be one."""

Fields = dict[str, Any]


class ViewPolicies(NamedTuple):
    """The policies of a view or of all views of a blueprint."""

    kind: str
    """`view` or `blueprint`."""
    name: str
    views: tuple[str, ...]
    """The names of the views."""
    policies: tuple[Fields, ...]
    """The fields of each policy; the first that covers an origin decides."""
    place: str
    """Where the peer was configured, in words."""


class Translation(NamedTuple):
    """What corsguard has to be configured with, and what is to be said about it."""

    mapping: Mapping[str, Any]
    """The one configuration shape. It may contain regular expressions."""
    views: tuple[ViewPolicies, ...]
    """Policies that the mapping can't hold: those of views and blueprints."""
    todos: tuple[ToDo, ...]
    notes: tuple[str, ...]


def translate(configuration: PeerConfiguration) -> Translation:
    """Return the policies that say what a peer's configuration does."""
    notes = list(configuration.notes)
    todos = list(configuration.todos)
    routes: dict[str, list[Fields]] = {}
    views: dict[tuple[str, tuple[str, ...]], list[tuple[PeerPolicy, Fields]]] = {}
    for policy in configuration.policies:
        fields = _FieldReader(policy, configuration.peer, notes, todos).read()
        for prefix in policy.scope.prefixes:
            routes.setdefault(prefix, []).append(fields)
        if policy.scope.views:
            key = (policy.scope.blueprint, policy.scope.views)
            views.setdefault(key, []).append((policy, fields))
    return Translation(
        _build_mapping(routes, configuration.framework),
        tuple(_build_views(*key, found) for key, found in views.items()),
        tuple(dict.fromkeys(todos)),
        tuple(dict.fromkeys(notes)),
    )


def find_problems(translation: Translation) -> tuple[Problem, ...]:
    """Return why the policies of a translation do not start; empty if they do."""
    problems: list[Problem] = []
    with ignore_policy_warnings():
        if translation.mapping != {"routes": {}}:
            try:
                Guard.from_mapping(translation.mapping)
            except PolicyError as error:
                problems += error.problems
        for each in translation.views:
            for fields in each.policies:
                try:
                    Policy(**fields)
                except PolicyError as error:
                    owner = f"{each.kind} {each.name}"
                    problems += [problem.within(owner) for problem in error.problems]
    return tuple(problems)


def _build_mapping(routes: Mapping[str, list[Fields]], framework: str) -> Mapping[str, Any]:
    """Return the one configuration shape: the fields at the top where one policy is for all."""
    if not routes and framework != "flask":  # whose extension may have policies of views alone
        return ALLOW_NOTHING
    entries = {prefix: _cut_list(found) for prefix, found in sorted(routes.items())}
    if entries.keys() == {"/"} and len(entries["/"]) == 1:
        return entries["/"][0]
    return {
        "routes": {
            prefix: found[0] if len(found) == 1 else found for prefix, found in entries.items()
        }
    }


def _cut_list(policies: list[Fields]) -> list[Fields]:
    """Return the policies up to the first for any origin: no request reaches those after it."""
    kept: list[Fields] = []
    for fields in policies:
        if fields not in kept:
            kept.append(fields)
        if fields["allow_origins"] == ["*"]:
            break
    return kept


def _build_views(
    blueprint: str, names: tuple[str, ...], found: list[tuple[PeerPolicy, Fields]]
) -> ViewPolicies:
    kind, name = ("blueprint", blueprint) if blueprint else ("view", names[0])
    policies = tuple(_cut_list([fields for _, fields in found]))
    return ViewPolicies(kind, name, names, policies, found[0][0].place)


class _FieldReader:
    """The fields of one policy, and what is left out of them on the way."""

    def __init__(self, policy: PeerPolicy, peer: str, notes: list[str], todos: list[ToDo]) -> None:
        self._policy = policy
        self._peer = peer
        self._notes = notes
        self._todos = todos

    def read(self) -> Fields:
        policy = self._policy
        origins = translate_origins(policy.origins, policy.regexes, self._peer)
        self._notes += origins.notes
        self._todos += origins.todos
        fields: Fields = {"allow_origins": origins.entries}
        if policy.credentials:
            fields["allow_credentials"] = True
        fields["allow_methods"] = self._read_methods()
        fields["allow_headers"] = self._read_headers()
        if exposed := self._read_exposed():
            fields["expose_headers"] = exposed
        fields["max_age"] = self._read_max_age()
        return fields

    def _read_methods(self) -> list[str]:
        methods = dict.fromkeys(self._policy.methods)
        if "*" in methods:
            return self._read_wildcard("methods", methods)
        kept: dict[str, None] = {}
        for method in methods:
            if method.upper() in FORBIDDEN_METHODS or not is_token(method):
                self._notes.append(f"method {method}: no browser asks for it; left out")
            elif method != method.upper() and method.upper() in REGISTERED_METHODS:
                if method.upper() not in NORMALIZED_METHODS:
                    self._notes.append(
                        f"method {method}: never matched, browsers ask for {method.upper()}; "
                        f"listed as {method.upper()}"
                    )
                kept[method.upper()] = None
            else:
                kept[method] = None
        return list(kept)

    def _read_headers(self) -> list[str]:
        names = _merge_case(self._policy.headers)
        if "*" in names:
            if self._peer not in _ECHOING:
                return self._read_wildcard("headers", names)
            return ["*"] if self._policy.credentials else ["*", "Authorization"]
        kept = []
        for name in names:
            key = name.lower()
            is_ours = key in RESPONSE_HEADERS or key.startswith("access-control-")
            if is_ours or is_forbidden_request_header(key):
                self._notes.append(f"header {name}: no browser asks for it; left out")
            elif not is_token(name):
                self._notes.append(f"header {name!r}: not a name of a header; left out")
            else:
                kept.append(name)
        return kept

    def _read_wildcard(self, kind: str, names: Mapping[str, None]) -> list[str]:
        """Return the list of a peer that sends `*` as it is, which means itself with cookies."""
        if not self._policy.credentials:
            return ["*"]
        self._todos.append(
            ToDo(
                f"allow_{kind} * with credentials allowed nothing: browsers read it as a name. "
                f"List the {kind} to allow; it is left out"
            )
        )
        return [name for name in names if name != "*"]

    def _read_exposed(self) -> list[str]:
        kept = []
        for name in _merge_case(self._policy.expose_headers):
            if name == "*":
                if not self._policy.credentials:
                    return ["*"]
                self._todos.append(
                    ToDo(
                        "expose * with credentials exposes only a header named *; "
                        "list the headers to expose"
                    )
                )
            elif name.lower() in FORBIDDEN_RESPONSE_HEADERS:
                self._notes.append(f"expose {name}: never readable; left out")
            elif name.lower() in RESPONSE_HEADERS:
                self._notes.append(f"expose {name}: of no use to a script; left out")
            elif not is_token(name):
                self._notes.append(f"expose {name!r}: not a name of a header; left out")
            else:
                kept.append(name)
        return kept

    def _read_max_age(self) -> int | None:
        given = self._policy.max_age
        if given is None:
            return None
        seconds = min(max(given, 0), MAX_AGE_LIMIT)
        if seconds != given:
            self._notes.append(f"max-age {given}: browsers cache for {seconds} s at most")
        return seconds


def _merge_case(names: tuple[str, ...]) -> dict[str, None]:
    """Return names without those that differ from an earlier one by case alone."""
    first = {name.lower(): name for name in reversed(names)}
    return {first[key]: None for key in dict.fromkeys(name.lower() for name in names)}
