"""The commands of `flask cors`: check, routes and explain."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click
from flask.cli import ScriptInfo

from corsguard import PolicyError
from corsguard.cli.click_options import add_explain_options
from corsguard.errors import format_notes
from corsguard.policy.warning_filter import ignore_policy_warnings
from corsguard_flask.application import FlaskApplication, describe_flask

__all__ = ["COMMANDS"]


@click.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Report what is wrong with the configuration and with the policies of views.

    Exits with 1 if there is a problem, else with 0. Warnings are for what works but is rarely
    intended, such as a route with a method that its policy does not allow.
    """
    findings = _load(context).find_problems()
    for note in findings.notes:
        click.echo(note)
    for warning in findings.warnings:
        click.echo(f"warning: {warning}", err=True)
    notes = format_notes((*findings.problems, *findings.warnings))
    if findings.problems:
        _stop(context, 1, *map(str, findings.problems), *notes)
    for note in notes:
        click.echo(note, err=True)
    click.echo("no problems")


@click.command()
@click.pass_context
def routes(context: click.Context) -> None:
    """Show a table of all URL rules with the policies that apply to them."""
    app = _load(context)
    try:
        from corsguard.cli.route_listing import write_routes
    except ImportError as error:
        raise click.UsageError(f'{error}; this needs: pip install "corsguard[flask]"') from None

    write_routes(app.list_routes().rows, sys.stdout)


@click.command()
@add_explain_options
@click.pass_context
def explain(context: click.Context, /, url: str, **options: Any) -> None:
    """Show how a browser handles a request to URL, without calling any view.

    Shows each step, and for a blocked request the smallest change that allows it. Exits with 0 if
    the request is allowed, 1 if it is blocked, 2 if that can't be determined.
    """
    from corsguard.cli.explain import run_explain
    from corsguard.explain.question import UsageError, build_question

    try:
        question = build_question(url, options)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    app = _load(context, 2)
    try:
        trial = app.build_trial(question.origin)
        context.exit(run_explain(question, app.guard, trial, app.format_change))
    except ImportError as error:
        raise click.UsageError(f'{error}; this needs: pip install "corsguard[cli]"') from None


def _load(context: click.Context, code: int = 1) -> FlaskApplication:
    """Return the application. Where its configuration has problems, report them, and exit."""
    try:
        with ignore_policy_warnings():  # `check` reports them
            app = context.ensure_object(ScriptInfo).load_app()
            if "corsguard" not in app.extensions:
                _stop(context, code, f"Error: {app.name} has no CORSGuard")
            return describe_flask(app)
    except PolicyError as error:
        _stop(context, code, *map(str, error.problems), *format_notes(error.problems))


def _stop(context: click.Context, code: int, *lines: str) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    context.exit(code)


COMMANDS = {"check": check, "explain": explain, "routes": routes}
"""name -> command"""
