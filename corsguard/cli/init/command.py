"""The command `corsguard init` and its options."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corsguard.cli.terminal import ConsoleWriter, fail, make_printable, open_console
from corsguard.escaping import quote

if TYPE_CHECKING:
    from corsguard import Problem
    from corsguard.cli.init.answers import Answers
    from corsguard.cli.init.interview import Interview

__all__ = ["init"]

_STDOUT = "-"
_STEPS = {
    "flask": (
        "Flask",
        (
            "from corsguard import Guard",
            "from corsguard_flask import CORSGuard",
            "CORSGuard(app, Guard.from_file({file}))",
        ),
    ),
    "starlette": (
        "FastAPI, Starlette",
        (
            "from corsguard import Guard",
            "from corsguard_starlette import CORSGuard",
            "CORSGuard(app, Guard.from_file({file}))",
        ),
    ),
    "django": (
        "Django, in settings.py",
        (
            "from corsguard import Guard",
            "CORSGUARD = Guard.from_file({file})",
            'INSTALLED_APPS = [*INSTALLED_APPS, "corsguard_django"]',
            'MIDDLEWARE = ["corsguard_django.CORSMiddleware", *MIDDLEWARE]',
        ),
    ),
    "asgi": (
        "any other ASGI application",
        (
            "from corsguard import Guard",
            "from corsguard_asgi import CORSMiddleware",
            "app = CORSMiddleware(app, Guard.from_file({file}))",
        ),
    ),
}
"""Framework -> its name, and the code that loads the file."""


@click.command("init", short_help="Write corsguard.toml after three questions.")
@click.argument("file", metavar="[FILE]", type=click.Path(), default="corsguard.toml")
@click.option(
    "--origin",
    "origins",
    metavar="ORIGIN",
    multiple=True,
    help="Origin of a frontend, such as https://app.example.com. Repeatable.",
)
@click.option(
    "--credentials/--no-credentials", default=None, help="Whether frontends send cookies."
)
@click.option(
    "--method",
    "methods",
    metavar="METHOD",
    multiple=True,
    help="Method beside GET, HEAD and POST, or none. Repeatable.",
)
@click.option(
    "--header",
    "headers",
    metavar="NAME",
    multiple=True,
    help="Request header that frontends set, or none. Repeatable.",
)
@click.option("--from-app", "app", metavar="APP", help="Read another CORS library in main:app.")
@click.option("--factory", is_flag=True, help="Call what --from-app names.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def init(
    file: str,
    origins: tuple[str, ...],
    credentials: bool | None,
    methods: tuple[str, ...],
    headers: tuple[str, ...],
    app: str | None,
    factory: bool,
    force: bool,
) -> None:
    """Write a policy with a comment at each line to FILE, by default corsguard.toml.

    Asks which frontends call your API, whether they send cookies, and which methods they use. An
    option answers a question. Without a terminal, --origin and --credentials or --no-credentials
    are needed. FILE may be - for the standard output. With --from-app, the policy is what
    flask-cors, django-cors-headers or Starlette do in an application, whose module is run.

    Exits with 0 if the file is written, 1 if --from-app leaves something to decide, 2 if the file
    can't be written or an answer is not valid.
    """
    if file != _STDOUT and not force and os.path.lexists(file):
        fail(f"{file} exists. Use --force to replace it, or name another file")
    given = _read_options(origins, credentials, methods, headers)
    if app is None:
        if factory:
            raise click.UsageError("The option --factory needs --from-app.")
        text, framework, is_done = _answer(given), "", True
    else:
        if any(answer is not None for answer in given):
            raise click.UsageError("--from-app and the answers exclude each other.")
        from corsguard.cli.init.translation import translate_app

        text, framework, is_done = translate_app(app, is_factory=factory)
    if text:
        _write(file, text)
        _write_next_steps(file, framework)
    sys.exit(0 if is_done else 1)


def _read_options(
    origins: tuple[str, ...],
    credentials: bool | None,
    methods: tuple[str, ...],
    headers: tuple[str, ...],
) -> Answers:
    from corsguard.cli.init.answers import Answers, split_values

    return Answers(
        split_values(",".join(origins)) if origins else None,
        credentials,
        split_values(",".join(methods)) if methods else None,
        split_values(",".join(headers)) if headers else None,
    )


def _answer(given: Answers) -> str:
    """Return the text of the file by the options, and by questions where these leave some."""
    from corsguard.cli.init.answers import find_answer_problems, find_answer_warnings
    from corsguard.cli.init.document import format_document
    from corsguard.cli.init.interview import Interview

    interview = Interview()
    if given.origins is not None or given.methods or given.headers:
        some = given.origins if given.origins is not None else ("https://app.example.com",)
        _reject_options(find_answer_problems(given._replace(origins=some)), interview)
    if sys.stdin.isatty():
        with redirect_stdout(sys.stderr):  # the prompts too: the file may go to the output
            answers = interview.complete(given)
    elif given.origins is None or given.has_cookies is None:
        fail("no terminal to ask in. Give --origin, and --credentials or --no-credentials")
    else:
        answers = given._replace(methods=given.methods or (), headers=given.headers or ())
    for warning in find_answer_warnings(answers):
        click.echo(f"warning: {make_printable(str(warning))}", err=True)
    return format_document(answers.fields)


def _reject_options(problems: list[Problem], interview: Interview) -> None:
    """End the command with the problems of what the options say, if there are any."""
    if problems:
        interview.write_problems(problems)
        sys.exit(2)


def _write(file: str, text: str) -> None:
    if file == _STDOUT:
        click.echo(text, nl=False)
        return
    from corsguard.sources.file_replacement import replace_file

    try:
        replace_file(Path(file), text)
    except OSError as error:
        fail(f"{file or repr(file)}: can't be written: {error.strerror or error}")


def _write_next_steps(file: str, framework: str) -> None:
    """Write how to load the file in an application, and how to check it."""
    writer = ConsoleWriter(open_console(sys.stderr))
    name = "corsguard.toml" if file == _STDOUT else file
    if file != _STDOUT:
        writer.write_heading(f"wrote {make_printable(file)}", "bold green")
    place = "in place of the other library" if framework else "where your application is built"
    writer.write_heading(f"Next, load it {place}")
    shown = [framework] if framework in _STEPS else ["flask", "django", "starlette"]
    for each in shown:
        title, lines = _STEPS[each]
        writer.write_line(title, "dim", "  ")
        for line in lines:
            writer.write_name(f"    {line.format(file=make_printable(quote(name)))}")
    writer.write_heading("and check it before you deploy")
    writer.write_name(f"    corsguard check {make_printable(shlex.quote(name))}")
