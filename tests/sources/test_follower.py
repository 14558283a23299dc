from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.following import INVALID, OF_A, OF_B, A, B, C, Follow, allows
from support.memory_store import (
    OFTEN,
    PATIENCE,
    Changes,
    MemorySource,
    break_source,
)

from corsguard import Guard, Policy, PolicyError
from corsguard.sources import Document, PolicyStore, Revision, SourceError, open_source
from corsguard.sources import follower as follower_module
from corsguard.sources.follower import PolicyChange
from corsguard.sources.last_good import LastGood
from corsguard.sources.policy_updater import RefusedError


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


def publish_first(url: str, text: str) -> None:
    store = open_source(url)
    assert isinstance(store, PolicyStore)
    store.publish(Revision(1, text))
    store.close()


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


def test_follower_does_not_start_with_an_invalid_document() -> None:
    with pytest.raises(PolicyError) as caught:
        Guard(None).follow(MemorySource(f"{INVALID}max_age = -1\n"))

    codes = {each.code for each in caught.value.problems}
    assert codes == {"origin-invalid", "max-age-out-of-range"}


def test_policies_of_views_stay(follow: Follow) -> None:
    view = Policy(allow_origins=[C])
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    guard.adapter.add_views([("view", view)])
    changes = Changes(guard)

    source.put(OF_B, "2")
    changes.wait_for("2")

    assert guard.adapter.snapshot.views == (("view", view),)


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
