"""The code of docs/asgi.md, docs/litestar.md and docs/quart.md runs, and does what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from support.asgi_exchange import APP, EVIL, ask, get, scope_of

DOCS = Path(__file__).parents[3] / "docs"


def list_blocks(page: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, "docs", "exec"), names)
    return names


@pytest.mark.parametrize("code", list_blocks("asgi.md"))
def test_code_block_runs(code: str) -> None:
    run(code)


def get_methods(app: Any) -> str | None:
    """Return the methods that a preflight allows, None if it is not answered."""
    asked = [("Origin", APP), ("Access-Control-Request-Method", "PUT")]
    answer = ask(app, scope_of("OPTIONS", "/items", asked))
    return answer.cors.get("access-control-allow-methods") if answer.status == 204 else None


@pytest.mark.parametrize("page", ["litestar.md", "quart.md"])
def test_first_block_covers_every_response(page: str) -> None:
    app = run(list_blocks(page)[0])["app"]
    for path, status in {"/items": 200, "/nothing": 404}.items():
        answer = get(app, path)
        assert (answer.status, answer.cors["access-control-allow-origin"]) == (status, APP)
    assert get_methods(app) == "GET, HEAD, POST, PUT, DELETE"


def test_litestar_list_of_middleware_covers_routes() -> None:
    app = run(list_blocks("litestar.md")[1])["app"]
    assert type(app).__name__ == "Litestar"
    assert get(app).cors["access-control-allow-origin"] == APP
    assert get(app, "/nothing").cors == {}


@pytest.mark.parametrize("page", ["litestar.md", "quart.md"])
def test_last_block_has_policies_by_path(page: str) -> None:
    app = run(list_blocks(page)[-1])["app"]
    assert get(app, "/nothing").cors["access-control-allow-origin"] == APP
    assert get(app, "/public/nothing", EVIL).cors["access-control-allow-origin"] == "*"
    assert get(app, "/internal").cors == {}
