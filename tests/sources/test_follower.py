from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from support.memory_store import (
    OFTEN,
    PATIENCE,
    SELDOM,
    Changes,
    MemorySource,
    MemoryStore,
    break_source,
)

from corsguard import Guard, Policy, PolicyError, fork_safety
from corsguard.sources import Document, PolicyStore, Revision, SourceError, open_source
from corsguard.sources import follower as follower_module
from corsguard.sources.changes import SetChange, format_changes
from corsguard.sources.follower import PolicyChange
from corsguard.sources.last_good import LastGood
from corsguard.sources.policy_updater import RefusedError
from corsguard.sources.signature import load_signing_key, load_verifying_key, sign

A, B, C = "https://a.example", "https://b.example", "https://c.example"
OF_A = f'allow_origins = ["{A}"]\n'
OF_B = f'allow_origins = ["{B}"]\n'
INVALID = 'allow_origins = ["https://a.example/"]\n'
SET = """
allow_origins = [{ set = "partners" }, "https://c.example"]

[origin_sets]
partners = '''
https://a.example
'''
"""

Follow = Callable[..., Guard]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Return a function that builds a guard which follows a source until the test ends."""
    guards: list[Guard] = []

    def build(source: MemorySource, poll: float = SELDOM, **options: object) -> Guard:
        guard = options.pop("guard", None) or Guard(None)
        assert isinstance(guard, Guard)
        guards.append(guard)
        guard.follow(source, poll=poll, **options)  # type: ignore[arg-type]
        return guard

    yield build
    for guard in guards:
        guard.unfollow()


def allows(guard: Guard, origin: str, path: str = "/") -> bool:
    return guard.decide(path, origin, "GET", {}).allowed


def change(version: int, **sets: SetChange) -> Revision:
    return Revision(version, format_changes(sets), is_change=True)


def test_follow_puts_the_document_in_force_at_once(follow: Follow) -> None:
    guard = follow(MemorySource(OF_A, "7"))

    assert (allows(guard, A), allows(guard, B), guard.version) == (True, False, "7")
    assert guard.policies == Policy(allow_origins=[A])


def test_reported_change_is_in_force_without_a_poll(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    changes = Changes(guard)
    before = guard.followed_since

    source.put(OF_B, "2")

    assert changes.next() == PolicyChange("2", "1")
    assert (allows(guard, A), allows(guard, B), guard.version) == (False, True, "2")
    assert before is not None
    assert guard.followed_since is not None
    assert guard.followed_since >= before


def test_changed_text_of_the_same_version_is_put_in_force(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    changes = Changes(guard)

    source.put(INVALID, "1")
    assert "origin-invalid" in changes.next().error
    source.put(OF_B, "1")
    assert changes.next() == PolicyChange("1", "1")

    assert allows(guard, B)


def test_lost_report_is_made_up_for_by_the_poll(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source, poll=OFTEN)
    changes = Changes(guard)

    source.document = Document("2", OF_B)

    assert changes.next().version == "2"
    assert allows(guard, B)


def test_cached_decisions_end_with_the_document(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    changes = Changes(guard)
    for _ in range(3):
        assert allows(guard, A)

    source.put(OF_B, "2")
    changes.wait_for("2")

    assert not allows(guard, A)


def test_options_are_replaced_with_the_policies(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    changes = Changes(guard)

    source.put(f'{OF_A}enforce = true\nown_origins = ["{B}"]\nenforce_exempt = ["/hook"]', "2")
    changes.wait_for("2")

    assert (guard.enforce, guard.own_origins, guard.enforce_exempt) == (True, (B,), ("/hook",))
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert guard.decide("/", C, "POST", headers).status == 403


def test_document_that_changes_options_is_refused_wholly(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    changes = Changes(guard)

    source.put('allow_origins = ["*"]\nenforce = true\n', "2")

    assert "enforce-with-wildcard" in changes.next().error
    assert (guard.enforce, guard.version, allows(guard, A)) == (False, "1", True)


def test_options_that_a_document_leaves_out_are_those_of_the_code(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source, guard=Guard(None, enforce=True, own_origins=[B]))
    changes = Changes(guard)
    assert (guard.enforce, guard.own_origins) == (True, (B,))

    source.put(f"{OF_A}enforce = false\n", "2")
    changes.wait_for("2")
    assert (guard.enforce, guard.own_origins) == (False, (B,))

    source.put(OF_A, "3")
    changes.wait_for("3")
    assert guard.enforce is True


def test_invalid_document_is_logged_once_and_changes_nothing(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source, poll=OFTEN)
    changes = Changes(guard)

    source.put(INVALID, "2")

    assert changes.next() == PolicyChange("1", "1", guard.check_health().error)
    for _ in range(5):
        source.loads.get(timeout=PATIENCE)
    refused = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert refused == [
        "policy version 2 is refused, version 1 stays in force: allow_origins: "
        "'https://a.example/' is not a valid origin: it has a path or a slash after its host. "
        "Use https://a.example [origin-invalid]"
    ]
    health = guard.check_health()
    assert not health.is_current
    assert (health.version, health.error_count) == ("1", 1)
    assert "origin-invalid" in health.error
    assert allows(guard, A)


def test_document_that_is_not_toml_is_refused(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    changes = Changes(follow(source))

    source.put("allow_origins = [", "2")

    assert "not TOML" in changes.next().error


def test_document_can_name_no_source(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    changes = Changes(follow(source))

    source.put('source = "redis://localhost"', "2")

    assert "source-in-document" in changes.next().error


def test_every_problem_of_a_document_is_logged(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    source = MemorySource(OF_A, "1")
    changes = Changes(follow(source))

    source.put(
        f'{INVALID}max_age = -1\n[candidate]\nallow_methods = ["get"]\nallow_origins = ["{A}"]', "2"
    )
    changes.next()

    for field in ("allow_origins: ", "max_age: ", "candidate.allow_methods: "):
        assert f"stays in force: {field}" in caplog.text


def test_document_after_a_refused_one_is_put_in_force(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    changes = Changes(guard)
    source.put(INVALID, "2")
    changes.next()

    source.put(OF_B, "3")
    changes.wait_for("3")

    assert guard.check_health().is_current


def test_withdrawn_document_leaves_no_error(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source, poll=OFTEN)
    changes = Changes(guard)
    source.put(INVALID, "2")
    changes.next()

    source.put(OF_A, "1")
    assert changes.next() == PolicyChange("1", "1")

    assert guard.check_health().is_current


def test_warnings_of_a_document_are_logged(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    follow(MemorySource(f"{OF_A}[origin_sets]\nunused = []\n", "1"))

    assert "policy version 1: origin_sets.unused: no policy refers to this set" in caplog.text


def test_broken_source_leaves_the_policy_and_is_logged_once(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    changes = Changes(guard)

    source.fail(break_source())
    assert changes.next().error == "127.0.0.1:6379 refuses connections"
    health = guard.check_health()
    for _ in range(2):  # tries
        source.loads.get(timeout=PATIENCE)
    source.fail(None)
    assert changes.next() == PolicyChange("1", "1")

    assert not health.is_current
    assert guard.check_health().is_current
    assert allows(guard, A)
    assert caplog.text.count("can't be read, version 1 stays in force") == 1
    assert "the source of the policy can be read again" in caplog.text


def test_error_of_any_type_leaves_the_policy(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    changes = Changes(guard)

    source.fail(ZeroDivisionError())

    assert changes.next().error == "ZeroDivisionError: no further information"
    assert allows(guard, A)


def test_text_of_an_error_is_escaped_in_the_log(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    source = MemorySource(OF_A, "1")
    changes = Changes(follow(source))

    source.fail(SourceError("\x1b[31m\nforged line"))
    changes.next()

    assert r"\x1b[31m\nforged line" in caplog.text


def test_follower_without_source_and_last_good_does_not_start() -> None:
    source = MemorySource()
    source.error = break_source()

    with pytest.raises(PolicyError) as caught:
        Guard(None).follow(source)

    (problem,) = caught.value.problems
    assert problem.code == "source-unavailable"
    assert "127.0.0.1:6379 refuses connections" in problem.message
    assert "last_good" in problem.suggestion
    assert source.is_closed


def test_empty_store_is_not_a_policy_that_allows_nothing() -> None:
    with pytest.raises(PolicyError) as caught:
        Guard(None).follow(MemoryStore())

    assert [each.code for each in caught.value.problems] == ["source-unavailable"]


def test_follower_does_not_start_with_an_invalid_document() -> None:
    with pytest.raises(PolicyError) as caught:
        Guard(None).follow(MemorySource(f"{INVALID}max_age = -1\n"))

    codes = {each.code for each in caught.value.problems}
    assert codes == {"origin-invalid", "max-age-out-of-range"}


def test_failed_start_leaves_a_guard_that_can_follow_later(follow: Follow) -> None:
    guard = Guard(None)
    with pytest.raises(PolicyError):
        guard.follow(MemoryStore())

    follow(MemorySource(OF_A), guard=guard)

    assert allows(guard, A)


def test_last_good_document_starts_a_worker_while_the_source_is_down(
    follow: Follow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    last_good = tmp_path / "new folder" / "last"
    follow(MemorySource(OF_A, "12"), last_good=last_good)
    source = MemorySource(OF_B, "13")
    source.error = break_source()

    guard = follow(source, last_good=last_good)

    assert (allows(guard, A), guard.version) == (True, "12")
    assert f"started with version 12 from {last_good}" in caplog.text
    assert "version 12 stays in force: 127.0.0.1:6379 refuses connections" in caplog.text
    assert not guard.check_health().is_current
    changes = Changes(guard)
    source.fail(None)
    changes.wait_for("13")
    assert allows(guard, B)


def test_last_good_document_starts_a_worker_while_the_new_one_is_invalid(
    follow: Follow, tmp_path: Path
) -> None:
    last_good = tmp_path / "last"
    follow(MemorySource(OF_A, "12"), last_good=last_good)

    guard = follow(MemorySource(INVALID, "13"), last_good=str(last_good))

    assert (allows(guard, A), guard.version) == (True, "12")
    assert "version 13 is refused" in guard.check_health().error


def test_last_good_file_of_something_else_is_not_used(tmp_path: Path) -> None:
    last_good = tmp_path / "last"
    last_good.write_text(OF_A)
    source = MemorySource()
    source.error = break_source()

    with pytest.raises(PolicyError, match="source-unavailable"):
        Guard(None).follow(source, last_good=last_good)


def test_last_good_document_that_is_no_longer_valid_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    last_good = tmp_path / "last"
    LastGood(last_good).store(Document("3", INVALID))
    source = MemorySource()
    source.error = break_source()

    with pytest.raises(PolicyError, match="source-unavailable"):
        Guard(None).follow(source, last_good=last_good)

    assert "the last good document can't be used: version 3 is refused: allow" in caplog.text


def test_last_good_file_that_is_absent_changes_nothing(tmp_path: Path) -> None:
    source = MemorySource()
    source.error = break_source()

    with pytest.raises(PolicyError, match="source-unavailable"):
        Guard(None).follow(source, last_good=tmp_path / "last")


def test_unwritable_last_good_file_is_logged_once(
    follow: Follow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    source = MemorySource(OF_A, "1")
    guard = follow(source, last_good=tmp_path / "file" / "last", poll=OFTEN)
    changes = Changes(guard)

    source.put(OF_B, "2")
    changes.wait_for("2")

    assert allows(guard, B)
    assert caplog.text.count("the last good document can't be written to disk") == 1


def test_last_good_file_is_written_once_it_can_be(follow: Follow, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.write_text("")  # not a folder yet
    source = MemorySource(OF_A, "1")
    guard = follow(source, last_good=folder / "last", poll=OFTEN)
    folder.unlink()
    store = MemoryStore(Revision(1, SET))
    follow(store, last_good=folder / "of store", poll=OFTEN)
    Changes(guard)

    while not (folder / "last").exists():
        source.loads.get(timeout=PATIENCE)

    found = LastGood(folder / "last").load()
    assert found == (Document("1", OF_A), [])


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


def test_policies_of_views_stay(follow: Follow) -> None:
    view = Policy(allow_origins=[C])
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    guard.adapter.add_views([("view", view)])
    changes = Changes(guard)

    source.put(OF_B, "2")
    changes.wait_for("2")

    assert guard.adapter.snapshot.views == (("view", view),)


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


def test_watch_that_fails_is_called_again(follow: Follow) -> None:
    class Failing(MemorySource):
        calls = 0

        def watch(self, on_change: Callable[[], object]) -> None:
            self.calls += 1
            if self.calls == 1:
                raise OSError("inotify watch limit reached")
            super().watch(on_change)

    source = Failing(OF_A, "1")
    changes = Changes(follow(source))
    source.loads.get(timeout=PATIENCE)
    source.document = Document("2", OF_B)  # in between, so that nothing reports it

    changes.wait_for("2")
    assert source.calls == 2


def test_failing_subscriber_is_logged(follow: Follow, caplog: pytest.LogCaptureFixture) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)

    def fail(_: PolicyChange) -> None:
        raise ZeroDivisionError

    guard.subscribe_changes(fail)
    changes = Changes(guard)
    source.put(OF_B, "2")
    changes.wait_for("2")

    assert "subscriber" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_subscriber_of_changes_may_stop_following(follow: Follow) -> None:
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    done = threading.Event()

    def stop(_: PolicyChange) -> None:
        guard.unfollow()
        done.set()

    guard.subscribe_changes(stop)
    guard.check_health()
    source.put(OF_B, "2")

    assert done.wait(PATIENCE)
    assert allows(guard, B)


def test_guard_that_follows_is_not_reconfigured(follow: Follow) -> None:
    guard = follow(MemorySource(OF_A))

    with pytest.raises(RuntimeError, match="follows a source: publish there"):
        guard.reconfigure(Policy(allow_origins=[B]))
    with pytest.raises(RuntimeError, match="follows a source already"):
        guard.follow(MemorySource(OF_B))
    guard.unfollow()
    guard.reconfigure(Policy(allow_origins=[B]))
    assert allows(guard, B)


def test_guard_that_follows_nothing_is_current() -> None:
    guard = Guard(Policy(allow_origins=[A]))

    assert guard.check_health() == (True, None, None, "", 0)
    with pytest.raises(RuntimeError, match="follows no source"):
        guard.subscribe_changes(print)


@pytest.mark.parametrize("poll", [0, -1, float("nan")])
def test_poll_that_is_not_positive_is_refused(poll: float) -> None:
    with pytest.raises(ValueError, match="poll"):
        Guard(None).follow(MemorySource(OF_A), poll=poll)


def test_source_that_hangs_is_not_current(follow: Follow) -> None:
    class Hanging(MemorySource):
        go_on = threading.Event()
        is_hanging = threading.Event()

        def load(self) -> Document:
            if not self.loads.empty():
                self.is_hanging.set()
                self.go_on.wait()
            return super().load()

    source = Hanging(OF_A)
    guard = follow(source, poll=OFTEN)
    guard.check_health()
    assert source.is_hanging.wait(PATIENCE)

    follower = guard._follower
    assert follower is not None
    follower._updater.responded_at -= 5  # the seconds since the last response
    health = guard.check_health()
    source.go_on.set()

    assert health.error.startswith("the source has not responded for ")
    assert not health.is_current
    assert allows(guard, A)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text("0123456789abcdef0123456789abcdef")
    return file


def test_signed_documents_alone_are_put_in_force(follow: Follow, key: Path) -> None:
    signing = load_signing_key(key)
    source = MemorySource(sign(OF_A, 1, signing), "1")
    guard = follow(source, key=key)
    changes = Changes(guard)

    source.put(OF_B, "2")
    unsigned = changes.next().error
    source.put(sign(OF_A, 2, signing).replace(A, B), "3")
    changed = changes.next().error

    assert "document-not-authentic" in unsigned
    assert "document-not-authentic" in changed
    assert allows(guard, A)
    source.put(sign(OF_B, 4, signing), "4")
    changes.wait_for("4")
    assert allows(guard, B)


def test_earlier_signed_document_is_not_put_in_force_again(follow: Follow, key: Path) -> None:
    signing = load_signing_key(key)
    source = MemorySource(sign(OF_A, 8, signing), "8")
    guard = follow(source, key=load_verifying_key(key))
    changes = Changes(guard)

    source.put(sign(OF_B, 7, signing), "replayed")

    error = changes.next().error
    assert "version 8 was in force, and this one is older" in error
    assert "under a number that is higher" in error
    assert allows(guard, A)


def test_unsigned_document_does_not_start_a_worker(key: Path) -> None:
    with pytest.raises(PolicyError, match="document-not-authentic"):
        Guard(None).follow(MemorySource(OF_A), key=key)


def test_signed_revisions_of_a_store_have_their_own_numbers(follow: Follow, key: Path) -> None:
    signing = load_signing_key(key)
    store = MemoryStore(Revision(1, sign(SET, 1, signing)))
    guard = follow(store, key=key)
    changes = Changes(guard)
    add_b = format_changes({"partners": SetChange(add=(B,))})

    store.publish(Revision(2, add_b, is_change=True))
    unsigned = changes.next().error
    store.revisions.pop()
    store.revisions.append(Revision(2, sign(add_b, 3, signing, is_change=True), is_change=True))
    store.publish(Revision(3, sign(add_b, 3, signing, is_change=True), is_change=True))
    renumbered = changes.next().error
    store.revisions = [Revision(4, sign(OF_B, 5, signing))]
    store.publish(change(5))
    moved = changes.next().error

    assert "document-not-authentic" in unsigned
    assert "the signature of version 2 is that of another one" in renumbered
    assert "the signature is that of version 5" in moved
    assert allows(guard, A)
    store.revisions = [Revision(6, sign(SET, 6, signing))]
    store.publish(Revision(7, sign(add_b, 7, signing, is_change=True), is_change=True))
    changes.wait_for("7")
    assert allows(guard, B)


def test_signed_change_is_put_in_force(follow: Follow, key: Path) -> None:
    signing = load_signing_key(key)
    store = MemoryStore(Revision(1, sign(SET, 1, signing)))
    guard = follow(store, key=key)
    changes = Changes(guard)

    text = format_changes({"partners": SetChange(add=(B,))})
    store.publish(Revision(2, sign(text, 2, signing, is_change=True), is_change=True))
    changes.wait_for("2")

    assert allows(guard, B)


def test_restarted_process_follows_anew(follow: Follow) -> None:
    """What a forked child does, which no coverage sees."""
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    source.document = Document("2", OF_B)

    fork_safety._restart_all()

    assert allows(guard, B)  # the first request waits for the newest document


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


def test_source_that_moves_on_is_not_written_under_an_old_version(
    follow: Follow, tmp_path: Path
) -> None:
    class Moving(MemorySource):
        def load(self) -> Document:
            number = int(self.document.version) + 1
            self.document = Document(str(number), OF_A if number % 2 else OF_B)
            return super().load()

    (tmp_path / "file").write_text("")
    source = Moving(OF_A, "1")
    changes = Changes(follow(source, last_good=tmp_path / "file" / "last", poll=OFTEN))

    versions = [int(changes.next().version) for _ in range(3)]

    assert versions == sorted(versions)


def test_watch_that_fails_ends_with_the_follower(follow: Follow) -> None:
    class Failing(MemorySource):
        has_failed = threading.Event()

        def watch(self, on_change: Callable[[], object]) -> None:
            self.has_failed.set()
            raise OSError("inotify watch limit reached")

    source = Failing(OF_A)
    guard = follow(source)
    guard.check_health()
    assert source.has_failed.wait(PATIENCE)

    guard.unfollow()

    assert not any(each.name.startswith("corsguard") for each in threading.enumerate())


def test_change_of_a_wrong_shape_is_refused(follow: Follow) -> None:
    store = MemoryStore(Revision(1, SET))
    guard = follow(store)
    changes = Changes(guard)

    store.publish(Revision(2, "[changes.partners]\nadd = 5", is_change=True))

    assert "version 2 is refused" in changes.next().error
    assert allows(guard, A)


HOLDING = """
import sys
from corsguard.sources.last_good import LastGood

with LastGood(sys.argv[1])._locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_last_good_file_is_written_when_another_process_is_done(
    follow: Follow, tmp_path: Path
) -> None:
    last_good = tmp_path / "last"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(last_good)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        source = MemorySource(OF_A, "1")
        guard = follow(source, last_good=last_good, poll=OFTEN)
        assert not last_good.exists()
        holder.communicate()
    guard.check_health()

    while not last_good.exists():
        source.loads.get(timeout=PATIENCE)


PRELOADED = """
import json, logging, os, sys, threading
logging.disable()
from corsguard import Guard
from corsguard.sources.file_source import FileSource

path = sys.argv[1]
guard = Guard(None)
guard.follow(FileSource(path), poll=60)
allows = lambda origin: guard.decide("/", origin, "GET", {}).allowed
threads = len(threading.enumerate())
with open(path, "w") as file:
    file.write('allow_origins = ["https://b.example"]')
children = []
for _ in range(3):
    read, write = os.pipe()
    if os.fork() == 0:
        seen = [allows("https://a.example"), allows("https://b.example")]
        os.write(write, json.dumps([seen, len(threading.enumerate())]).encode())
        os._exit(0)
    os.wait()
    children.append(json.loads(os.read(read, 1000)))
print(json.dumps([threads, children]))
"""


def test_forked_process_follows_from_its_first_request_on(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(OF_A)

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PRELOADED, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stderr == ""
    assert json.loads(run.stdout) == [1, [[[False, True], 3]] * 3]


def test_process_that_ends_stops_its_threads(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(OF_A)
    program = (
        "import sys\nfrom corsguard import Guard\n"
        "guard = Guard.from_mapping({'source': sys.argv[1]})\n"
        "print(guard.check_health().is_current)"
    )

    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.stdout, run.stderr) == ("True\n", "")


def test_process_without_room_for_threads_keeps_its_policy(
    follow: Follow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    guard = follow(MemorySource(OF_A))

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert allows(guard, A)
    assert "can't start new thread" in caplog.text
    assert not guard.check_health().is_current


def test_import_of_the_guard_loads_no_source() -> None:
    program = "import corsguard, sys; print([m for m in sys.modules if 'sources' in m])"

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout == "[]\n"


class HangingSource(MemorySource):
    """A source whose second load hangs until a test ends it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.is_hanging, self.go_on = threading.Event(), threading.Event()

    def load(self) -> Document:
        if not self.loads.empty():
            self.is_hanging.set()
            self.go_on.wait()
        return super().load()


def test_source_that_hangs_delays_requests_only_once(
    follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "_MAX_WAIT", 0.2)
    source = HangingSource(OF_A)
    guard = follow(source, poll=OFTEN)
    time.sleep(2 * OFTEN)  # so that the document may be old

    started = time.monotonic()
    assert all(allows(guard, A) for _ in range(50))
    seconds = time.monotonic() - started

    source.go_on.set()
    assert 0.2 <= seconds < 0.2 * 50 / 2


def test_document_that_arrives_after_unfollow_is_not_put_in_force(
    follow: Follow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follower_module, "_STOP_SECONDS", 0)
    source = HangingSource(OF_A)
    guard = follow(source, poll=OFTEN)
    guard.check_health()
    assert source.is_hanging.wait(PATIENCE)
    threads = [each for each in threading.enumerate() if each.name == "corsguard-follow"]

    guard.unfollow()
    guard.reconfigure(Policy(allow_origins=[C]))
    source.document = Document("2", OF_B)
    source.go_on.set()
    for thread in threads:
        thread.join(PATIENCE)

    assert (allows(guard, B), allows(guard, C)) == (False, True)
    assert "is in force" not in caplog.text.partition("version 1 is in force")[2]


def test_error_of_a_load_that_unfollow_has_ended_is_not_logged(
    follow: Follow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follower_module, "_STOP_SECONDS", 0)
    source = HangingSource(OF_A)
    guard = follow(source, poll=OFTEN)
    guard.check_health()
    assert source.is_hanging.wait(PATIENCE)
    threads = [each for each in threading.enumerate() if each.name == "corsguard-follow"]

    guard.unfollow()
    source.error = break_source()
    source.go_on.set()
    for thread in threads:
        thread.join(PATIENCE)

    assert "refuses connections" not in caplog.text


def test_source_that_can_not_be_closed_is_logged(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    class Stuck(MemorySource):
        def close(self) -> None:
            raise SourceError("stuck")

    guard = follow(Stuck(OF_A))
    guard.check_health()

    guard.unfollow()

    assert "can't close the source: stuck" in caplog.text
    assert not any(each.name.startswith("corsguard") for each in threading.enumerate())


def test_refused_revision_of_the_same_number_stays_refused(follow: Follow, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    publish_first(url, OF_A)
    guard = follow(url, last_good=tmp_path / "last")
    assert guard._follower is not None
    updater = guard._follower._updater

    (tmp_path / "store.db").unlink()
    publish_first(url, INVALID)
    with pytest.raises(RefusedError):
        updater.load()
    updater.load()
    assert updater.refused is not None
    (tmp_path / "store.db").unlink()
    publish_first(url, OF_B)
    updater.load()

    assert updater.refused is None
    assert (allows(guard, A), allows(guard, B)) == (False, True)
    assert LastGood(tmp_path / "last").load() == (Document("1", OF_B), [])


def publish_first(url: str, text: str) -> None:
    store = open_source(url)
    assert isinstance(store, PolicyStore)
    store.publish(Revision(1, text))
    store.close()


def test_restarted_worker_refuses_an_earlier_signed_document(
    follow: Follow, key: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    signing, last_good = load_signing_key(key), tmp_path / "last"
    add_b = sign(format_changes({"partners": SetChange(add=(B,))}), 9, signing, is_change=True)
    whole = Revision(8, sign(SET, 8, signing))
    follow(MemoryStore(whole, Revision(9, add_b, is_change=True)), key=key, last_good=last_good)

    guard = follow(MemoryStore(whole), key=key, last_good=last_good)

    assert (guard.version, allows(guard, B)) == ("9", True)
    assert "version 9 was in force, and this one is older" in guard.check_health().error
    assert "started with version 9" in caplog.text


def test_last_good_file_that_is_not_signed_refuses_nothing(
    follow: Follow, key: Path, tmp_path: Path
) -> None:
    LastGood(tmp_path / "last").store(Document("9", OF_A))

    guard = follow(
        MemorySource(sign(OF_B, 1, load_signing_key(key))), key=key, last_good=tmp_path / "last"
    )

    assert (allows(guard, A), allows(guard, B)) == (False, True)


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
