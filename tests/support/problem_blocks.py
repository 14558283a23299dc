"""The blocks of the sections about problem codes, and the codes that each of them shows."""

from __future__ import annotations

import re
import sys
import tomllib
import warnings
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from corsguard import Guard, PolicyError, PolicyWarning
from corsguard.cli.application.adapters import describe_app
from corsguard.cli.explain_code import ProblemSection, read_sections

SECTIONS = read_sections()
IN_ECOSYSTEM = ("connexion", "asgi-http", "asgi-websocket", "asgi-webtransport")
"""The codes whose blocks need a framework that only the environment `ecosystem` has."""
ENFORCED = {"allow_origins": ["https://app.example.com"], "enforce": True}
"""The setting CORSGUARD of a project whose ASGI_APPLICATION is checked."""

_BLOCK = re.compile(
    r"^(Refused|Warned|Instead):\n\n```(toml|python|sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
_numbers = count()
_ALL_BLOCKS = re.compile(r"^```\w+$", re.MULTILINE)


class LabelledBlock(NamedTuple):
    """A block of a section, with the word before it: Refused, Warned or Instead."""

    label: str
    language: str
    code: str


def list_blocks(section: ProblemSection) -> list[LabelledBlock]:
    """Return the blocks of a section, each of which has a label."""
    found = [LabelledBlock(*each) for each in _BLOCK.findall(section.text)]
    assert len(found) == len(_ALL_BLOCKS.findall(section.text)), section.code
    return found


class Shown(NamedTuple):
    """The codes of what a configuration shows."""

    refused: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


def load_toml(code: str) -> Shown:
    """Return what the configuration in a block of TOML shows."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            guard = Guard.from_mapping(tomllib.loads(code))
        except PolicyError as error:
            return Shown(_list_codes(error))
    guard.unfollow()
    return Shown(warned=_list_warned(caught))


def follow_document(code: str, path: Path, **options: Any) -> Shown:
    """Return what a worker shows that follows a block of TOML as its document."""
    path.write_text(code, encoding="utf-8")
    guard = Guard(None, enforce=True)
    try:
        guard.follow(str(path), **options)
    except PolicyError as error:
        return Shown(_list_codes(error))
    guard.unfollow()
    return Shown()


def run_python(code: str, **names: object) -> tuple[Shown, dict[str, Any]]:
    """Run a block as a module. Return what it shows, and its global variables."""
    # A decorated view of another block must not belong to the same module.
    module: dict[str, Any] = {"__name__": f"service_{next(_numbers)}", **names}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(code, "problems.md", "exec"), module)
        except PolicyError as error:
            return Shown(_list_codes(error)), module
    return Shown(warned=_list_warned(caught)), module


def check_app(app: object) -> Shown:
    """Return what `corsguard check --app` reports about an application."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = describe_app(app, "service:app").find_problems()
    return Shown(
        tuple(each.code for each in found.problems), tuple(each.code for each in found.warnings)
    )


def build_asgi_settings(application: object) -> dict[str, object]:
    """Return the settings of a project under `enforce` with an ASGI_APPLICATION."""
    module = ModuleType("problems_asgi")
    vars(module)["application"] = application
    sys.modules[module.__name__] = module
    return {
        "ASGI_APPLICATION": f"{module.__name__}.application",
        "CORSGUARD": ENFORCED,
    }


def _list_warned(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    found = [each.message for each in caught if isinstance(each.message, PolicyWarning)]
    return tuple(each.problem.code for each in found)


def _list_codes(error: PolicyError) -> tuple[str, ...]:
    return tuple(problem.code for problem in error.problems)
