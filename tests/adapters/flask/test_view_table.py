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
            add(app, page, called)
        for include in INCLUDES:
            app.register_blueprint(blueprint(cors, include, called))
        return FlaskClient(app, called, through_validator)


def blueprint(cors: CORSGuard, include: Include, called: list[str]) -> Blueprint:
    made = Blueprint(include.name, __name__, url_prefix=include.prefix)
    for page in include.pages:
        add(made, page, called)
    for inner in include.includes:
        made.register_blueprint(blueprint(cors, inner, called))
    if include.own:
        cors.set_policy(made, include.own.policy)
    return made


def add(to: Flask | Blueprint, page: Page, called: list[str]) -> None:
    def answer(**values: int) -> str:
        called.append(page.name)
        return f"{page.name} {request.method}"

    view = decorated(answer, page.own)
    if page.by_method:
        view = class_view(page, answer).as_view(page.name)
    to.add_url_rule(page.url, page.name, view, methods=page.methods)


def class_view(page: Page, answer: Callable[..., str]) -> type[MethodView]:
    def method_of(name: str) -> Callable[..., str]:
        def method(self: MethodView, **values: int) -> str:
            return answer(**values)

        view: Callable[..., str] = decorated(method, page.by_method.get(name))
        return view

    methods: dict[str, Any] = {name.lower(): method_of(name) for name in page.methods}
    made: type[MethodView] = decorated(type(page.name, (MethodView,), methods), page.own)
    return made


def decorated(view: Any, own: Own | None) -> Any:
    if own is None:
        return view
    return cors_exempt(view) if own.policy is None else cors_policy(own.policy)(view)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_view_row_matches_response(row: ViewRow) -> None:
    check_view(row, Views())


def test_view_row_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
