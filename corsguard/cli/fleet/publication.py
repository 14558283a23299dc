"""Publishing a revision: what changes is shown, and confirmed, before it is written."""

from __future__ import annotations

import getpass
import socket
import sys
import time
from typing import NamedTuple, NoReturn

import click
from rich.console import Console

from corsguard.cli.fleet.difference import Difference
from corsguard.cli.fleet.targets import State, Target, describe_file
from corsguard.cli.terminal import ConsoleWriter, fail, make_printable
from corsguard.sources.signature import SignatureError, SigningKey, remove_signature, sign, verify
from corsguard.sources.source import ConflictError, Revision

__all__ = ["Draft", "PublishOptions", "Publisher"]


class PublishOptions(NamedTuple):
    """The options of the commands that publish."""

    message: str = ""
    key: SigningKey | None = None
    is_unsigned: bool = False
    """True if an unsigned revision may follow a signed one."""
    is_dry_run: bool = False
    is_confirmed: bool = False
    version: int | None = None
    """The number of the first revision of an empty store; None for the next one."""


class Draft(NamedTuple):
    """A revision before it has a number."""

    text: str
    """The whole document, without signature."""
    difference: Difference
    candidate: Difference | None = None
    """What a new candidate would change; None for no candidate, or for the same one."""
    changes: str = ""
    """The text of the changes if the revision is changes, else empty."""


class Publisher:
    """The steps from a draft to a revision in a target."""

    def __init__(self, target: Target, options: PublishOptions, console: Console) -> None:
        self._target = target
        self._options = options
        self._console = console
        self._writer = ConsoleWriter(console)

    def load(self) -> State | None:
        """Return what is published. End the command unless a revision can be published after it."""
        state = self._target.load()
        options = self._options
        if state and state.is_signed and not options.key and not options.is_unsigned:
            self._refuse(
                f"{self._describe(state)} is signed, and workers with a key refuse a revision that"
                " is not. Give --sign KEYFILE, or else --unsigned"
            )
        if options.version is None:
            return state
        newest = state.version if state else 0
        if state and self._target.has_versions:
            self._refuse(f"--version is for an empty store, and the newest version is {newest}")
        if options.version <= newest:
            self._refuse(f"--version {options.version} is not newer than version {newest}")
        return state

    def require_state(self) -> State:
        """Return what is published, as `load`. End the command if that is nothing."""
        state = self.load()
        if state is None:
            self._refuse(f"{self._target.name} is empty: publish a whole file first")
        return state

    def verify(self, state: State) -> None:
        """End the command if a revision that is to be signed again is not signed by the same key.

        Who can write to a store could else have an administrator sign what they like.
        """
        if self._options.key is None:
            return
        for revision in state.revisions:
            problem = ""
            try:
                version = verify(revision.text, self._options.key, is_change=revision.is_change)
            except SignatureError as error:
                problem = str(error)
            else:
                if version != revision.version:
                    problem = f"it is signed as version {version}"
            if problem:
                self._refuse(
                    f"version {revision.version} can't be signed again: {problem}. Publish a file"
                    " that you have read instead"
                )

    def publish(self, state: State | None, draft: Draft) -> int:
        """Show a draft, have it confirmed, and write it after `state`. Return the exit code."""
        if state and self._is_same(state, draft):
            self._writer.write_line(f"{self._describe(state)} is the same: nothing to publish")
            return 0
        version = self._find_version(state)
        self._show(state, draft)
        if self._options.is_dry_run:
            self._writer.write_heading("dry run: nothing is published")
            return 0
        if not self._confirm():
            self._writer.write_line("nothing is published")
            return 1
        self._write(state, draft, version)
        published = f"version {version} is published" if version else "published"
        self._writer.write_line("")
        self._writer.write_name(f"{published}: {self._target.name}", "bold green")
        if not self._target.has_versions:
            self._writer.write_line(describe_file("history and no status of workers"))
        return 0

    def _is_same(self, state: State, draft: Draft) -> bool:
        """Return True if nothing would change: neither the text, nor its signature or version."""
        if self._options.version is not None or (self._options.key and not state.is_signed):
            return False
        return remove_signature(state.text) == draft.text

    def _find_version(self, state: State | None) -> int:
        """Return the number of the next revision; 0 for a file that is not signed."""
        if self._options.version is not None:
            return self._options.version
        if state is None and (highest := self._target.find_highest_version()):
            self._refuse(
                f"{self._target.name} is empty, and workers run version {highest}: it has lost its"
                f" revisions. Give --version {highest + 1}, as they refuse an older one"
            )
        if not self._target.has_versions and self._options.key is None:
            return 0
        return (state.version if state else 0) + 1

    def _show(self, state: State | None, draft: Draft) -> None:
        before = self._describe(state) if state else "nothing"
        self._writer.write_name(f"{self._target.name}: {before} is published", "bold")
        self._write_difference(draft.difference, "newly allowed", "no longer allowed")
        if draft.candidate is not None:
            self._writer.write_heading("candidate, which changes no response", "bold")
            self._write_difference(draft.candidate, "would be allowed", "would be refused")

    def _write_difference(self, difference: Difference, allowed: str, refused: str) -> None:
        for title, mark, style, sentences in (
            (allowed, "+", "green", difference.allowed),
            (refused, "-", "red", difference.refused),
            ("also changed", "*", "", difference.other),
        ):
            if sentences:
                self._writer.write_heading(title, f"bold {style}")
            for sentence in sentences:
                self._writer.write_line(make_printable(sentence), style, f"  {mark} ")
        if not any(difference):
            self._writer.write_heading("no request is decided otherwise")

    def _confirm(self) -> bool:
        if self._options.is_confirmed or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return True
        click.echo()
        return click.confirm("Publish this?")

    def _write(self, state: State | None, draft: Draft, version: int) -> None:
        is_change = bool(draft.changes) and self._target.has_versions
        text, key = draft.changes if is_change else draft.text, self._options.key
        if key is not None:
            text = sign(text, version, key, is_change=is_change)
        revision = Revision(
            version, text, is_change, _name_author(), self._options.message, time.time()
        )
        try:
            with self._console.status("publishing"):
                self._target.publish(revision, state)
        except ConflictError:
            self._refuse(self._describe_conflict())

    def _describe_conflict(self) -> str:
        now = self._target.load()
        what = self._describe_published(now) if now else "something else"
        return f"somebody has published {what} meanwhile: look at the difference again"

    def _describe_published(self, state: State) -> str:
        newest = state.revisions[-1]
        if not self._target.has_versions:
            return "another policy"
        author = f" ({newest.author})" if newest.author else ""
        return f"version {newest.version}{author}"

    def _describe(self, state: State) -> str:
        return f"version {state.version}" if state.version else "the policy"

    def _refuse(self, message: str) -> NoReturn:
        fail(message, 1)


def _name_author() -> str:
    """Return who publishes, and on which machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container with a number for its user
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
