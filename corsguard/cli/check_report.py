"""The text of `corsguard check`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.console import Console

from corsguard import Guard, Policy, Problem
from corsguard.cli.route_policies import iter_route_policies
from corsguard.cli.terminal import ConsoleWriter, format_count, make_printable
from corsguard.engine.csrf import Enforce
from corsguard.fetch_spec import SAFELISTED_METHODS
from corsguard.guard.policy_list import PolicyOrList

__all__ = ["CheckReport", "format_as_json"]

_MAX_ORIGINS = 5
_ENFORCE: dict[Enforce, str] = {
    True: "on: unsafe requests from origins that are not allowed are refused",
    False: "off: requests from other origins are served, and browsers hide the responses",
    "report": "report: requests that would be refused are logged",
}
_DANGEROUS = ("insecure_origins", "public_suffixes", "null_origin")


def format_as_json(value: object) -> str:
    """Return a value nearly as a configuration file has it."""
    return json.dumps(value, ensure_ascii=False, default=str)


class CheckReport:
    """The problems of a file or an application and its policies, as text on a console."""

    def __init__(
        self, console: Console, format_value: Callable[[object], str] = format_as_json
    ) -> None:
        self._writer = ConsoleWriter(console)
        self._format_value = format_value

    def write_problems(
        self, name: str, problems: Sequence[Problem], warnings: Sequence[Problem]
    ) -> None:
        """Write the number of problems and warnings of a file or application, each with its fix."""
        counts = format_count(len(problems), "problem")
        if warnings:
            counts = f"{counts}, {format_count(len(warnings), 'warning')}"
        self._writer.write_line(
            f"{make_printable(name)}: {counts}", "bold red" if problems else "bold green"
        )
        for kind, style, found in (("problem", "red", problems), ("warning", "yellow", warnings)):
            for problem in found:
                self._write_problem(kind, style, problem)
        self._writer.write_addresses((*problems, *warnings))

    def write_notes(self, notes: Iterable[str]) -> None:
        """Write lines about what is no problem."""
        for note in notes:
            self._writer.write_heading("note", "bold")
            self._writer.write_line(make_printable(note), indent="  ")

    def write_policies(
        self, guard: Guard, views: Mapping[str, PolicyOrList | None] | None = None
    ) -> None:
        """Write each policy of a guard after its route, and what the guard enforces.

        `views` are the policies of views: owner in words -> policy. They come after the routes.
        """
        listed = [*iter_route_policies(guard.policies), *iter_route_policies(views or {})]
        for prefix, policy, position in listed:
            entry = "" if position is None else f"[{position}]"
            self._writer.write_heading(f"{make_printable(prefix) or 'every path'}{entry}")
            if policy is None:
                self._writer.write_row("origins", "none: no CORS here")
            else:
                for label, value in _list_fields(policy):
                    self._writer.write_row(label, value)
        self._writer.write_heading("enforce")
        self._writer.write_line(_ENFORCE[guard.enforce], indent="  ")
        if guard.enforce:
            for label, entries in (("exempt", guard.enforce_exempt), ("own", guard.own_origins)):
                if entries:
                    self._writer.write_row(label, make_printable(", ".join(entries)))

    def _write_problem(self, kind: str, style: str, problem: Problem) -> None:
        title = f"{kind}: {make_printable(problem.field)} [{problem.code}]"
        self._writer.write_heading(title, f"bold {style}")
        self._writer.write_line(make_printable(problem.message), indent="  ")
        if problem.value is not None:
            self._writer.write_row("given", make_printable(self._format_value(problem.value)))
        self._writer.write_row("fix", make_printable(problem.suggestion), "bold")


def _list_fields(policy: Policy) -> Iterable[tuple[str, str]]:
    yield "origins", _join_origins([str(entry) for entry in policy.allow_origins])
    yield "credentials", "allowed" if policy.allow_credentials else "not allowed"
    yield "methods", _join_names(dict.fromkeys((*SAFELISTED_METHODS, *policy.allow_methods)))
    yield "headers", _join_names(policy.allow_headers)
    yield "exposed", _join_names(policy.expose_headers)
    yield "max-age", f"{policy.max_age} s"
    allowed = [name for name in _DANGEROUS if getattr(policy, f"dangerously_allow_{name}")]
    if allowed:
        yield "dangerously", f"allows {_join_names(allowed)}".replace("_", " ")


def _join_origins(entries: Sequence[str]) -> str:
    shown = _join_names(entries[:_MAX_ORIGINS])
    if len(entries) > _MAX_ORIGINS:
        return f"{shown} and {len(entries) - _MAX_ORIGINS} more"
    return shown


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
