"""The common part of the three browsers: open a page, run scripts in it, read the console."""

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
    """An exception that a script in a page raised."""


class RealBrowser(ABC):
    """A running browser with a new profile."""

    name: ClassVar[EngineName]
    version: str

    @abstractmethod
    def open(self, url: str) -> None:
        """Show the page at url, and wait until it is loaded."""

    @abstractmethod
    def console(self) -> list[str]:
        """Return the console lines since the last call; none where the console can't be read."""

    @abstractmethod
    def close(self) -> None:
        """End the browser."""

    def run(self, body: str, *args: object) -> Any:
        """Return the result of an async function's body, run in the page with `args`.

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
        """Return the result of an async JavaScript function from string to string."""


def build_environment(profile: Path) -> dict[str, str]:
    """Return the environment of a browser, whose files all go to its profile."""
    return {**os.environ, "HOME": str(profile), "TMPDIR": str(profile)}


def find_programs(programs: Iterable[str], packages: str) -> list[str]:
    """Return the paths of the programs, or end the run with the packages to install."""
    found = {program: shutil.which(program) for program in programs}
    missing = [Path(program).name for program, path in found.items() if path is None]
    if missing:
        pytest.exit(f"no {', '.join(missing)}: apt-get install {packages}", returncode=2)
    return [path for path in found.values() if path is not None]
