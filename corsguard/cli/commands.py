"""The commands and their options; what they do stands in a module each."""

from __future__ import annotations

import sys
from importlib.metadata import version
from io import TextIOWrapper

import click

from corsguard.cli.check import check
from corsguard.cli.terminal import fail

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
