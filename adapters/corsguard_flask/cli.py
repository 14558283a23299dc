"""`flask cors`: the problems of an application's configuration, and what holds for each URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from warnings import catch_warnings, simplefilter

import click
from flask import Flask
from flask.cli import ScriptInfo
from werkzeug.routing import Rule

from corsguard import Policy, PolicyError, PolicyWarning
from corsguard.cli.options_click import request_options
from corsguard.cli.summary import summary
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.views import view_of

__all__ = ["cors"]


@click.group()
def cors() -> None:
    """Check and show the application's CORS policies."""


@cors.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Say what is wrong with the configuration, the views' policies included.

    Exits with 0 where nothing is, and with 1 otherwise.
    """
    _, middleware = _load(context)
    for warning in middleware.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo("no problems")


@cors.command()
@click.pass_context
def routes(context: click.Context) -> None:
    """Show each URL rule with the policy that holds for it."""
    app, middleware = _load(context)
    rows = [row for rule in app.url_map.iter_rules() for row in _rows(app, middleware, rule)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


@cors.command()
@request_options
@click.pass_context
def explain(context: click.Context, /, url: str, **options: Any) -> None:
    """Play what a browser does with a request to URL, without calling any view.

    Shows each step, and for a request that is blocked the smallest change that allows it. Exits
    with 0 if the request is allowed, 1 if it is blocked, 2 if it can't be told.
    """
    from corsguard.cli.asking import UsageError, asked
    from corsguard.cli.explain import explain as explained
    from corsguard.cli.explain import in_setting
    from corsguard_flask.rehearsal import stage_of

    try:
        question = asked(url, options)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    app, middleware = _load(context, 2)
    try:
        context.exit(
            explained(
                question,
                middleware.guard,
                stage_of(app, middleware, question.origin),
                in_setting(middleware.setting, 'app.config["CORSGUARD"]'),
            )
        )
    except ImportError as error:
        raise click.UsageError(f'{error}; this needs: pip install "corsguard[cli]"') from None


def _load(context: click.Context, code: int = 1) -> tuple[Flask, FlaskMiddleware]:
    """The application and its middleware, or an exit that says what keeps it from starting."""
    try:
        with catch_warnings():
            simplefilter("ignore", PolicyWarning)  # for `check` to tell
            app = context.ensure_object(ScriptInfo).load_app()
            middleware = app.extensions.get("corsguard")
            if middleware is None:
                click.echo(f"Error: {app.name} has no CORSGuard", err=True)
                context.exit(code)
            middleware.read_views()
    except PolicyError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        context.exit(code)
    return app, middleware


def _rows(app: Flask, middleware: FlaskMiddleware, rule: Rule) -> Iterator[tuple[str, ...]]:
    """A row for each policy of a rule: methods, URL, policy, and where that comes from."""
    views = middleware.read_views()
    by_policy: dict[tuple[str, str], list[str]] = {}
    for method in sorted((rule.methods or {"any method"}) - {"HEAD", "OPTIONS"}):
        view = view_of(views, rule.endpoint, method)
        held = (summary(view.policy), view.holder) if view else _by_path(middleware, rule)
        by_policy.setdefault(held, []).append(method)
    domain = rule.host if app.url_map.host_matching else rule.subdomain
    url = f"{domain}|{rule.rule}" if domain else rule.rule
    for (policy, source), methods in by_policy.items():
        yield ", ".join(methods), url, policy, source


def _by_path(middleware: FlaskMiddleware, rule: Rule) -> tuple[str, str]:
    """The policy of a rule's path, and the prefix that it has from where its variables begin."""
    guard = middleware.guard
    if guard.policies is None or isinstance(guard.policies, Policy):
        return summary(guard.policies), "every path"
    literal = rule.rule.partition("<")[0]
    if literal != rule.rule and any(prefix.startswith(literal) for prefix in guard.policies):
        return "depends on the path", "routes"
    return summary(guard.policy_for(rule.rule)), "routes"
