"""The blocks of Python in docs/fastapi.md: each runs and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from support.asgi_exchange import APP, EVIL
from support.starlette_requests import connect, fetch, get_allow_origin, preflight

PAGE = Path(__file__).parents[3] / "docs" / "fastapi.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
PARTNER = "https://eu.partner.example"


def run_block(number: int) -> Any:
    """Run a block as a module, and return its application."""
    module: dict[str, Any] = {"__name__": "service"}
    exec(BLOCKS[number], module)
    return module["app"]


def test_docs_quick_start_answers_preflight() -> None:
    assert preflight(run_block(0), "/", "PUT").status == 204


def test_docs_fastapi_view_policies_apply() -> None:
    app = run_block(1)
    assert get_allow_origin(app, "/prices", EVIL) == "*"
    assert preflight(app, "/prices", "PUT").cors["access-control-allow-methods"] == "PUT"
    assert fetch(app, "/internal").cors == {}
    assert get_allow_origin(app, "/partners/orders", PARTNER) == PARTNER


def test_docs_starlette_view_policies_apply() -> None:
    app = run_block(2)
    assert get_allow_origin(app, "/items/1", EVIL) == "*"
    assert fetch(app, "/items/1", "PUT").cors["access-control-allow-origin"] == APP
    assert get_allow_origin(app, "/docs/", EVIL) == "*"


def test_docs_enforced_handshake_has_the_policy_of_its_view() -> None:
    app = run_block(3)
    assert connect(app, "/feed", "https://partner.example") == "websocket.accept"
    assert connect(app, "/feed", APP) == "websocket.close"


def test_docs_all_blocks_are_tested() -> None:
    assert len(BLOCKS) == 4
