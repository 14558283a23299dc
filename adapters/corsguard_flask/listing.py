"""The URL rules of an application, each with the policies that may apply to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from corsguard.guard.route_rows import (
    RuleSyntax,
    SourcedPolicy,
    build_rows,
    list_path_policies,
    list_placed,
)
from corsguard.guard.route_table import RouteRow
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.view_policies import get_view

__all__ = ["list_placed", "rows_of"]

_SYNTAX = RuleSyntax("<", re.compile(r"<(?:(?:string|int|float|uuid)(?:\([^)]*\))?:)?\w+>"))


def rows_of(app: Flask, middleware: FlaskMiddleware) -> list[RouteRow]:
    """Return a row for each URL rule and each policy that may apply to some of its methods."""
    return [row for rule in app.url_map.iter_rules() for row in _iter_rows(app, middleware, rule)]


def _iter_rows(app: Flask, middleware: FlaskMiddleware, rule: Rule) -> Iterator[RouteRow]:
    views = middleware.read_views()

    def list_policies(method: str) -> list[SourcedPolicy]:
        view = get_view(views, rule.endpoint, method)
        if view:
            return [(view.policy, view.holder)]
        return [*list_path_policies(middleware.guard, rule.rule, _SYNTAX)]

    domain = rule.host if app.url_map.host_matching else rule.subdomain
    url = f"{domain}|{rule.rule}" if domain else rule.rule
    yield from build_rows(url, rule.methods or (), list_policies)
