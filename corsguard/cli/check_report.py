"""The text of `corsguard check`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console

from corsguard import Guard, Policy, Problem
from corsguard.cli.terminal import Sheet, counted, printable
from corsguard.fetch_spec import SAFELISTED_METHODS
from corsguard.guard.snapshot import Enforce

__all__ = ["Report"]

_MOST_ORIGINS = 5
_ENFORCE: dict[Enforce, str] = {
    True: "on: unsafe requests from origins that are not allowed are refused",
    False: "off: requests from other origins are answered, browsers keep the answers",
    "report": "report: what would be refused is logged",
}
_DANGERS = ("insecure_origins", "public_suffixes", "null_origin")


class Report:
    """Writes what was found in a file, and what the file puts in force, to a console."""

    def __init__(self, console: Console) -> None:
        self._sheet = Sheet(console)

    def findings(self, file: str, problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
        counts = counted(len(problems), "problem")
        if warnings:
            counts = f"{counts}, {counted(len(warnings), 'warning')}"
        self._sheet.line(f"{printable(file)}: {counts}", "bold red" if problems else "bold green")
        for kind, style, found in (("problem", "red", problems), ("warning", "yellow", warnings)):
            for problem in found:
                self._problem(kind, style, problem)

    def in_force(self, policies: Mapping[str, Policy | None], guard: Guard) -> None:
        for prefix, policy in policies.items():
            self._sheet.heading(printable(prefix) or "every path")
            if policy is None:
                self._sheet.row("origins", "none: no CORS here")
            else:
                for label, value in _fields(policy):
                    self._sheet.row(label, value)
        self._sheet.heading("enforce")
        self._sheet.line(_ENFORCE[guard.enforce], indent="  ")
        if guard.enforce:
            for label, entries in (("exempt", guard.enforce_exempt), ("own", guard.own_origins)):
                if entries:
                    self._sheet.row(label, printable(", ".join(entries)))

    def _problem(self, kind: str, style: str, problem: Problem) -> None:
        title = f"{kind}: {printable(problem.field)} [{problem.code}]"
        self._sheet.heading(title, f"bold {style}")
        self._sheet.line(printable(problem.message), indent="  ")
        if problem.value is not None:
            self._sheet.row("given", _value(problem.value))
        self._sheet.row("fix", printable(problem.suggestion), "bold")


def _fields(policy: Policy) -> Iterable[tuple[str, str]]:
    yield "origins", _origins([str(entry) for entry in policy.allow_origins])
    yield "credentials", "allowed" if policy.allow_credentials else "not allowed"
    yield "methods", _names(dict.fromkeys((*SAFELISTED_METHODS, *policy.allow_methods)))
    yield "headers", _names(policy.allow_headers)
    yield "exposed", _names(policy.expose_headers)
    yield "max-age", f"{policy.max_age} s"
    lifted = [name for name in _DANGERS if getattr(policy, f"dangerously_allow_{name}")]
    if lifted:
        yield "dangerously", f"allows {_names(lifted)}".replace("_", " ")


def _origins(entries: Sequence[str]) -> str:
    shown = _names(entries[:_MOST_ORIGINS])
    if len(entries) > _MOST_ORIGINS:
        return f"{shown} and {len(entries) - _MOST_ORIGINS} more"
    return shown


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _value(value: object) -> str:
    """A value as the file has it, or nearly so."""
    return printable(json.dumps(value, ensure_ascii=False, default=str))
