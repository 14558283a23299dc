from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.following import INVALID, OF_A, OF_B, SET, A, B, C, Follow, allows, change
from support.memory_store import (
    OFTEN,
    PATIENCE,
    SELDOM,
    Changes,
    MemorySource,
    MemoryStore,
    break_source,
)

from corsguard import Guard, PolicyError
from corsguard.sources import Document, Revision, SourceError
from corsguard.sources.changes import SetChange
from corsguard.sources.follower import PolicyChange
from corsguard.sources.last_good import LastGood


def test_empty_store_is_not_a_policy_that_allows_nothing() -> None:
    with pytest.raises(PolicyError) as caught:
        Guard(None).follow(MemoryStore())

    assert [each.code for each in caught.value.problems] == ["source-unavailable"]


def test_failed_start_leaves_a_guard_that_can_follow_later(follow: Follow) -> None:
    guard = Guard(None)
    with pytest.raises(PolicyError):
        guard.follow(MemoryStore())

    follow(MemorySource(OF_A), guard=guard)

    assert allows(guard, A)


def test_changes_of_a_set_apply_to_the_policy_in_force(follow: Follow, tmp_path: Path) -> None:
    store = MemoryStore(Revision(1, SET))
    guard = follow(store, last_good=tmp_path / "last")
    changes = Changes(guard)

    store.publish(change(2, partners=SetChange(add=(B,), remove=(A,))))
    changes.wait_for("2")

    assert [allows(guard, each) for each in (A, B, C)] == [False, True, True]
    down = MemoryStore()
    down.error = break_source()
    again = follow(down, last_good=tmp_path / "last")
    assert ([allows(again, each) for each in (A, B, C)], again.version) == (
        [False, True, True],
        "2",
    )


def test_several_changes_are_replayed_in_order(follow: Follow) -> None:
    store = MemoryStore(Revision(1, SET))
    guard = follow(store, poll=SELDOM)
    changes = Changes(guard)
    store.revisions += [
        change(2, partners=SetChange(add=(B,))),
        change(3, partners=SetChange(remove=(B,))),
        change(4, partners=SetChange(add=("https://d.example",))),
    ]

    store.publish(change(5, partners=SetChange(remove=(A,))))
    changes.wait_for("5")

    origins = (A, B, C, "https://d.example")
    assert [allows(guard, each) for each in origins] == [False, False, True, True]


def test_start_with_changes_is_the_whole_state(follow: Follow) -> None:
    guard = follow(MemoryStore(Revision(1, SET), change(2, partners=SetChange(add=(B,)))))

    assert ([allows(guard, each) for each in (A, B)], guard.version) == ([True, True], "2")


def test_gap_in_the_changes_loads_the_whole_document(follow: Follow) -> None:
    store = MemoryStore(Revision(1, SET))
    guard = follow(store)
    changes = Changes(guard)

    store.revisions = [Revision(8, OF_B)]
    store.publish(change(9, partners=SetChange(add=(A,))))
    changes.wait_for("9")

    assert (allows(guard, A), allows(guard, B)) == (False, True)


def test_changes_that_do_not_fit_load_the_whole_document(follow: Follow) -> None:
    """The origin to remove is no longer what it was: the store's own state counts."""
    store = MemoryStore(Revision(1, SET))
    guard = follow(store)
    changes = Changes(guard)

    store.revisions = [Revision(1, SET.replace(A, B))]
    store.publish(change(2, partners=SetChange(remove=(B,), add=("https://d.example",))))
    changes.wait_for("2")

    assert [allows(guard, each) for each in (A, B, "https://d.example")] == [False, False, True]


def test_other_revision_of_the_same_number_is_in_force(follow: Follow, tmp_path: Path) -> None:
    """A store that has lost its data begins with 1 again."""

    class EmptiedStore(MemoryStore):
        def load_revisions(self, since: int = 0) -> Sequence[Revision]:
            return super().load_revisions(0 if self.revisions[0].author == "again" else since)

    store = EmptiedStore(Revision(1, OF_A))
    guard = follow(store, last_good=tmp_path / "last")
    changes = Changes(guard)

    store.revisions = []
    store.publish(Revision(1, OF_B, author="again"))

    assert changes.next() == PolicyChange("1", "1")
    assert [allows(guard, each) for each in (A, B)] == [False, True]
    assert LastGood(tmp_path / "last").load() == (Document("1", OF_B), [])


def test_invalid_change_is_refused_and_logged(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore(Revision(1, SET))
    guard = follow(store)
    changes = Changes(guard)

    store.publish(change(2, partners=SetChange(add=("b.example",))))

    assert "origin-invalid" in changes.next().error
    assert "policy version 2 is refused, version 1 stays in force" in caplog.text
    assert allows(guard, A)


def test_store_with_a_gap_is_refused(follow: Follow) -> None:
    store = MemoryStore(Revision(1, SET))
    guard = follow(store)
    changes = Changes(guard)

    store.publish(change(3, partners=SetChange(add=(B,))))

    assert "the store has no revision 2" in changes.next().error
    assert allows(guard, A)


def test_store_that_lost_its_numbers_is_followed_again(follow: Follow) -> None:
    store = MemoryStore(Revision(57, OF_A))
    guard = follow(store)
    changes = Changes(guard)

    store.revisions = []
    store.publish(Revision(1, OF_B))
    changes.wait_for("1")

    assert allows(guard, B)


def test_workers_report_to_the_store(follow: Follow) -> None:
    store = MemoryStore(Revision(1, OF_A))
    guard = follow(store)
    changes = Changes(guard)
    first = store.reports.get(timeout=PATIENCE)

    store.publish(Revision(2, INVALID))
    changes.next()
    store.publish(Revision(3, OF_B))
    changes.wait_for("3")
    reports = [store.reports.get(timeout=PATIENCE)]
    while reports[-1].version != "3":
        reports.append(store.reports.get(timeout=PATIENCE))

    assert (first.pid, first.version, first.error) == (os.getpid(), "1", "")
    assert reports[-1].since == guard.followed_since


def test_store_that_takes_no_reports_is_followed_all_the_same(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = MemoryStore(Revision(1, OF_A))
    store.report_error = SourceError("permission denied for table corsguard_workers")
    guard = follow(store)
    changes = Changes(guard)
    for version in (2, 3):
        store.publish(Revision(version, OF_B))
        changes.wait_for(str(version))

    store.report_error = None
    store.publish(Revision(4, OF_A))
    while store.reports.get(timeout=PATIENCE).version != "4":
        pass
    assert caplog.text.count("this worker can't report to the store: permission denied") == 1


def test_source_that_blocks_in_watch_is_closed(follow: Follow) -> None:
    class Blocking(MemorySource):
        ended = threading.Event()

        def watch(self, on_change: Callable[[], object]) -> None:
            on_change()
            self.ended.wait()

        def close(self) -> None:
            self.ended.set()

    source = Blocking(OF_A)
    guard = follow(source)
    guard.check_health()

    guard.unfollow()

    names = [each.name for each in threading.enumerate()]
    assert not any(name.startswith("corsguard") for name in names)
    assert allows(guard, A)
    assert (guard.version, guard.followed_since) == (None, None)
    guard.unfollow()


def test_changes_with_another_number_load_the_whole_document(follow: Follow) -> None:
    class Skipping(MemoryStore):
        def load_revisions(self, since: int = 0) -> Sequence[Revision]:
            revisions = super().load_revisions()
            return revisions[-1:] if since == 1 else revisions

    store = Skipping(Revision(1, SET))
    guard = follow(store)
    changes = Changes(guard)
    store.revisions.append(change(2, partners=SetChange(add=(B,))))

    store.publish(change(3, partners=SetChange(remove=(A,))))
    changes.wait_for("3")

    assert [allows(guard, each) for each in (A, B, C)] == [False, True, True]


def test_withdrawn_revision_leaves_no_error(follow: Follow) -> None:
    store = MemoryStore(Revision(1, OF_A))
    guard = follow(store, poll=OFTEN)
    changes = Changes(guard)
    store.publish(Revision(2, INVALID))
    assert "origin-invalid" in changes.next().error

    store.revisions.pop()
    assert changes.next() == PolicyChange("1", "1")

    assert guard.check_health().is_current


def test_change_of_one_of_two_sets_loads_the_whole_document(follow: Follow) -> None:
    listed = 'allow_origins = [{ set = "x" }, { set = "y" }]'
    two = f'{listed}\n[origin_sets]\nx = ["{A}"]\ny = ["{A}", "{B}"]\n'
    store = MemoryStore(Revision(1, two))
    guard = follow(store)
    changes = Changes(guard)

    store.publish(change(2, x=SetChange(add=(C,), remove=(A,))))
    changes.wait_for("2")

    assert [allows(guard, each) for each in (A, B, C)] == [True, True, True]


def test_change_of_a_wrong_shape_is_refused(follow: Follow) -> None:
    store = MemoryStore(Revision(1, SET))
    guard = follow(store)
    changes = Changes(guard)

    store.publish(Revision(2, "[changes.partners]\nadd = 5", is_change=True))

    assert "version 2 is refused" in changes.next().error
    assert allows(guard, A)


def test_change_that_corrects_a_document_is_put_in_force(follow: Follow) -> None:
    listed = '[[routes."/"]]\nallow_origins = [{ set = "partners" }]\n'
    store = MemoryStore(Revision(1, OF_A))
    guard = follow(store)
    changes = Changes(guard)

    store.publish(Revision(2, f"{listed}[origin_sets]\npartners = []\n"))
    changes.wait_for_error("version 2 is refused")
    store.publish(change(3, partners=SetChange(add=(B,))))
    changes.wait_for("3")

    assert (allows(guard, A), allows(guard, B)) == (False, True)
