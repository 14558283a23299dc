from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
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

from corsguard import Guard, Policy, PolicyError
from corsguard.sources import Document, PolicyStore, Revision, SourceError, open_source
from corsguard.sources.changes import SetChange, format_changes
from corsguard.sources.follower import PolicyChange
from corsguard.sources.last_good import LastGood
from corsguard.sources.policy_updater import RefusedError
from corsguard.sources.signature import load_signing_key, sign

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


def test_other_revision_of_the_same_number_is_put_in_force(follow: Follow, tmp_path: Path) -> None:
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
