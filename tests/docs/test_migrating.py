"""docs/migrating.md: each block runs, each "after" is what `migrate` makes of its "before"."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import flask_cors.core
import pytest
from corsheaders.conf import Settings
from starlette.middleware.cors import CORSMiddleware
from support.migrate.applications import configure_django

import corsguard_flask
from corsguard import Guard, Policy
from corsguard.cli.migrate.command import FORMATS
from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.peers import django_cors_headers, read_peer
from corsguard.cli.migrate.peers.defaults import (
    DJANGO_CORS_HEADERS,
    EXPRESS_CORS,
    FLASK_CORS,
    STARLETTE,
    Defaults,
)
from corsguard.cli.migrate.translation import Translation, translate
from corsguard.policy.unknown_fields import GUARD_OPTIONS
from corsguard.policy.validation import FLAGS, VALIDATORS

PAGE = (Path(__file__).parents[2] / "docs/migrating.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
DEFAULTS = {
    "flask-cors": FLASK_CORS,
    "django-cors-headers": DJANGO_CORS_HEADERS,
    "Starlette, FastAPI": STARLETTE,
    "express `cors`": EXPRESS_CORS,
}


def run(block: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(block, "migrating.md", "exec"), names)
    return names


def read_translation(configuration: PeerConfiguration) -> Translation:
    translation = translate(configuration)
    assert (translation.todos, translation.notes) == ((), ())
    return translation


def test_page_has_a_before_and_an_after_for_each_library() -> None:
    assert len(BLOCKS) == 6


def test_flask_cors() -> None:
    before, after = run(BLOCKS[0]), run(BLOCKS[1])

    translation = read_translation(read_peer(before["app"], "app"))

    assert translation.mapping == after["app"].config["CORSGUARD"]
    policies = {each.name: Policy(**each.policies[0]) for each in translation.views}
    assert policies == {"shop": after["SHOP"], "status": after["PUBLIC"]}
    listed = after["app"].test_cli_runner().invoke(args=["cors", "routes"]).output
    assert "every view of the blueprint shop" in listed
    assert "the view status" in listed


@pytest.mark.filterwarnings("ignore::corsguard.PolicyWarning")
def test_django_cors_headers() -> None:
    before, after = (
        {name: value for name, value in run(block).items() if name.isupper()}
        for block in BLOCKS[2:4]
    )
    with configure_django({}, **before):
        configuration = django_cors_headers.read_settings()
    assert configuration is not None

    assert read_translation(configuration).mapping == after["CORSGUARD"]
    assert Guard.from_mapping(after["CORSGUARD"]).policies


def test_starlette() -> None:
    before, after = run(BLOCKS[4]), run(BLOCKS[5])

    translation = read_translation(read_peer(before["app"], "app"))

    expected = Guard.from_mapping(translation.mapping).policies
    assert after["app"].state.corsguard.guard.policies == expected


def test_table_of_defaults_is_that_of_the_code() -> None:
    table = PAGE.partition("<!-- defaults -->")[2].partition("<!-- end of defaults -->")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.split("\n")[3:-1]]

    assert {name: describe(defaults) for name, defaults in DEFAULTS.items()} == {
        name: cells for name, *cells in rows
    }


def describe(defaults: Defaults) -> list[str]:
    headers = ", ".join(defaults.headers)
    return [
        "`*`" if defaults.origins else "none",
        ", ".join(defaults.methods),
        "those requested" if headers == "*" else headers,
        "none" if defaults.max_age is None else str(defaults.max_age),
    ]


def test_table_names_options_that_exist() -> None:
    table = PAGE.partition("## Each option by its name\n\n")[2].partition("\n\n")[0]
    rows = [[*map(str.strip, row.strip("|").split(" | "))] for row in table.splitlines()[2:]]
    ours, flask, django, starlette, _ = (
        {name for row in rows for name in re.findall(r"`@?(\w+)`", row[column])}
        for column in range(5)
    )
    assert ours >= set(VALIDATORS) - {"predicate_timeout", *FLAGS}
    assert ours <= {*VALIDATORS, *GUARD_OPTIONS, *corsguard_flask.__all__}
    options = {option.removeprefix("CORS_").lower() for option in flask_cors.core.CONFIG_OPTIONS}
    assert flask - {"cross_origin"} <= options
    assert django <= {*dir(Settings), "check_request_enabled"}
    assert starlette <= set(inspect.signature(CORSMiddleware).parameters)


def test_formats_are_listed() -> None:
    assert tuple(re.findall(r"^\| `--format (\w+)` ", PAGE, re.MULTILINE)) == FORMATS
