"""Routes beside policies: methods that no policy allows, and methods that no route takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest

from corsguard import Policy
from corsguard.guard.route_table import RouteRow, compare_routes

APP = "https://app.example.com"
PUBLIC = Policy(allow_origins=["*"])


def codes(rows: Iterable[RouteRow], *placed: tuple[str, Policy]) -> list[tuple[str, str, object]]:
    return [(found.code, found.field, found.value) for found in compare_routes(rows, placed)]


def allowing(*methods: str, credentials: bool = False) -> Policy:
    return Policy(allow_origins=[APP], allow_credentials=credentials, allow_methods=methods)


def row(methods: str, policy: Policy | None, url: str = "/items") -> RouteRow:
    return RouteRow(tuple(methods.split()), url, policy, 'route "/"')


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([row("GET PUT", allowing())], "PUT"),
        ([row("DELETE GET PATCH PUT", allowing("PUT"))], "DELETE, PATCH"),
        ([row("PROPFIND", allowing("PUT", "PROPFIND")), row("PUT", PUBLIC)], "PUT"),
        ([row("PUT", allowing()), row("PUT", PUBLIC)], "PUT"),
    ],
)
def test_method_that_no_policy_allows_is_reported(rows: list[RouteRow], missing: str) -> None:
    found = [each for each in codes(rows) if each[0] == "route-method-not-allowed"]
    assert found == [("route-method-not-allowed", 'route "/items"', missing)]


@pytest.mark.parametrize(
    "rows",
    [
        [row("GET HEAD POST OPTIONS", allowing())],
        [row("GET PUT DELETE", allowing("DELETE", "PUT"))],
        [row("PUT PATCH", allowing("*"))],
        [row("PUT PATCH", allowing("*", credentials=True))],
        [row("PUT", None)],
        [row("", allowing())],
        [row("PUT", allowing()), row("PUT", allowing("PUT"))],
    ],
)
def test_method_that_is_allowed_or_without_cors_is_not_reported(
    rows: list[RouteRow],
) -> None:
    assert codes(rows) == []


def test_policy_method_without_a_route_is_reported() -> None:
    policy = allowing("PUT", "DELETE", "PATCH")
    rows = [
        RouteRow(("GET", "PUT"), "/a", policy, 'route "/"'),
        RouteRow(("GET",), "/b", policy, "the view b"),
    ]
    (found,) = compare_routes(rows)
    assert (found.code, found.field) == (
        "method-not-routed",
        'policy from route "/" and the view b',
    )
    assert found.value == "DELETE, PATCH"
    assert found.suggestion == 'allow_methods=["PUT"]'


def test_policy_whose_methods_have_no_route_drops_the_list() -> None:
    (found,) = compare_routes([row("GET", allowing("PUT"))])
    assert found.suggestion == "remove allow_methods"


@pytest.mark.parametrize(
    "rows",
    [
        [row("GET", allowing("*"))],
        [row("GET", allowing("GET", "POST", "OPTIONS"))],
        [row("", allowing("PUT"))],
        [row("GET", allowing("PUT"), "/a"), row("PUT", allowing("PUT"), "/b")],
    ],
)
def test_policy_method_with_a_route_is_not_reported(rows: list[RouteRow]) -> None:
    assert codes(rows) == []


def test_policy_without_any_route_is_named_by_its_place() -> None:
    found = codes([row("PUT", allowing("PUT"))], ('route "/old"', allowing("DELETE")))
    assert found == [("method-not-routed", 'policy from route "/old"', "DELETE")]


def test_policy_with_many_places_names_three_and_counts_the_rest() -> None:
    rows = [RouteRow(("GET",), f"/{n}", allowing("PUT"), f"the view {n}") for n in range(9)]
    (found,) = compare_routes(rows)
    assert found.field == "policy from the view 0 and the view 1 and the view 2 and 6 more"


def test_suggestion_for_a_route_adds_its_methods() -> None:
    (found,) = compare_routes([row("PATCH PUT", allowing("PUT"))])
    assert found.suggestion.startswith('allow_methods=["PUT", "PATCH"]')


def test_import_needs_neither_click_nor_rich() -> None:
    code = "import sys, corsguard.guard.route_table; print({'click', 'rich'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
