"""Every row of the table for views, on Flask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, request
from flask.views import MethodView
from support.rows.views import (
    ACTUAL_ROWS,
    ENFORCE_ROWS,
    INCLUDE_ROWS,
    INCLUDES,
    PAGES,
    PREFLIGHT_ROWS,
    Include,
    Own,
    Page,
    ViewRow,
    check_view,
)
from support.stacks.flask import FlaskClient
from support.stacks.wsgi import through_validator

from corsguard import Guard
from corsguard_flask import CORSGuard, cors_exempt, cors_policy

ROWS = [*ACTUAL_ROWS, *PREFLIGHT_ROWS, *ENFORCE_ROWS, *INCLUDE_ROWS]


class Views:
    """The described pages in Flask."""

    name = "flask"

    def build(self, guard: Guard) -> FlaskClient:
        called: list[str] = []
        app = Flask(__name__, static_folder=None)
        cors = CORSGuard(app, guard)
        for page in PAGES:
            add_page(app, page, called)
        for include in INCLUDES:
            app.register_blueprint(build_blueprint(cors, include, called))
        return FlaskClient(app, called, through_validator)


def build_blueprint(cors: CORSGuard, include: Include, called: list[str]) -> Blueprint:
    built = Blueprint(include.name, __name__, url_prefix=include.prefix)
    for page in include.pages:
        add_page(built, page, called)
    for inner in include.includes:
        built.register_blueprint(build_blueprint(cors, inner, called))
    if include.own:
        cors.set_policy(built, include.own.policy)
    return built


def add_page(to: Flask | Blueprint, page: Page, called: list[str]) -> None:
    def answer(**values: int) -> str:
        called.append(page.name)
        return f"{page.name} {request.method}"

    view = decorate(answer, page.own)
    if page.by_method:
        view = build_class(page, answer).as_view(page.name)
    to.add_url_rule(page.url, page.name, view, methods=page.methods)


def build_class(page: Page, answer: Callable[..., str]) -> type[MethodView]:
    def build_method(name: str) -> Callable[..., str]:
        def method(self: MethodView, **values: int) -> str:
            return answer(**values)

        view: Callable[..., str] = decorate(method, page.by_method.get(name))
        return view

    methods: dict[str, Any] = {name.lower(): build_method(name) for name in page.methods}
    view_class: type[MethodView] = decorate(type(page.name, (MethodView,), methods), page.own)
    return view_class


def decorate(view: Any, own: Own | None) -> Any:
    if own is None:
        return view
    return cors_exempt(view) if own.policy is None else cors_policy(own.policy)(view)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_view_row_matches_response(row: ViewRow) -> None:
    check_view(row, Views())


def test_view_row_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
