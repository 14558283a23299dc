"""The commands of `flask cors`: check, routes and explain."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click
from flask import Flask
from flask.cli import ScriptInfo

from corsguard import PolicyError
from corsguard.cli.click_options import add_explain_options
from corsguard.guard.route_table import compare_routes
from corsguard.policy.warning_filter import ignore_policy_warnings
from corsguard_flask.listing import list_placed, rows_of
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.outer_middleware import find_outer_middleware
from corsguard_flask.unreachable_views import find_unreachable_views

__all__ = ["COMMANDS"]


@click.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Report what is wrong with the configuration and with the policies of views.

    Exits with 1 if there is a problem, else with 0. Warnings are for what works but is rarely
    intended, such as a route with a method that its policy does not allow.
    """
    app, middleware = _load(context)
    front = find_outer_middleware(app, middleware)
    problems = [*middleware.problems, *find_unreachable_views(app), *front.problems]
    warnings = [
        *(warning.problem for warning in middleware.guard.warnings),
        *front.warnings,
        *compare_routes(rows_of(app, middleware), list_placed(middleware.guard)),
    ]
    for note in front.notes:
        click.echo(note)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if problems:
        _stop(context, 1, *map(str, problems))
    click.echo("no problems")


@click.command()
@click.pass_context
def routes(context: click.Context) -> None:
    """Show a table of all URL rules with the policies that apply to them."""
    app, middleware = _load(context)
    try:
        from corsguard.cli.route_listing import write_routes
    except ImportError as error:
        raise click.UsageError(f'{error}; this needs: pip install "corsguard[flask]"') from None

    write_routes(rows_of(app, middleware), sys.stdout)


@click.command()
@add_explain_options
@click.pass_context
def explain(context: click.Context, /, url: str, **options: Any) -> None:
    """Show how a browser handles a request to URL, without calling any view.

    Shows each step, and for a blocked request the smallest change that allows it. Exits with 0 if
    the request is allowed, 1 if it is blocked, 2 if that can't be determined.
    """
    from corsguard.cli.change_format import build_setting_formatter
    from corsguard.cli.explain import run_explain
    from corsguard.explain.question import UsageError, build_question
    from corsguard_flask.trial import build_trial

    try:
        question = build_question(url, options)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    app, middleware = _load(context, 2)
    try:
        context.exit(
            run_explain(
                question,
                middleware.guard,
                build_trial(app, middleware, question.origin),
                build_setting_formatter(middleware.setting, 'app.config["CORSGUARD"]'),
            )
        )
    except ImportError as error:
        raise click.UsageError(f'{error}; this needs: pip install "corsguard[cli]"') from None


def _load(context: click.Context, code: int = 1) -> tuple[Flask, FlaskMiddleware]:
    """Return the application and its middleware.

    Where its configuration has problems, report them and exit with code.
    """
    try:
        with ignore_policy_warnings():  # `check` reports them
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


COMMANDS = {"check": check, "explain": explain, "routes": routes}
"""name -> command"""
