"""`corsguard schema`: what it accepts, the readers of a configuration accept, and vice versa."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from support.cli_command import Command
from support.random_policies import VALID
from support.schema_documents import draw_document, draw_mistakes

from corsguard import Policy, PolicyError, Problem
from corsguard.cli.schema.document import SCHEMA_URL, build_schema
from corsguard.cli.schema.texts import TEXTS
from corsguard.errors import DOCUMENTATION_URL
from corsguard.guard.config import read_mapping
from corsguard.policy.unknown_fields import DOCUMENT_KEYS

ROOT = Path(__file__).parents[2]
SCHEMA = build_schema()
DEFINITIONS = SCHEMA["definitions"]
ACCEPTS = Draft7Validator(SCHEMA).is_valid

SHAPE_CODES = {
    "flag-unknown",
    "header-forbidden",
    "header-invalid",
    "header-prohibited",
    "max-age-out-of-range",
    "method-case",
    "method-forbidden",
    "method-invalid",
    "not-a-list",
    "source-with-policy",
    "type-invalid",
    "unknown-field",
}
"""The problems of a document that its schema can know. The others are about what it means."""
ENTRY_CODES = {"no-origins", "wildcard-not-alone", "wildcard-with-credentials"}
"""Those of `allow_origins` that its schema can know where each entry is a text."""


def find_problems(document: dict[str, Any]) -> list[Problem]:
    try:
        read_mapping(document).compile()
    except PolicyError as error:
        return list(error.problems)
    return []


def find_shape_codes(document: dict[str, Any]) -> set[str]:
    has_tables = re.search(r'"(?:set|origin)": ', json.dumps(document, default=str))
    codes = SHAPE_CODES if has_tables else SHAPE_CODES | ENTRY_CODES
    return {problem.code for problem in find_problems(document)} & codes


def list_documents() -> Iterator[dict[str, Any]]:
    """Yield every configuration in the documentation, the examples and the tests."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    fence = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    texts = [block for page in pages for block in fence.findall(page.read_text("utf-8"))]
    texts += [file.read_text("utf-8") for file in ROOT.glob("examples/**/*.toml")]
    for file in [*ROOT.glob("tests/**/*.py"), *ROOT.glob("examples/**/*.py")]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "=" in node.value:
                texts.append(node.value)
    for text in dict.fromkeys(texts):
        try:
            document = tomllib.loads(text)
        except ValueError:
            continue
        if not set(DOCUMENT_KEYS).isdisjoint(document):
            yield document


def test_command_prints_the_published_schema(corsguard: Command) -> None:
    published = (ROOT / "docs/corsguard.schema.json").read_text("utf-8")

    assert corsguard("schema") == (0, published, "")
    assert published.endswith("}\n")
    assert json.loads(published) == SCHEMA


def test_schema_is_valid_and_names_its_address() -> None:
    Draft7Validator.check_schema(SCHEMA)
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA_URL == f"{DOCUMENTATION_URL}corsguard.schema.json"


@pytest.mark.parametrize("key", DOCUMENT_KEYS)
def test_key_has_texts_an_example_and_its_default(key: str) -> None:
    shown = DEFINITIONS[key]

    assert shown["title"] == TEXTS[key].title
    sentences, _, address = shown["description"].partition("\n\n")
    assert address == f"{DOCUMENTATION_URL}{TEXTS[key].page}.html"
    assert sentences.endswith(".")
    if "default" in shown:
        assert sentences.endswith(f"Default: `{json.dumps(shown['default'])}`.")
    assert shown["examples"]
    for example in shown["examples"]:
        others: dict[str, Any] = (
            {} if key in {"routes", "source"} else {"allow_origins": ["https://a.example"]}
        )
        others |= {"origin_sets": {"partners": []}} if key == "allow_origins" else {}
        assert ACCEPTS({**others, key: example})


def list_effects(document: dict[str, Any]) -> list[Any]:
    read = read_mapping(document)
    exempt, own = tuple(read.enforce_exempt), tuple(read.own_origins)
    return [read.policies, read.enforce, exempt, own, read.shadow]


@pytest.mark.parametrize("key", [key for key in DOCUMENT_KEYS if "default" in DEFINITIONS[key]])
def test_default_is_accepted_and_changes_nothing(key: str) -> None:
    plain = {"allow_origins": ["https://a.example"]}
    given = {**plain, key: DEFINITIONS[key]["default"]}

    assert ACCEPTS(given)
    assert list_effects(given) == list_effects(plain)


@settings(suppress_health_check=list(HealthCheck))
@given(draw_document(SCHEMA, DEFINITIONS))
def test_document_of_the_schema_has_no_problem_of_shape(document: dict[str, Any]) -> None:
    assert find_shape_codes(document) == set()


@settings(suppress_health_check=list(HealthCheck), max_examples=300)
@given(draw_mistakes(SCHEMA, DEFINITIONS))
def test_mistake_is_seen_by_both_or_by_none(document: dict[str, Any]) -> None:
    if find_shape_codes(document):
        assert not ACCEPTS(document)
    elif not find_problems(document):
        assert ACCEPTS(document)


@given(st.lists(VALID, min_size=1, max_size=2), st.booleans())
def test_policy_that_starts_fits_the_schema(policies: list[Policy], at_the_top: bool) -> None:
    tables = [
        {
            field: list(value) if isinstance(value, tuple) else value
            for field in DEFINITIONS["policy"]["properties"]
            if (value := getattr(policy, field)) is not None
        }
        for policy in policies
    ]
    document = tables[0] if at_the_top else {"routes": {"/": tables, "/api": tables[0]}}

    assert ACCEPTS(document)


def test_configurations_of_this_repository_fit_the_schema() -> None:
    documents = list(list_documents())
    accepted = [each for each in documents if not find_problems(each)]

    assert len(accepted) > 50
    assert [each for each in accepted if not ACCEPTS(each)] == []
    misshapen = [each for each in documents if find_shape_codes(each)]
    assert len(misshapen) > 5
    assert [each for each in misshapen if ACCEPTS(each)] == []


ORIGINS = 'allow_origins = ["https://a.example"]\n'


@pytest.mark.parametrize(
    "toml",
    [
        'allow_origins = "https://a.example"',
        "allow_origins = []",
        "allow_origins = [1]",
        'allow_origins = ["*", "https://a.example"]',
        'allow_origins = ["*"]\nallow_credentials = true',
        'allow_origins = [{ set = "a", origin = "https://a.example" }]\norigin_sets.a = []',
        'allow_origins = [{ origin = "https://a.example" }]',
        'allow_origins = [{ origin = "https://a.example", dangerously = ["everything"] }]',
        'allow_origins = [{ origin = "https://a.example", dangerously = [] }]',
        f"{ORIGINS}allow_origin = []",
        f'{ORIGINS}allow_credentials = "true"',
        f'{ORIGINS}allow_methods = ["put"]',
        f'{ORIGINS}allow_methods = ["GET POST"]',
        f'{ORIGINS}allow_methods = ["TRACE"]',
        f'{ORIGINS}allow_methods = ["*", "PUT"]',
        f'{ORIGINS}allow_headers = ["x foo"]',
        f'{ORIGINS}allow_headers = ["access-control-allow-origin"]',
        f'{ORIGINS}expose_headers = ["Set-Cookie"]',
        f'{ORIGINS}expose_headers = ["*"]\nallow_credentials = true',
        f"{ORIGINS}max_age = -1",
        f"{ORIGINS}max_age = 86401",
        f'{ORIGINS}max_age = "600"',
        f"{ORIGINS}predicate_timeout = 0",
        f'{ORIGINS}enforce = "yes"',
        f'{ORIGINS}enforce_exempt = "/webhooks"',
        f'{ORIGINS}enforce_exempt = ["webhooks"]',
        f'{ORIGINS}own_origins = ["https://*.a.example"]',
        f'{ORIGINS}[routes."/"]\n{ORIGINS}',
        "max_age = 600",
        'routes = "/api"',
        'routes."/api" = true',
        'routes."/api" = []',
        'routes."/api" = [false]',
        'routes."/api" = {}',
        'routes."/api/*" = false',
        f"{ORIGINS}candidate = true",
        f"{ORIGINS}[candidate]\n{ORIGINS}shadow = true",
        f"{ORIGINS}origin_sets = []",
        f"{ORIGINS}origin_sets.partners = [1]",
        "source = 1",
        'source = { last_good = "/tmp/x" }',
        'source = { url = "redis://localhost", poll = 0 }',
        'source = { url = "redis://localhost", urls = [] }',
        f'{ORIGINS}source = "redis://localhost"',
        f"{ORIGINS}shadow = 1",
    ],
)
def test_error_of_shape_is_refused_by_both(toml: str) -> None:
    document = tomllib.loads(toml)

    assert find_problems(document)
    assert not ACCEPTS(document)


def test_integral_float_is_the_one_known_difference() -> None:
    # JSON has one type of numbers, so a schema can't tell 600.0 from 600.
    document = tomllib.loads(f"{ORIGINS}max_age = 600.0")

    assert ACCEPTS(document)
    assert [problem.code for problem in find_problems(document)] == ["type-invalid"]
