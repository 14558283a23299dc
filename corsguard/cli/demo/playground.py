"""The policy of the demo's API as a text that is edited live, and the explanation of its blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from corsguard import Guard, PolicyError, Problem
from corsguard.cli.demo.limits import MAX_TEXT, check_limits
from corsguard.cli.demo.presets import build_policy_text
from corsguard.cli.toml_edit import EditError, apply_changes
from corsguard.cli.toml_lines import find_lines
from corsguard.explain.changes import Change
from corsguard.explain.fixes import explain_request
from corsguard.explain.policy_server import build_policy_server
from corsguard.explain.question import Question
from corsguard.explain.report import build_document
from corsguard.guard.config import Settings
from corsguard.guard.options import Options
from corsguard.policy.suggestion_formats import as_toml
from corsguard.sources.parsed_document import parse_document, read_document

__all__ = ["Playground", "list_fixes"]

_MAX_PROBLEMS = 100
_SHOWN_OF_EXPLANATION = (
    "verdict",
    "console",
    "reason",
    "detail",
    "fix",
    "steps",
    "caveats",
    "nearest",
)


class Playground:
    """The text of a policy, and the guard that it is in force in. Safe to use from many threads."""

    def __init__(self, frontend: str, report_version: Callable[[int], object]) -> None:
        self.text: str = build_policy_text(frontend)
        """The text in force."""
        self.guard: Guard = parse_document(self.text).guard
        self._report_version = report_version
        self._version = 1
        self._lock = Lock()

    def replace(self, text: str) -> dict[str, Any]:
        """Put a text in force, if it is valid: its policies and its options, all at once.

        Returns a document for JSON: whether it is in force, the number of the one that is, and the
        problems and warnings of the text, each with its line.
        """
        problems: Sequence[Problem] = ()
        warnings: Sequence[Problem] = ()
        with self._lock:
            try:
                warnings = self._swap(text)
                self.text = text
                self._version += 1
                self._report_version(self._version)
            except PolicyError as error:
                problems = error.problems
            version = self._version
        return {
            "applied": not problems,
            "version": version,
            "problems": _locate(text, problems),
            "warnings": _locate(text, warnings),
        }

    def _swap(self, text: str) -> Sequence[Problem]:
        """Put a text in force, and return its warnings. Raises PolicyError."""
        settings = _read_settings(text)
        adapter = self.guard.adapter
        # In place of Guard.reconfigure, which leaves the options as they are.
        adapter.swap(lambda current: settings.compile(current, Options()).snapshot)
        warnings = [warning.problem for warning in self.guard.warnings]
        return [*warnings, *(each for each in settings.warnings if each not in warnings)]

    def explain(self, question: Question) -> dict[str, Any]:
        """Return why a browser blocks a request, and the fix of the text in force, for JSON."""
        with self._lock:
            text = self.text
            explanation = explain_request(self.guard, build_policy_server, question.play)
        document = build_document(question, explanation, lambda change: change.as_toml)
        refusal = explanation.exchange.refusal
        clause = refusal.step.clause if refusal else None
        return {
            **{key: document[key] for key in _SHOWN_OF_EXPLANATION},
            "clause": clause.words if clause else None,
            "address": clause.value if clause else None,
            "problems": _locate("", explanation.problems),
            "fixes": list_fixes(text, explanation.changes),
        }


def _read_settings(text: str) -> Settings:
    """Return the settings of a text. Raises PolicyError, also for what would take too long."""
    check_limits(text)
    # As of a followed document: nothing in it may name a file or a server to read.
    return read_document(text).settings


def _locate(text: str, problems: Sequence[Problem]) -> list[dict[str, object]]:
    """Return the problems of a text for JSON, each with its line, from the top.

    Those whose line is None come last.
    """
    found = [as_toml(problem) for problem in problems[:_MAX_PROBLEMS]]
    lines = find_lines(text[:MAX_TEXT], found)
    located = sorted(zip(found, lines, strict=True), key=lambda each: each[1] or math.inf)
    return [{**problem.as_dict(), "line": line} for problem, line in located]


def list_fixes(text: str, changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return the one fix of a blocked request for JSON: all changes, made in a text.

    Empty without a change, and where the text can't be edited.
    """
    if not changes:
        return []
    try:
        fixed = apply_changes(text, changes)
    except EditError:
        return []
    problems: Sequence[Problem] = ()
    try:
        _read_settings(fixed).compile()
    except PolicyError as error:
        problems = error.problems
    return [
        {
            "toml": fixed,
            "line": "\n".join(change.as_toml for change in changes),
            "table": changes[0].table,
            "exposes": "\n".join(change.exposes for change in changes),
            "problems": _locate(fixed, problems),
        }
    ]
