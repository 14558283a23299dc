"""`flask cors`: the problems of an application's configuration, and what holds for each URL."""

from __future__ import annotations

import sys
from typing import Any, NoReturn
from warnings import catch_warnings, simplefilter

import click
from flask import Flask
from flask.cli import ScriptInfo

from corsguard import PolicyError, PolicyWarning
from corsguard.cli.click_options import request_options
from corsguard.cli.routes import compare_routes, write_routes
from corsguard_flask.listing import placed, rows_of
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.outer_middleware import find_outer_middleware
from corsguard_flask.unreachable_views import find_unreachable_views

__all__ = ["cors"]


@click.group()
def cors() -> None:
    """Check and show the application's CORS policies."""


@cors.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Report what is wrong with the configuration, the views' policies included.

    Exits with 1 where there is a problem, and with 0 where there is none. Warnings are what starts
    but is rarely meant, such as a route with a method that its policy allows to no page.
    """
    app, middleware = _load(context)
    front = find_outer_middleware(app, middleware)
    problems = [*middleware.problems, *find_unreachable_views(app), *front.problems]
    warnings = [
        *(warning.problem for warning in middleware.guard.warnings),
        *front.warnings,
        *compare_routes(rows_of(app, middleware), placed(middleware.guard)),
    ]
    for note in front.notes:
        click.echo(note)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if problems:
        _stop(context, 1, *map(str, problems))
    click.echo("no problems")


@cors.command()
@click.pass_context
def routes(context: click.Context) -> None:
    """Show a table of all URL rules with the policies that apply to them."""
    app, middleware = _load(context)
    try:
        write_routes(rows_of(app, middleware), sys.stdout)
    except ImportError as error:
        raise click.UsageError(f'{error}; this needs: pip install "corsguard[flask]"') from None


@cors.command()
@request_options
@click.pass_context
def explain(context: click.Context, /, url: str, **options: Any) -> None:
    """Play what a browser does with a request to URL, without calling any view.

    Shows each step, and for a request that is blocked the smallest change that allows it. Exits
    with 0 if the request is allowed, 1 if it is blocked, 2 if it can't be told.
    """
    from corsguard.cli.explain import explain as explained
    from corsguard.cli.explain import in_setting
    from corsguard.explain.question import UsageError, build_question
    from corsguard_flask.rehearsal import stage_of

    try:
        question = build_question(url, options)
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
            simplefilter("ignore", PolicyWarning)  # `check` reports them
            app = context.ensure_object(ScriptInfo).load_app()
            middleware: FlaskMiddleware | None = app.extensions.get("corsguard")
            if middleware is None:
                _stop(context, code, f"Error: {app.name} has no CORSGuard")
            middleware.is_quiet = True  # `check` reports it
            middleware.read_views()
    except PolicyError as error:
        _stop(context, code, *map(str, error.problems))
    return app, middleware


def _stop(context: click.Context, code: int, *lines: str) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    context.exit(code)
