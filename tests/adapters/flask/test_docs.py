"""The blocks of Python in docs/flask.md: each runs and does what the page says."""

from __future__ import annotations

from support.flask_docs import BLOCKS, IN_LISTS, run_block
from support.flask_requests import APP, EVIL, fetch, get_allow_origin, preflight


def test_docs_quick_start_answers_preflight() -> None:
    app = run_block(BLOCKS[0])["app"]
    assert preflight(app, "/", "PUT").status_code == 204


def test_docs_configured_factory_applies_routes() -> None:
    app = run_block(BLOCKS[1])["create_app"]()
    assert get_allow_origin(fetch(app, "/api/items")) == APP
    assert fetch(app, "/", "POST", EVIL).status_code == 403


def test_docs_factory_applies_policy() -> None:
    app = run_block(BLOCKS[2])["create_app"]()
    assert get_allow_origin(fetch(app, "/")) == APP


def test_docs_view_policies_apply() -> None:
    app = run_block(BLOCKS[3])["app"]
    assert get_allow_origin(fetch(app, "/news", origin=EVIL)) == "*"
    assert "Vary" not in fetch(app, "/internal").headers
    assert preflight(app, "/items/1", "PUT").headers["Access-Control-Allow-Methods"] == "PUT"
    assert preflight(app, "/items/1", "GET", EVIL).status_code == 204


def test_docs_decorator_above_opaque_wrapper_applies() -> None:
    app = run_block(IN_LISTS[0])["app"]
    response = fetch(app, "/internal")
    assert (response.status_code, "Vary" in response.headers) == (200, False)


def test_docs_all_blocks_are_tested() -> None:
    assert len(BLOCKS) == 4
    assert ["import FlaskApp" in block for block in IN_LISTS] == [False, True, False]
    assert ["import SocketIO" in block for block in IN_LISTS] == [False, False, True]
