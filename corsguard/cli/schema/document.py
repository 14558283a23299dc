"""The JSON Schema of a configuration file, built from the keys and defaults that the readers have.

It is of draft 7, the newest that all editors read well. Taplo, the language server of TOML in VS
Code, Neovim and Helix, looks for the texts of a key by the rules of the older drafts: it drops what
is beside a `$ref`, and finds nothing behind `if`. Older editors of JetBrains know no newer draft.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any

from corsguard import fetch_spec
from corsguard.cli.schema.patterns import ORIGIN, OWN_ORIGIN, PREFIX, TOKEN, match_any_case
from corsguard.cli.schema.texts import TEXTS
from corsguard.errors import DOCUMENTATION_URL
from corsguard.guard.config import POLICY_KEYS
from corsguard.guard.options import Options
from corsguard.guard.source_options import SourceOptions
from corsguard.policy import Policy, validation
from corsguard.policy.origin_entry import FLAGS_OF_ENTRIES
from corsguard.policy.origin_validation import validate_origins
from corsguard.policy.unknown_fields import CANDIDATE_KEYS, DOCUMENT_KEYS
from corsguard.policy.validation import VALIDATORS

__all__ = ["SCHEMA_URL", "build_schema", "format_schema"]

SCHEMA_URL = f"{DOCUMENTATION_URL}corsguard.schema.json"
"""The address at which the documentation publishes the schema."""

Schema = dict[str, Any]


def format_schema() -> str:
    """Return the schema as the text of a JSON file."""
    return f"{json.dumps(build_schema(), indent=2, ensure_ascii=False)}\n"


def build_schema() -> Schema:
    """Return the schema of a configuration file."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": SCHEMA_URL,
        "title": "corsguard.toml",
        "description": "The CORS policies of a service: the fields of one policy, or `routes`, "
        f"and the options of the guard.\n\n{DOCUMENTATION_URL}configuration.html",
        **_build_document(DOCUMENT_KEYS),
        "definitions": {
            **{key: _PROPERTIES[key] for key in DOCUMENT_KEYS},
            "policy": {"title": "Policy", **_build_policy()},
            "entry": _build_entry(),
            "prefix": {"title": "Path prefix", "type": "string", "pattern": PREFIX},
            "route": _build_route(),
        },
    }


def _refer_to(keys: Iterable[str]) -> Schema:
    """Return the properties of a table with keys whose schemas are definitions."""
    return {key: {"$ref": f"#/definitions/{key}"} for key in keys}


def _build_document(keys: tuple[str, ...]) -> Schema:
    """Return the schema of a table that has the fields of a policy, or `routes`, among its keys."""
    needs_origins = {key: ["allow_origins"] for key in VALIDATORS if key != "allow_origins"}
    beside_routes = {"routes": {"properties": dict.fromkeys(VALIDATORS, False)}}
    beside_source = {"source": {"properties": dict.fromkeys(POLICY_KEYS, False)}}
    dependencies: Schema = {**needs_origins, **beside_routes}
    if "source" in keys:
        dependencies |= beside_source
    return {**_build_table(_refer_to(keys)), "dependencies": dependencies, **_FORBID_WILDCARD}


def _build_table(properties: Schema, *required: str) -> Schema:
    table: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return table | ({"required": list(required)} if required else {})


def _describe(key: str, schema: Schema) -> Schema:
    """Return the schema of a key with its texts, its default and the address of its page."""
    text = TEXTS[key]
    description = text.description
    described: Schema = {"title": text.title}
    if key in _DEFAULTS:
        default = _DEFAULTS[key]
        value = list(default) if isinstance(default, tuple) else default
        description += f" Default: `{json.dumps(value)}`."
        described["default"] = value
    described["description"] = f"{description}\n\n{DOCUMENTATION_URL}{text.page}.html"
    return {**described, **schema, "examples": list(text.examples)}


def _list_defaults(owner: Callable[..., object]) -> dict[str, Any]:
    """Return parameter -> default, without those that are required or None."""
    parameters = signature(owner).parameters.values()
    return {
        each.name: each.default
        for each in parameters
        if each.default is not each.empty and each.default is not None
    }


def _build_list(items: Schema, **others: Any) -> Schema:
    return {"type": "array", "items": items, **others}


def _build_names(name: Schema, beside_wildcard: Schema, **others: Any) -> Schema:
    """Return the schema of a list of names. `beside_wildcard` is that of each entry beside `*`."""
    is_any = {"if": {"contains": _WILDCARD}, "then": {"items": beside_wildcard}}
    return {**_build_list(name, **others), **is_any}


def _build_method() -> Schema:
    """Return the schema of a method: a registered one in upper case, and others as they are."""
    usable = sorted(fetch_spec.REGISTERED_METHODS - fetch_spec.FORBIDDEN_METHODS)
    known = fetch_spec.REGISTERED_METHODS | fetch_spec.FORBIDDEN_METHODS
    other = {"pattern": TOKEN, "not": {"pattern": match_any_case(known)}}
    return {"type": "string", "anyOf": [{"enum": usable}, other]}


def _build_entry() -> Schema:
    """Return the schema of an entry of `allow_origins`, which is a text or one of two tables.

    It has no `anyOf`, as the routes have none: an editor would report the whole entry, and not what
    is wrong in it.
    """
    table = _build_table(
        {
            "set": _describe("set", {"type": "string"}),
            "origin": _describe("origin", {"type": "string", "pattern": ORIGIN}),
            "dangerously": _describe(
                "dangerously", _build_list({"enum": list(FLAGS_OF_ENTRIES)}, minItems=1)
            ),
        }
    )
    return {
        "title": "Entry of allow_origins",
        "pattern": ORIGIN,
        **table,
        "type": ["string", "object"],
        "minProperties": 1,
        "dependencies": {
            "origin": ["dangerously"],
            "dangerously": ["origin"],
            "set": {"properties": {"origin": False, "dangerously": False}},
        },
    }


def _build_route() -> Schema:
    return {
        "title": "Policy of a path, several in order, or false for no CORS",
        **_build_policy(),
        "type": ["object", "array", "boolean"],
        "items": {"$ref": "#/definitions/policy"},
        "minItems": 1,
        "not": {"const": True},
    }


def _build_policy() -> Schema:
    return {**_build_table(_refer_to(VALIDATORS), "allow_origins"), **_FORBID_WILDCARD}


def _build_source() -> Schema:
    types: dict[str, Schema] = {
        "url": _NOT_BLANK,
        "last_good": {"type": "string"},
        "poll": {"type": "number", "exclusiveMinimum": 0},
        "key": {"type": "string"},
    }
    described = {name: _describe(f"source.{name}", types[name]) for name in SourceOptions._fields}
    return {**_NOT_BLANK, **_build_table(described, "url"), "type": ["string", "object"]}


_NOT_BLANK: Schema = {"type": "string", "pattern": r"\S"}
_WILDCARD = {"const": "*"}
_FORBID_WILDCARD: Schema = {
    "if": {"properties": {"allow_credentials": {"const": True}}, "required": ["allow_credentials"]},
    "then": {
        "properties": {
            "allow_origins": {"not": {"contains": _WILDCARD}},
            "expose_headers": {"not": {"contains": _WILDCARD}},
        }
    },
}
"""No `*` with credentials, which browsers refuse or read as a name."""

_REQUEST_HEADER = {
    "type": "string",
    "pattern": TOKEN,
    "not": {"pattern": match_any_case(fetch_spec.RESPONSE_HEADERS)},
}
_RESPONSE_HEADER = {
    "type": "string",
    "pattern": TOKEN,
    "not": {
        "anyOf": [
            {"pattern": match_any_case({*fetch_spec.FORBIDDEN_RESPONSE_HEADERS, "origin"})},
            {"pattern": match_any_case({"access-control-"}, ".*")},
        ]
    },
}
_PREFIXES = _build_list({"$ref": "#/definitions/prefix"})

_TYPES: dict[Any, Schema] = {
    validate_origins: _build_names({"$ref": "#/definitions/entry"}, _WILDCARD, minItems=1),
    validation.validate_flag: {"type": "boolean"},
    validation.validate_methods: _build_names(_build_method(), _WILDCARD),
    validation.validate_request_headers: _build_names(
        _REQUEST_HEADER, {"anyOf": [_WILDCARD, {"pattern": match_any_case({"authorization"})}]}
    ),
    validation.validate_response_headers: _build_names(_RESPONSE_HEADER, _WILDCARD),
    validation.validate_max_age: {
        "type": "integer",
        "minimum": 0,
        "maximum": fetch_spec.MAX_AGE_LIMIT,
    },
    validation.validate_timeout: {"type": "number", "exclusiveMinimum": 0},
}
"""Validator of a field -> the schema of the values that it accepts in a file."""

_DEFAULTS: dict[str, Any] = {
    **_list_defaults(Policy),
    **_list_defaults(Options),
    **{f"source.{name}": value for name, value in _list_defaults(SourceOptions).items()},
    "shadow": False,
}
"""Key -> its default, of those that a file can have."""

_PROPERTIES: dict[str, Schema] = {
    field: _describe(field, _TYPES[validate]) for field, validate in VALIDATORS.items()
}
_PROPERTIES |= {
    "enforce": _describe("enforce", {"enum": [True, False, "report"]}),
    "enforce_exempt": _describe("enforce_exempt", _PREFIXES),
    "own_origins": _describe("own_origins", _build_list({"type": "string", "pattern": OWN_ORIGIN})),
    "routes": _describe(
        "routes",
        {
            "type": "object",
            "propertyNames": {"$ref": "#/definitions/prefix"},
            "additionalProperties": {"$ref": "#/definitions/route"},
        },
    ),
    "origin_sets": _describe(
        "origin_sets",
        {
            "type": "object",
            "additionalProperties": {
                "title": "Set of origins",
                "type": ["array", "string"],
                "items": {"type": "string"},
            },
        },
    ),
    "source": _describe("source", _build_source()),
    "shadow": _describe("shadow", {"type": "boolean"}),
}
_PROPERTIES["candidate"] = _describe("candidate", _build_document(CANDIDATE_KEYS))
"""Key -> its schema."""
