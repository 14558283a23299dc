"""The URL rules of an application, each with the policies that may apply to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from corsguard import Guard
from corsguard.guard.route_rows import (
    RuleSyntax,
    build_rows,
    list_path_policies,
    list_placed,
)
from corsguard.guard.route_table import RouteRow, SourcedPolicy, list_sourced
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.view_policies import get_view

__all__ = ["list_path_rows", "list_placed", "rows_of"]

_SYNTAX = RuleSyntax("<", re.compile(r"<(?:(?:string|int|float|uuid)(?:\([^)]*\))?:)?\w+>"))


def rows_of(app: Flask, middleware: FlaskMiddleware) -> list[RouteRow]:
    """Return a row for each URL rule and each policy that may apply to some of its methods."""
    return [row for rule in app.url_map.iter_rules() for row in _iter_rows(app, middleware, rule)]


def _iter_rows(app: Flask, middleware: FlaskMiddleware, rule: Rule) -> Iterator[RouteRow]:
    views = middleware.read_views()

    def list_policies(method: str) -> list[SourcedPolicy]:
        view = get_view(views, rule.endpoint, method)
        if view:
            return list_sourced(view.policy, view.holder)
        return [*list_path_policies(middleware.guard, rule.rule, _SYNTAX)]

    yield from build_rows(_describe_url(app, rule), rule.methods or (), list_policies)


def list_path_rows(app: Flask, guard: Guard) -> list[RouteRow]:
    """Return a row for each URL rule and each policy that may apply to its path, whatever its view.

    That is how `corsguard_wsgi` decides.
    """
    return [row for rule in app.url_map.iter_rules() for row in _iter_path_rows(app, guard, rule)]


def _iter_path_rows(app: Flask, guard: Guard, rule: Rule) -> Iterator[RouteRow]:
    policies = list_path_policies(guard, rule.rule, _SYNTAX)
    return build_rows(_describe_url(app, rule), rule.methods or (), lambda _: policies)


def _describe_url(app: Flask, rule: Rule) -> str:
    domain = rule.host if app.url_map.host_matching else rule.subdomain
    return f"{domain}|{rule.rule}" if domain else rule.rule
