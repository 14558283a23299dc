"""The configuration file of an application with another CORS library."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import NamedTuple

from corsguard import PolicyError
from corsguard.cli.application.adapters import describe_app
from corsguard.cli.application.guarded_app import ApplicationError
from corsguard.cli.application.loader import load_application
from corsguard.cli.init.document import format_document
from corsguard.cli.migrate.configuration import PeerConfiguration, PeerError
from corsguard.cli.migrate.output import FormError, format_text
from corsguard.cli.migrate.peers import read_peer
from corsguard.cli.migrate.report import MigrationReport
from corsguard.cli.migrate.translation import find_problems, translate
from corsguard.cli.terminal import fail, open_console

__all__ = ["TranslatedFile", "translate_app"]


class TranslatedFile(NamedTuple):
    """The file that says what another library does in an application."""

    text: str
    """Empty if the policies would not start."""
    framework: str
    """`flask`, `starlette`, `django`, or `asgi` for another one."""
    is_done: bool
    """True if nothing is left to decide."""


def translate_app(name: str, *, is_factory: bool) -> TranslatedFile:
    """Return the file for an application, and write what is left to do to the standard error.

    Ends the command where the application can't be loaded, has no CORS library, or has policies
    that a file can't hold.
    """
    configuration = _read_configuration(name, is_factory=is_factory)
    translation = translate(configuration)
    problems = find_problems(translation)
    report = MigrationReport(open_console(sys.stderr))
    report.write_configuration(name, configuration)
    report.write_notes(translation)
    report.write_todos(translation.todos)
    report.write_problems(problems, f"`corsguard migrate {name}` shows more." if problems else "")
    if problems:
        return TranslatedFile("", configuration.framework, is_done=False)
    try:
        format_text(translation, "toml", configuration)  # which knows what a file can't hold
    except FormError as error:
        why = str(error).partition(":")[0]
        fail(f"{name}: {why}. `corsguard migrate {name}` prints Python instead")
    origin = f"What {configuration.peer} {configuration.version} does in {name}."
    text = format_document(translation.mapping, origin)
    return TranslatedFile(text, configuration.framework, is_done=not translation.todos)


def _read_configuration(name: str, *, is_factory: bool) -> PeerConfiguration:
    try:
        app = load_application(name, is_factory=is_factory)
    except PolicyError as error:
        fail(f"{name} has a policy of corsguard, which does not start: {error.problems[0]}")
    except ApplicationError as error:
        fail(str(error).replace("--app ", "--from-app ", 1))
    try:
        with redirect_stdout(sys.stderr):  # the constructor of a subclass may print
            return read_peer(app, name)
    except PeerError as error:
        if _has_corsguard(app, name):
            fail(
                f"{name} uses corsguard already: `corsguard check --app {name}` shows its policies"
            )
        fail(str(error).replace("that migrate reads", "that init reads"))


def _has_corsguard(app: object, name: str) -> bool:
    try:
        describe_app(app, name)
    except ApplicationError:
        return False
    return True
