"""The commands and their options. Each command is implemented in a module of its own name."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import click

from corsguard.cli.check import load_guard, run_check
from corsguard.cli.click_options import (
    add_application_options,
    add_click_options,
    add_client_options,
)
from corsguard.cli.fleet import commands as fleet
from corsguard.cli.init.command import init
from corsguard.cli.options import EXPLAIN_OPTIONS, REQUEST_OPTIONS
from corsguard.cli.terminal import fail
from corsguard.cli.version import read_version

if TYPE_CHECKING:
    from corsguard.explain.question import Question

__all__ = ["group"]

_PORT = click.IntRange(0, 65_535)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Try `corsguard demo` first: it needs no configuration.",
)
@click.version_option(read_version(), message="%(prog)s %(version)s")
def group() -> None:
    """CORS for Python services: reject dangerous policies, and explain every block."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A file may contain characters that the terminal's encoding does not have.
            stream.reconfigure(errors="backslashreplace")


@group.command("check", short_help="Report the problems of a file or an application.")
@click.argument("file", type=click.Path(), required=False)
@add_application_options()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the output.",
)
def _check(file: str | None, app: str | None, factory: bool, form: str) -> None:
    """Report each problem of the corsguard.toml FILE with its fix, or show its policies.

    With --app, of an application and of its views instead.

    Exits with 0 if the policies are valid, 1 if there are problems or the application has no
    policies, 2 if that can't be determined.
    """
    _require_one(file, app, is_factory=factory)
    if file is not None:
        sys.exit(run_check(file, as_json=form == "json"))
    from corsguard.cli.application.commands import run_app_check

    sys.exit(run_app_check(str(app), is_factory=factory, as_json=form == "json"))


@group.command("routes", short_help="List the URLs of an application with their policies.")
@add_application_options(is_required=True)
def _routes(app: str, factory: bool) -> None:
    """Show a table of all URLs of an application with the policies that apply to them.

    Exits with 0, or with 2 if the application can't be used.
    """
    from corsguard.cli.application.commands import run_app_routes

    sys.exit(run_app_routes(app, is_factory=factory))


@group.command("demo", short_help="See CORS work: an API and two pages, live.")
@click.option("--api-port", type=_PORT, help="[default: 8000, or a free one]")
@click.option("--frontend-port", type=_PORT, help="[default: 3000, or a free one]")
@click.option(
    *("--untrusted-port", "--stranger-port"), type=_PORT, help="[default: 3001, or a free one]"
)
def _demo(**ports: int | None) -> None:
    """Serve an API behind corsguard, and a playground: edit its policy, and see what browsers do.

    The playground sends real requests from a page that the policy lists, and from an untrusted
    origin. Port 0 selects any free port. The servers accept connections from this machine only.
    """
    try:
        # No other command needs these: this only checks that they are installed.
        import tomlkit  # noqa: F401
        import werkzeug  # noqa: F401

        import corsguard_wsgi  # noqa: F401
    except ImportError as error:
        fail(f'{error}; the demo needs: pip install "corsguard[cli]"')
    from corsguard.cli.demo import run_demo

    named = {option.removesuffix("_port"): port for option, port in ports.items()}
    sys.exit(run_demo({name: port for name, port in named.items() if port is not None}))


@group.command("explain", short_help="Explain how a browser handles a request.")
@click.argument("file", type=click.Path(), required=False)
@click.argument("url", metavar="URL", required=False)
@add_application_options()
@add_click_options(EXPLAIN_OPTIONS)
def _explain(
    file: str | None, url: str | None, app: str | None, factory: bool, **options: Any
) -> None:
    """Show how a browser handles a request to URL, by the policies of the corsguard.toml FILE.

    With --app, by those of an application and of its views instead.

    Shows each step as a diagram, and for a blocked request the smallest change that allows it, and
    what that exposes. Nothing is sent, and no view is called. Exits with 0 if the request is
    allowed, 1 if it is blocked, 2 if that can't be determined.
    """
    if app is not None and url is None:
        file, url = None, file  # click takes the first argument for FILE
    _require_one(file, app, is_factory=factory)
    if url is None:
        raise click.UsageError("Missing argument 'URL'.")
    question = _build_question(url, options)
    if file is None:
        from corsguard.cli.application.commands import run_app_explain

        sys.exit(run_app_explain(question, str(app), is_factory=factory))
    from corsguard.cli.change_format import format_as_toml
    from corsguard.cli.explain import run_explain
    from corsguard.explain.policy_server import build_policy_server

    guard = load_guard(file)
    sys.exit(run_explain(question, guard, build_policy_server, format_as_toml))


def _complete_code(_: object, __: object, incomplete: str) -> list[str]:
    from corsguard.cli.explain_code import complete_code

    return complete_code(incomplete)


@group.command("explain-code", short_help="Explain a problem code, offline.")
@click.argument("code", required=False, shell_complete=_complete_code)
def _explain_code(code: str | None) -> None:
    """Show what the problem CODE means, what an attacker could do, and a configuration that starts.

    Without CODE, lists all codes. Exits with 0, or with 2 if there is no such code.
    """
    from corsguard.cli.explain_code import run_explain_code

    sys.exit(run_explain_code(code))


@group.command("describe", short_help="Document the policies for the clients of an API.")
@click.argument("file", type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "json", "html"]),
    default="markdown",
    show_default=True,
)
@click.option("--url", metavar="URL", help="URL of the API, such as https://api.example.com.")
def _describe(file: str, form: str, url: str | None) -> None:
    """Write a page about the policies of the corsguard.toml FILE, with an example for each.

    Exits with 0, or with 2 if the file can't be used.
    """
    from corsguard.cli.describe.command import run_describe

    sys.exit(run_describe(file, form, url))


@group.command("probe", short_help="Send a request to a live server as a browser, or audit it.")
@click.argument("url")
@add_click_options(REQUEST_OPTIONS)
@click.option("--unsafe", is_flag=True, help="Also send methods that may change data.")
@click.option("--audit", is_flag=True, help="Search for known misconfigurations instead.")
@click.option(
    "--format",
    type=click.Choice(["text", "json", "markdown", "sarif"]),
    default="text",
    show_default=True,
    help="Format of the output. Markdown and SARIF are for an audit.",
)
@add_client_options
def _probe(url: str, **options: Any) -> None:
    """Send a request to the server at URL as a browser does for a page, whatever its language.

    Shows each step as a diagram, and why the page gets the response or not. Sends only GET, HEAD
    and OPTIONS, unless --unsafe is given, and only to the host of URL. Exits with 0 if the page
    gets the response, or an audit finds nothing, 1 if it is blocked or something is found, 2 if
    that can't be determined.
    """
    _require_httpx("probe")
    question = _build_question(url, options)
    if options["audit"]:
        from corsguard.cli.audit.command import run_audit_command

        sys.exit(run_audit_command(question, options))
    from corsguard.cli.probe import run_probe

    sys.exit(run_probe(question, options))


@group.command("verify", short_help="Compare a live server with the policies of a file.")
@click.argument("file", type=click.Path())
@click.argument("url")
@click.option(
    "--path",
    multiple=True,
    metavar="PATH",
    help="Path to compare, instead of the routes of FILE. Repeatable.",
)
@click.option("--unsafe", is_flag=True, help="Also send methods that may change data.")
@click.option(
    "--format",
    type=click.Choice(["text", "json", "sarif", "junit"]),
    default="text",
    show_default=True,
    help="Format of the output.",
)
@add_client_options
def _verify(file: str, url: str, **options: Any) -> None:
    """Compare what answers at URL with the policies of the corsguard.toml FILE.

    URL is the address of the service's path /: the application, or the proxy in front of it. Each
    difference is reported with its cause, its fix and a curl line that shows it. Sends only GET,
    HEAD and OPTIONS, unless --unsafe is given, and only to the host of URL. Exits with 0 if nothing
    differs for a browser or a cache, 1 if something does, 2 if that can't be determined.
    """
    _require_httpx("verify")
    from corsguard.cli.verify.command import run_verify
    from corsguard.explain.question import UsageError, parse_target

    try:
        target = parse_target(url)
    except UsageError as error:
        fail(str(error))
    sys.exit(run_verify(file, target, options))


@group.command("migrate", short_help="Translate the configuration of another CORS library.")
@click.argument("app")
@click.option("--factory", is_flag=True, help="Call what APP names to get the application.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "python", "toml", "json"]),
    default="text",
    show_default=True,
    help="Format of the policies.",
)
@click.option("--no-replay", is_flag=True, help="Do not compare the two by requests.")
@click.option(
    "--path",
    "paths",
    multiple=True,
    metavar="PATH",
    help="Path to compare by requests. Repeatable.  [default: those of the router]",
)
def _migrate(app: str, factory: bool, form: str, no_replay: bool, paths: tuple[str, ...]) -> None:
    """Print the policies that say what flask-cors, django-cors-headers or Starlette do in APP.

    APP is an application, such as main:app or main:create_app(). Its module is run, but none of its
    views, and no file is changed. The policies go to the standard output, and a report to the
    standard error: what changes, and what is left to do.

    Exits with 0 if the policies start and block nothing that was allowed, 1 if something is left to
    do, 2 if APP can't be loaded or has no other CORS library.
    """
    from corsguard.cli.migrate.command import MigrateOptions, run_migrate

    options = MigrateOptions(form, not no_replay, paths)
    sys.exit(run_migrate(app, is_factory=factory, options=options))


@group.command("shadow-report", short_help="Add up what the shadow mode has logged.")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the output.",
)
def _shadow_report(logs: tuple[str, ...], form: str) -> None:
    """Show what would differ under the new policy, from the lines of the shadow mode in each LOG.

    First come the origins that the old CORS layer served with cookies, then the differences, and
    the list of origins for the new policy. LOG is a file, or - for the standard input, in any
    format of one line a record, JSON included.

    Exits with 0 if the new policy refuses nothing that the old layer allowed, 1 if it refuses
    something, 2 if a LOG can't be read or has no line of the shadow mode.
    """
    from corsguard.cli.shadow.command import run_shadow_report

    sys.exit(run_shadow_report(logs, as_json=form == "json"))


@group.command("schema", short_help="Print the JSON Schema of corsguard.toml, for editors.")
def _schema() -> None:
    """Print the JSON Schema of corsguard.toml, by which editors complete and check the file.

    The first line of the file names it: `#:schema ./corsguard.schema.json`. It knows keys and
    types. Which policies are dangerous, only `corsguard check` knows.
    """
    from corsguard.cli.schema.document import format_schema

    click.echo(format_schema(), nl=False)


for _command in (fleet.publish, fleet.rollback, fleet.history, fleet.status, init):
    group.add_command(_command)


def _build_question(url: str, options: dict[str, Any]) -> Question:
    from corsguard.explain.question import UsageError, build_question

    try:
        return build_question(url, options)
    except UsageError as error:
        fail(str(error))


def _require_httpx(command: str) -> None:
    try:
        # Only these commands need it: this only checks that it is installed.
        import httpx  # noqa: F401
    except ImportError as error:
        fail(f'{error}; {command} needs: pip install "corsguard[cli]"')


def _require_one(file: str | None, app: str | None, *, is_factory: bool) -> None:
    if is_factory and app is None:
        raise click.UsageError("The option --factory needs --app.")
    if file is None and app is None:
        raise click.UsageError("Missing argument 'FILE', or option '--app'.")
    if file is not None and app is not None:
        raise click.UsageError("The argument FILE and the option --app exclude each other.")
