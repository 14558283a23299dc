"""The policy of the demo's API as a text that is edited live, and the explanation of its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any

from corsguard import Guard, PolicyError, Problem
from corsguard.cli.demo.presets import build_policy_text
from corsguard.cli.toml_edit import EditError, apply_changes
from corsguard.cli.toml_lines import find_lines
from corsguard.explain.changes import Change
from corsguard.explain.fixes import Explanation, explain_request
from corsguard.explain.policy_server import build_policy_server
from corsguard.explain.question import Question
from corsguard.explain.report import build_document
from corsguard.guard.config import Settings
from corsguard.guard.options import Options
from corsguard.guard.snapshot import Snapshot
from corsguard.policy.suggestion_formats import as_toml
from corsguard.sources.parsed_document import parse_document, read_document

__all__ = ["Playground"]

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
        with self._lock:
            try:
                settings = self._swap(text)
            except PolicyError as error:
                return self._describe(False, _locate(text, error.problems), [])
            self.text = text
            self._version += 1
            self._report_version(self._version)
            warnings = [warning.problem for warning in self.guard.warnings]
            warnings += [each for each in settings.warnings if each not in warnings]
            return self._describe(True, [], _locate(text, warnings))

    def _swap(self, text: str) -> Settings:
        # As of a followed document: nothing in it may name a file or a server to read.
        settings = read_document(text).settings
        adapter = self.guard.adapter

        def build(current: Snapshot) -> Snapshot:
            return settings.compile(current, Options()).snapshot

        adapter.swap(build)
        return settings

    def _describe(
        self, applied: bool, problems: list[dict[str, object]], warnings: list[dict[str, object]]
    ) -> dict[str, Any]:
        return {
            "applied": applied,
            "version": self._version,
            "problems": problems,
            "warnings": warnings,
        }

    def explain(self, question: Question) -> dict[str, Any]:
        """Return why a browser blocks a request, and the fix of the text in force, for JSON."""
        with self._lock:
            explanation = explain_request(self.guard, build_policy_server, question.play)
            text = self.text
        document = build_document(question, explanation, lambda change: change.as_toml)
        refusal = explanation.exchange.refusal
        clause = refusal.step.clause if refusal else None
        return {
            **{key: document[key] for key in _SHOWN_OF_EXPLANATION},
            "clause": clause.words if clause else None,
            "address": clause.value if clause else None,
            "fixes": _list_fixes(text, explanation),
        }


def _locate(text: str, problems: Iterable[Problem]) -> list[dict[str, object]]:
    """Return the problems of a text for JSON, each with its line; None where it has none."""
    found = [as_toml(problem) for problem in problems]
    lines = find_lines(text, found)
    return [{**problem.as_dict(), "line": line} for problem, line in zip(found, lines, strict=True)]


def _list_fixes(text: str, explanation: Explanation) -> list[dict[str, Any]]:
    """Return the fix of a blocked request: all changes that are needed, made in the text."""
    changes = explanation.changes
    if not changes and not explanation.problems:
        return []
    problems = list(explanation.problems)
    try:
        new = apply_changes(text, changes)
    except EditError:
        return []
    if changes:
        try:
            parse_document(new)
        except PolicyError as error:
            problems = list(error.problems)
    return [
        {
            "toml": new,
            "line": "\n".join(change.as_toml for change in changes),
            "table": next((change.table for change in changes), ""),
            "exposes": _join_exposures(changes),
            "problems": _locate(new, problems),
        }
    ]


def _join_exposures(changes: Sequence[Change]) -> str:
    return "\n".join(change.exposes for change in changes)
