"""The commands and their options; what they do stands in a module each."""

from __future__ import annotations

import sys
from importlib.metadata import version
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import click

from corsguard.cli.check import check, sound_guard_of
from corsguard.cli.click_options import request_options, with_options
from corsguard.cli.options import REQUEST
from corsguard.cli.terminal import fail

if TYPE_CHECKING:
    from corsguard.explain.question import Question

__all__ = ["group"]

_PORT = click.IntRange(0, 65_535)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Try `corsguard demo` first: it needs no configuration.",
)
@click.version_option(version("corsguard"), message="%(prog)s %(version)s")
def group() -> None:
    """CORS for Python services: a dangerous policy does not start, a refusal says why."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A file may hold names that the terminal's encoding has no letters for.
            stream.reconfigure(errors="backslashreplace")


@group.command("check", short_help="Tell what is wrong with a corsguard.toml.")
@click.argument("file", type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text to read, or one JSON document.",
)
def _check(file: str, form: str) -> None:
    """Tell every problem of the corsguard.toml FILE and how to mend it, or what is in force.

    Exits with 0 if the file can be used, 1 if it has problems, 2 if it can't be read.
    """
    sys.exit(check(file, as_json=form == "json"))


@group.command("demo", short_help="See CORS work: an API and two pages, live.")
@click.option("--api-port", type=_PORT, default=8000, show_default=True)
@click.option("--frontend-port", type=_PORT, default=3000, show_default=True)
@click.option("--stranger-port", type=_PORT, default=3001, show_default=True)
def _demo(api_port: int, frontend_port: int, stranger_port: int) -> None:
    """Serve an API behind corsguard, the page of a frontend that it lists, and a stranger's.

    Each page sends the same requests and shows what the browser lets it read, and why. The port 0
    means any free one. Only this machine can connect.
    """
    try:
        import werkzeug  # noqa: F401  # only whether it is there: no other command needs it
    except ImportError as error:
        fail(f'{error}; the demo needs: pip install "corsguard[cli]"')
    from corsguard.cli.demo import run

    sys.exit(run({"api": api_port, "frontend": frontend_port, "stranger": stranger_port}))


@group.command("explain", short_help="Tell what a browser makes of a request, and why.")
@click.argument("file", type=click.Path())
@request_options
def _explain(file: str, url: str, **options: Any) -> None:
    """Play what a browser does with a request to URL, behind the policies of corsguard.toml FILE.

    Shows each step as a diagram, and for a request that is blocked the smallest change of the
    file that allows it, and what that exposes. Nothing is sent. Exits with 0 if the request is
    allowed, 1 if it is blocked, 2 if it can't be told.
    """
    from corsguard.cli.explain import explain, in_toml
    from corsguard.explain.policy_server import policy_server

    guard = sound_guard_of(file)
    sys.exit(explain(_asked(url, options), guard, policy_server, in_toml))


@group.command("describe", short_help="Write the policies down for those who call the API.")
@click.argument("file", type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "json", "html"]),
    default="markdown",
    show_default=True,
)
@click.option(
    "--url", metavar="URL", help="Where the API answers, such as https://api.example.com."
)
def _describe(file: str, form: str, url: str | None) -> None:
    """Write the policies of corsguard.toml FILE as a page: who may ask for what, with an example.

    Exits with 0, or with 2 if the file can't be used.
    """
    from corsguard.cli.describe.command import describe

    sys.exit(describe(file, form, url))


@group.command("probe", short_help="Ask a live server as a browser would, or audit it.")
@click.argument("url")
@with_options(REQUEST)
@click.option("--unsafe", is_flag=True, help="Send methods that may change something, too.")
@click.option("--audit", is_flag=True, help="Look for the known misconfigurations instead.")
@click.option(
    "--format",
    type=click.Choice(["text", "json", "markdown", "sarif"]),
    default="text",
    show_default=True,
    help="Markdown and SARIF are for an audit.",
)
@click.option("--timeout", default=10.0, show_default=True, help="Seconds for each request.")
@click.option("--rate", default=20.0, show_default=True, help="Requests a second, at most.")
@click.option("--requests", default=300, show_default=True, help="Requests in all, at most.")
@click.option("--ca", type=click.Path(), help="File with the certificates to trust.")
@click.option("--insecure", is_flag=True, help="Trust any certificate.")
def _probe(url: str, **options: Any) -> None:
    """Ask the server at URL, whatever it is written in, what a browser would ask it for a page.

    Shows each step as a diagram, and why the page gets its answer or not. Only GET, HEAD and
    OPTIONS are sent, unless --unsafe is given, and only to the host of URL. Exits with 0 if the
    page gets its answer, or an audit finds nothing, 1 if it is blocked or something is found, 2 if
    that can't be told.
    """
    try:
        import httpx  # noqa: F401  # only whether it is there: no other command needs it
    except ImportError as error:
        fail(f'{error}; probe needs: pip install "corsguard[cli]"')
    from corsguard.cli.probe import probe

    sys.exit(probe(_asked(url, options), options))


def _asked(url: str, options: dict[str, Any]) -> Question:
    from corsguard.explain.question import UsageError, build_question

    try:
        return build_question(url, options)
    except UsageError as error:
        fail(str(error))
