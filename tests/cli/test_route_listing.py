"""The table of routes and policies."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import pytest

from corsguard import Policy
from corsguard.cli.route_listing import write_routes
from corsguard.guard.route_table import RouteRow

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


def render(rows: Iterable[RouteRow], file: io.StringIO | None = None) -> str:
    file = file or io.StringIO()
    write_routes(rows, file)
    return file.getvalue()


def test_table_names_each_policy_once_below_a_header() -> None:
    assert (
        render(iter(ROWS))
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


def test_table_without_cors_has_no_legend() -> None:
    assert render([ROWS[2]]) == (
        "METHODS  URL        POLICY   FROM\nGET      /internal  no CORS  the view internal\n"
    )


def test_table_without_routes_is_empty() -> None:
    assert render([]) == ""


@pytest.mark.parametrize("width", [40, 80, 300])
def test_table_in_a_terminal_folds_long_cells(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    url = f"/{'very-long-name/' * 9}<uuid:identifier>"
    origins = [f"https://{name}.example.com" for name in "abcdefgh"]
    policy = Policy(allow_origins=origins, allow_methods=["PUT", "DELETE"])
    text = render([RouteRow(("GET", "PUT", "DELETE"), url, policy, "the view of things")])
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    table, _, legend = text.partition("\n\n")
    columns = ["METHODS", "URL", "POLICY", "FROM"]
    starts = [table.splitlines()[0].index(name) for name in columns]
    cells = [line[starts[1] : starts[2]].strip() for line in table.splitlines()[1:]]
    assert "".join(cells) == url
    for origin in origins:
        assert re.search(re.escape(origin), legend)


def test_table_in_a_file_has_one_line_for_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    url, source = f"/{'name/' * 40}", f"the view {'x' * 200}"
    text = render([RouteRow(("GET",), url, PUBLIC, source)])
    assert re.split("  +", text.splitlines()[1]) == ["GET", url, "A", source]


def test_table_has_colours_in_a_terminal_only() -> None:
    plain = render(ROWS)
    assert "\x1b" not in plain
    coloured = render(ROWS, Terminal())
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_table_escapes_control_characters() -> None:
    text = render([RouteRow(("GET",), "/\x1b[31m", None, "every path")])
    assert r"/\x1b[31m" in text


def test_table_of_27_policies_uses_two_letters() -> None:
    rows = [
        RouteRow(("GET",), f"/{n}", Policy(allow_origins=[f"https://a{n}.example"]), "routes")
        for n in range(28)
    ]
    legend = render(rows).partition("\n\n")[2].splitlines()
    assert legend[0] == "A  https://a0.example"
    assert legend[25:] == [
        "Z  https://a25.example",
        "AA https://a26.example",
        "AB https://a27.example",
    ]
