"""The table of routes and policies, and where the two do not fit."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterable

import pytest

from corsguard import Policy
from corsguard.cli.routes import RouteRow, compare_routes, write_routes

APP = "https://app.example.com"
POLICY = Policy(allow_origins=[APP], allow_credentials=True, allow_methods=["PUT"])
PUBLIC = Policy(allow_origins=["*"])
ROWS = [
    RouteRow(("GET", "POST"), "/items", POLICY, 'route "/"'),
    RouteRow(("PUT",), "/items/<int:item>", PUBLIC, "the method PUT of the class Items"),
    RouteRow(("GET",), "/internal", None, "the view internal"),
    RouteRow((), "/any", Policy(allow_origins=["*"]), 'route "/any"'),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(rows: Iterable[RouteRow], file: io.StringIO | None = None) -> str:
    file = file or io.StringIO()
    write_routes(rows, file)
    return file.getvalue()


def test_table_has_a_header_and_names_each_policy_once() -> None:
    assert (
        written(iter(ROWS))
        == f"""\
METHODS     URL                POLICY   FROM
GET, POST   /items             A        route "/"
PUT         /items/<int:item>  B        the method PUT of the class Items
GET         /internal          no CORS  the view internal
any method  /any               B        route "/any"

A  {APP}; credentials; methods PUT
B  *
"""
    )


def test_table_of_routes_without_cors_has_no_legend() -> None:
    assert written([ROWS[2]]) == (
        "METHODS  URL        POLICY   FROM\nGET      /internal  no CORS  the view internal\n"
    )


def test_table_without_routes_is_empty() -> None:
    assert written([]) == ""


@pytest.mark.parametrize("width", [40, 80, 300])
def test_table_fits_the_terminal_and_cuts_nothing(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    url = f"/{'very-long-name/' * 9}<uuid:identifier>"
    origins = [f"https://{name}.example.com" for name in "abcdefgh"]
    policy = Policy(allow_origins=origins, allow_methods=["PUT", "DELETE"])
    text = written([RouteRow(("GET", "PUT", "DELETE"), url, policy, "the view of things")])
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    table, _, legend = text.partition("\n\n")
    columns = ["METHODS", "URL", "POLICY", "FROM"]
    starts = [table.splitlines()[0].index(name) for name in columns]
    cells = [line[starts[1] : starts[2]].strip() for line in table.splitlines()[1:]]
    assert "".join(cells) == url
    for origin in origins:
        assert re.search(re.escape(origin), legend)


def test_each_row_is_one_line_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    url, source = f"/{'name/' * 40}", f"the view {'x' * 200}"
    text = written([RouteRow(("GET",), url, PUBLIC, source)])
    assert re.split("  +", text.splitlines()[1]) == ["GET", url, "A", source]


def test_output_is_plain_unless_it_is_a_terminal() -> None:
    plain = written(ROWS)
    assert "\x1b" not in plain
    coloured = written(ROWS, Terminal())
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_control_characters_of_a_url_are_escaped() -> None:
    text = written([RouteRow(("GET",), "/\x1b[31m", None, "every path")])
    assert r"/\x1b[31m" in text


def test_more_policies_than_letters_have_two_letters() -> None:
    rows = [
        RouteRow(("GET",), f"/{n}", Policy(allow_origins=[f"https://a{n}.example"]), "routes")
        for n in range(28)
    ]
    legend = written(rows).partition("\n\n")[2].splitlines()
    assert legend[0] == "A  https://a0.example"
    assert legend[25:] == [
        "Z  https://a25.example",
        "AA https://a26.example",
        "AB https://a27.example",
    ]


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
def test_a_method_that_no_page_may_send_is_found(rows: list[RouteRow], missing: str) -> None:
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
def test_methods_that_are_allowed_or_left_without_cors_are_no_findings(
    rows: list[RouteRow],
) -> None:
    assert codes(rows) == []


def test_a_policy_with_a_method_of_no_route_is_found() -> None:
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


def test_a_policy_with_methods_of_no_route_at_all_needs_no_list() -> None:
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
def test_methods_that_some_route_has_are_no_findings(rows: list[RouteRow]) -> None:
    assert codes(rows) == []


def test_a_policy_without_any_route_is_compared_by_its_place() -> None:
    found = codes([row("PUT", allowing("PUT"))], ('route "/old"', allowing("DELETE")))
    assert found == [("method-not-routed", 'policy from route "/old"', "DELETE")]


def test_places_of_a_policy_are_counted_where_they_are_many() -> None:
    rows = [RouteRow(("GET",), f"/{n}", allowing("PUT"), f"the view {n}") for n in range(9)]
    (found,) = compare_routes(rows)
    assert found.field == "policy from the view 0 and the view 1 and the view 2 and 6 more"


def test_the_suggestion_for_a_route_allows_its_methods() -> None:
    (found,) = compare_routes([row("PATCH PUT", allowing("PUT"))])
    assert found.suggestion.startswith('allow_methods=["PUT", "PATCH"]')


def test_comparing_needs_no_extra() -> None:
    code = "import sys, corsguard.cli.routes; print({'click', 'rich'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
