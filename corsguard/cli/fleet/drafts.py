"""What is published: a file, a candidate, changes of a set, or an earlier revision."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from corsguard import PolicyError, Problem
from corsguard.cli.check_report import CheckReport
from corsguard.cli.fleet.candidate_text import (
    EditError,
    add_candidate,
    discard_candidate,
    promote_candidate,
)
from corsguard.cli.fleet.difference import compare_documents, compare_set
from corsguard.cli.fleet.publication import Draft
from corsguard.cli.fleet.targets import State, read_toml
from corsguard.cli.terminal import fail
from corsguard.guard.origin_sets import read_set
from corsguard.policy.suggestion_formats import as_toml
from corsguard.sources.changes import SetChange, apply_changes, format_changes
from corsguard.sources.parsed_document import ParsedDocument, parse_document
from corsguard.sources.set_text import find_sets
from corsguard.sources.signature import remove_signature
from corsguard.sources.toml_text import quote_text

__all__ = [
    "draft_candidate",
    "draft_changes",
    "draft_document",
    "draft_without_candidate",
    "keep_sets",
    "read_document_text",
]


def read_document_text(file: str) -> str:
    """Return the text of a file in the form in which it is published: without signature.

    Line ends become line feeds, one at the end. End the command if the file can't be read.
    """
    try:
        with open(file, "rb") as opened:
            text = opened.read().decode("utf-8-sig")
    except OSError as error:
        fail(f"{file}: can't be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        fail(f"{file}: not UTF-8, as TOML must be (at line {line})")
    return remove_signature(text.replace("\r\n", "\n")).rstrip("\n") + "\n"


def draft_document(name: str, text: str, state: State | None, console: Console) -> Draft:
    """Return the draft of a whole document. `name` is what it is called where it has problems.

    End the command if it is not valid.
    """
    _check(name, text, console)
    before, after = _read_published(state), tomllib.loads(text)
    difference, candidate = compare_documents(before, after), None
    if state is not None and before is None:
        difference.other.append("the published document has problems, and workers refuse it")
    old, new = (each.get("candidate") if each else None for each in (before, after))
    if new is not None and new != old:
        sets = {key: after[key] for key in ("origin_sets",) if key in after}
        candidate = compare_documents(after, {**new, **sets})
    elif old is not None and new is None:
        difference.other.append("the candidate is removed")
    return Draft(text, difference, candidate)


def keep_sets(text: str, state: State) -> str:
    """Return a document whose sets have the origins of the published ones by the same name."""
    published = find_sets(state.text)
    for name, (start, end) in _sort_backwards(find_sets(text)):
        if name in published:
            text = text[:start] + state.text[slice(*published[name])] + text[end:]
    return text


def draft_candidate(name: str, text: str, state: State, console: Console) -> Draft:
    """Return the draft of the published document with another one as its candidate.

    `name` is what that is called where it has problems.
    """
    published, _ = _require_toml(state)
    if read_toml(text) is None:
        _check(name, text, console)
    # It may refer to the published sets, so it is checked beside them alone.
    edited = _edit(add_candidate, published, text)
    return draft_document(name, edited, state, console)


def draft_without_candidate(state: State, console: Console, *, is_promoted: bool) -> Draft:
    """Return the draft of the published document whose candidate is the policy, or is gone."""
    edit = promote_candidate if is_promoted else discard_candidate
    text = _edit(edit, _require_toml(state)[0])
    return draft_document("the published document", text, state, console)


def draft_changes(
    name: str | None, add: Sequence[str], remove: Sequence[str], state: State, console: Console
) -> Draft:
    """Return the draft of changes of a set; `name` is None for the only one.

    Only what changes is validated, so that a set may be long. End the command if that is not
    valid, or if an origin to remove is not in the set.
    """
    text, document = _require_toml(state)
    sets = _read_sets(document)
    name = _find_name(name, sets)
    listed = dict.fromkeys(sets[name])
    for origin in remove:
        if origin not in listed:
            fail(f"{origin} is not in the set {name}: an origin must be written as it is there", 1)
    added = [each for each in dict.fromkeys(add) if each not in listed or each in remove]
    change = SetChange(tuple(added), tuple(dict.fromkeys(remove)))
    kept = next((each for each in listed if each not in change.remove), None)
    sample = {key: entries[:1] for key, entries in sets.items()}
    sample[name] = [*added, *([] if kept is None else [kept])]
    _check(f"the set {name}", _replace_sets(text, sample), console)
    gone = [each for each in change.remove if each not in added]
    new = [each for each in added if each not in listed]
    try:
        changed = apply_changes(text, {name: change})
    except PolicyError as error:
        fail(f"the published document: {error.problems[0]}", 1)
    difference = compare_set(document, name, new, gone)
    return Draft(changed, difference, changes=format_changes({name: change}))


def _read_published(state: State | None) -> Mapping[str, Any] | None:
    """Return the published document; None if there is none that is valid."""
    if state is None:
        return None
    try:
        parse_document(state.text)
    except PolicyError:
        return None
    return state.mapping


def _require_toml(state: State) -> tuple[str, Mapping[str, Any]]:
    """Return the published document without its signature, and what it means.

    End the command if it is not TOML.
    """
    mapping = state.mapping
    if mapping is None:
        fail("the published document is not TOML: publish a whole file", 1)
    return remove_signature(state.text), mapping


def _read_sets(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the sets of a document: name -> entries."""
    sets = document.get("origin_sets")
    tables = sets.items() if isinstance(sets, Mapping) else ()
    return {name: [*map(str, read_set(value) or ())] for name, value in tables}


def _find_name(name: str | None, sets: Mapping[str, object]) -> str:
    """Return the name of the set that is meant."""
    known = ", ".join(sets)
    if not sets:
        fail(
            "the published document has no set of origins: write [origin_sets] with"
            ' NAME = ["https://..."], refer to it by { set = "NAME" } in allow_origins, and'
            " publish the file",
            1,
        )
    if name is None:
        if len(sets) > 1:
            fail(f"the published document has several sets: give --set, one of {known}", 1)
        return next(iter(sets))
    if name not in sets:
        fail(f"the published document has no set {name}, but {known}", 1)
    return name


def _replace_sets(text: str, sets: Mapping[str, Sequence[str]]) -> str:
    """Return a document whose sets are short lists."""
    for name, (start, end) in _sort_backwards(find_sets(text)):
        entries = ", ".join(map(quote_text, sets[name]))
        text = f"{text[:start]}[{entries}]{text[end:]}"
    return text


def _sort_backwards(places: Mapping[str, tuple[int, int]]) -> list[tuple[str, tuple[int, int]]]:
    """Return sets with their places, the last one first, so that the others stay where they are."""
    return sorted(places.items(), key=lambda each: each[1], reverse=True)


def _edit(edit: Callable[..., str], *texts: str) -> str:
    try:
        return edit(*texts)
    except EditError as error:
        fail(str(error), 1)


def _check(name: str, text: str, console: Console) -> None:
    """Show the warnings of a document.

    If it has problems, show them as `corsguard check` does, and end the command.
    """
    report = CheckReport(console)
    try:
        with console.status("validating"):  # a long set takes seconds
            parsed = parse_document(text)
    except PolicyError as error:
        report.write_problems(name, error.problems, ())
        sys.exit(1)
    warnings = [as_toml(each) for each in _list_warnings(parsed)]
    if warnings:
        report.write_problems(name, (), warnings)
        console.print()


def _list_warnings(parsed: ParsedDocument) -> Iterator[Problem]:
    yield from (warning.problem for warning in parsed.guard.warnings)
    if parsed.candidate is not None:
        yield from (each.problem.within("candidate") for each in parsed.candidate.warnings)
    yield from (each for each in parsed.settings.warnings if each.code == "set-unused")
