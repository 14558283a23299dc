"""docs/flask.md: every block of Python runs, and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

from support.flask_requests import APP, EVIL, allowed, fetch, preflight

PAGE = Path(__file__).parents[3] / "docs" / "flask.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
IN_LISTS = [
    dedent(block)
    for block in re.findall(
        r"^  ```python\n(.*?)^  ```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
]
"""The blocks in lists; those with another framework run in tests/ecosystem."""


def run(block: str) -> dict[str, Any]:
    module: dict[str, Any] = {"__name__": "service"}
    exec(block, module)
    return module


def test_the_policy_of_an_application() -> None:
    app = run(BLOCKS[0])["app"]
    assert preflight(app, "/", "PUT").status_code == 204


def test_the_configuration_of_a_factory() -> None:
    app = run(BLOCKS[1])["create_app"]()
    assert allowed(fetch(app, "/api/items")) == APP
    assert fetch(app, "/", "POST", EVIL).status_code == 403


def test_the_policy_of_a_factory() -> None:
    app = run(BLOCKS[2])["create_app"]()
    assert allowed(fetch(app, "/")) == APP


def test_the_policies_of_views() -> None:
    app = run(BLOCKS[3])["app"]
    assert allowed(fetch(app, "/news", origin=EVIL)) == "*"
    assert "Vary" not in fetch(app, "/internal").headers
    assert preflight(app, "/items/1", "PUT").headers["Access-Control-Allow-Methods"] == "PUT"
    assert preflight(app, "/items/1", "GET", EVIL).status_code == 204


def test_a_decorator_above_one_without_wraps() -> None:
    app = run(IN_LISTS[0])["app"]
    response = fetch(app, "/internal")
    assert (response.status_code, "Vary" in response.headers) == (200, False)


def test_there_are_no_other_blocks() -> None:
    assert len(BLOCKS) == 4
    assert ["import FlaskApp" in block for block in IN_LISTS] == [False, True, False]
    assert ["import SocketIO" in block for block in IN_LISTS] == [False, False, True]
