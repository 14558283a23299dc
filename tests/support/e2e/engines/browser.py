"""What the three real browsers have in common: a page is opened, and scripts run in it."""

from __future__ import annotations

import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from corsguard.browser import EngineName

PATIENCE = 120  # seconds, where something is broken


class ScriptError(Exception):
    """What a script in a page raised."""


class RealBrowser(ABC):
    """A browser that was started, with a profile of its own."""

    name: ClassVar[EngineName]
    version: str

    @abstractmethod
    def open(self, url: str) -> None:
        """Show the page at url, and wait until it is loaded."""

    @abstractmethod
    def console(self) -> list[str]:
        """What the console was told since it was read last; nothing where it can't be read."""

    @abstractmethod
    def close(self) -> None:
        """End the browser."""

    def run(self, body: str, *args: object) -> Any:
        """What the body of an async function returns, run in the page; it finds args in `args`.

        All of it crosses as JSON, so that the three engines hand over the same values. Raises
        ScriptError with the message of what the function throws.
        """
        function = (
            "async (text) => { try { const args = JSON.parse(text);"
            f"return JSON.stringify({{ value: await (async () => {{ {body} }})() }});"
            "} catch (error) { return JSON.stringify({ error: `${error}` }); } }"
        )
        answer = json.loads(self._call(function, json.dumps(args)))
        if "error" in answer:
            raise ScriptError(answer["error"])
        return answer.get("value")

    @abstractmethod
    def _call(self, function: str, text: str) -> str:
        """What an async JavaScript function from string to string makes of text."""


def environment(profile: Path) -> dict[str, str]:
    """What a browser runs in: all that it leaves behind goes with its profile."""
    return {**os.environ, "HOME": str(profile), "TMPDIR": str(profile)}


def installed(programs: Iterable[str], packages: str) -> list[str]:
    """Where the programs are; ends the run with what to install where one is not."""
    found = {program: shutil.which(program) for program in programs}
    missing = [Path(program).name for program, path in found.items() if path is None]
    if missing:
        pytest.exit(f"no {', '.join(missing)}: apt-get install {packages}", returncode=2)
    return [path for path in found.values() if path is not None]
