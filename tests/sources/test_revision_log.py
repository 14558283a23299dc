"""The log of revisions: what a worker lacks, what is outdated, and the JSON of its entries."""

from __future__ import annotations

import pytest

from corsguard import PolicyError
from corsguard.sources import ConflictError, Revision, SourceError, WorkerReport
from corsguard.sources.revision_log import (
    LogEntry,
    assemble,
    check_next,
    decode_entry,
    decode_report,
    encode_entry,
    encode_report,
    list_lacking,
    list_outdated,
    select_complete,
)

REPORT = WorkerReport("host", 7, "3", 1.5, "error", (("would-allow", "https://a", "/", 2),))


def document(version: int, text: str = "") -> Revision:
    return Revision(version, text)


def change(version: int, text: str = "") -> Revision:
    return Revision(version, text, is_change=True)


def test_changes_are_applied_in_order() -> None:
    revisions = [
        document(4, '[origin_sets]\na = ["https://a.example"]\n'),
        change(5, '[changes.a]\nadd = ["https://b.example"]\n'),
        change(6, '[changes.a]\nremove = ["https://b.example", "https://a.example"]\n'),
    ]

    version, text = assemble(revisions)

    assert version == "6"
    assert ".example" not in text


def test_changes_of_a_wrong_shape_are_an_error() -> None:
    with pytest.raises(PolicyError):
        assemble([document(1), change(2, "[changes]\na = 1\n")])


@pytest.mark.parametrize(
    ("revisions", "since"),
    [
        ([change(2)], None),
        ([change(2)], 2),
        ([change(3)], 1),
        ([document(1), change(3)], None),
        ([change(2), change(4)], 1),
    ],
)
def test_gap_is_an_error(revisions: list[Revision], since: int | None) -> None:
    with pytest.raises(SourceError, match=r"is a change, but the store has no revision \d"):
        select_complete(revisions, since)


def test_state_begins_at_the_last_document() -> None:
    state = [document(7), change(8)]

    assert select_complete([change(3), document(4), change(6), *state]) == state
    assert select_complete([change(3), change(4)], since=2) == [change(3), change(4)]


def test_next_revision_has_the_next_number() -> None:
    check_next(document(9), None)
    check_next(change(10), 9)

    for wrong in (8, 9, 11):
        with pytest.raises(ConflictError):
            check_next(document(wrong), 9)
    with pytest.raises(SourceError, match="publish a whole document first"):
        check_next(change(1), None)


@pytest.mark.parametrize(
    ("since", "lacking"),
    [
        (0, [5, 6, 7]),
        (4, [5, 6, 7]),
        (5, [6, 7]),
        (6, [7]),
        (7, []),
        (8, [5, 6, 7]),
    ],
)
def test_worker_lacks_the_changes_after_its_version(since: int, lacking: list[int]) -> None:
    assert list(list_lacking(7, 5, since)) == lacking


def test_worker_lacks_the_newest_if_the_document_is_newer_still() -> None:
    assert list(list_lacking(3, 5, 4)) == [3]


def test_older_revisions_are_kept_from_a_document_on() -> None:
    log = [LogEntry(change(n) if n % 10 else document(n), 1) for n in range(300)]

    assert list_outdated(log, 290) == [*range(189, -1, -1)]
    assert list_outdated(log, 295) == [*range(199, -1, -1)]
    assert list_outdated(log[:101], 100) == []
    assert list_outdated(log, 290, max_bytes=35) == [*range(259, -1, -1)]
    assert list_outdated(log, 290, max_bytes=5) == [*range(289, -1, -1)]


def test_entry_is_json_without_its_text() -> None:
    revision = Revision(3, "text", is_change=True, author="ann", message="why", published_at=1.5)

    assert decode_entry(encode_entry(revision)) == LogEntry(revision._replace(text=""), 4)
    assert decode_entry('{"version": 2}') == LogEntry(document(2))


def test_report_is_json() -> None:
    assert decode_report(encode_report(REPORT)) == REPORT
    assert decode_report(encode_report(REPORT).encode()) == REPORT


INFINITE = '{"version": Infinity, "host": "web-1", "pid": Infinity, "since": 0}'


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": []}', b"\xff", INFINITE, "[" * 100_000]
)
def test_other_json_is_an_error(text: str | bytes) -> None:
    with pytest.raises(SourceError, match="the store has a revision that is not"):
        decode_entry(text)
    with pytest.raises(SourceError, match="the store has a report of a worker that is not"):
        decode_report(text)
