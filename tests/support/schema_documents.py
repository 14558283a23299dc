"""Hypothesis strategies for documents: those that a JSON Schema describes, and others like them.

hypothesis-jsonschema does the same for any schema, but its last release fails with a new Hypothesis
(0.23.1 calls what Hypothesis has removed).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft7Validator

Schema = Mapping[str, Any]

TEXTS = [
    "https://app.example.com",
    "https://*.example.com",
    "http://localhost:*",
    "http://app.example.com",
    "*",
    "null",
    "/api",
    "/",
    "PUT",
    "X-Total",
    "partners",
    "report",
    "public-suffix",
]
"""Texts that are valid somewhere, and that a pattern alone would hardly lead to."""


def draw_document(schema: Schema, definitions: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    """Return a strategy for the values that a schema accepts."""
    if "$ref" in schema:
        return draw_document(
            definitions[schema["$ref"].removeprefix("#/definitions/")], definitions
        )
    if "anyOf" in schema:
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return st.one_of(
            *(draw_document({**rest, **each}, definitions) for each in schema["anyOf"])
        )
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    drawn = st.one_of(*(_draw_type(name, schema, definitions) for name in names))
    return drawn.filter(Draft7Validator({**schema, "definitions": definitions}).is_valid)


def _draw_type(
    name: str, schema: Schema, definitions: Mapping[str, Schema]
) -> st.SearchStrategy[Any]:
    if name == "boolean":
        return st.booleans()
    if name == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if name == "number":
        return st.floats(
            min_value=schema["exclusiveMinimum"], exclude_min=True, allow_infinity=False
        )
    if name == "string":
        return _draw_text(schema.get("pattern"))
    if name == "array":
        items = draw_document(schema["items"], definitions)
        return st.lists(items, min_size=schema.get("minItems", 0), max_size=3)
    return _draw_table(schema, definitions)


def _draw_text(pattern: str | None) -> st.SearchStrategy[str]:
    if pattern is None:
        return st.sampled_from(TEXTS) | st.text(max_size=8)
    known = [each for each in TEXTS if re.search(pattern, each)]
    # In Python, `$` also matches before a line end.
    drawn = st.from_regex(re.sub(r"\$\Z", r"\\Z", pattern))
    return st.sampled_from(known) | drawn if known else drawn


def _draw_table(schema: Schema, definitions: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        keys = draw_document({"type": "string", **schema.get("propertyNames", {})}, definitions)
        values = draw_document(schema["additionalProperties"], definitions)
        return st.dictionaries(keys, values, max_size=3)
    drawn = {key: draw_document(each, definitions) for key, each in schema["properties"].items()}
    chosen = st.sets(st.sampled_from(sorted(drawn)), min_size=1, max_size=5)
    complete = chosen.map(lambda keys: _complete_keys(keys, schema))
    return complete.flatmap(lambda keys: st.fixed_dictionaries({key: drawn[key] for key in keys}))


def _complete_keys(drawn: set[str], schema: Schema) -> list[str]:
    """Return keys that go together, of those that were drawn."""
    keys = drawn | set(schema.get("required", ()))
    rules = schema.get("dependencies", {})
    for key in sorted(keys):
        if isinstance(rules.get(key), Mapping) and key in keys:
            keys -= {name for name, each in rules[key]["properties"].items() if each is False}
    for key in sorted(keys):
        if isinstance(rules.get(key), list):
            keys |= set(rules[key])
    return sorted(keys)


_SCALARS = (
    st.sampled_from(TEXTS)
    | st.booleans()
    | st.integers(-2, 90_000)
    | st.sampled_from([0.5, -0.5, "", "put", "a b", "https://a.example/", "/a/*", "x"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["set", "origin", "dangerously", "allow_origins", "url", "poll", "/api"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=4,
)


def draw_mistakes(schema: Schema, definitions: Mapping[str, Schema]) -> st.SearchStrategy[Any]:
    """Return a strategy for documents that a schema accepts, but for one value or key."""
    keys = st.sampled_from([*schema["properties"], "allow_origin", "/api"])
    document = draw_document(schema, definitions)
    return st.builds(lambda table, key, value: {**table, key: value}, document, keys, _VALUES)
