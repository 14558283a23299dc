from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.following import INVALID, OF_A, OF_B, SET, A, B, Follow, allows
from support.memory_store import (
    OFTEN,
    PATIENCE,
    Changes,
    MemorySource,
    MemoryStore,
    break_source,
)

from corsguard import Guard, PolicyError
from corsguard.sources import Document, Revision
from corsguard.sources.last_good import LastGood
from corsguard.sources.signature import load_signing_key, sign

HOLDING = """
import sys
from corsguard.sources.last_good import LastGood

with LastGood(sys.argv[1])._locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


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


def test_last_good_file_that_is_not_signed_refuses_nothing(
    follow: Follow, key: Path, tmp_path: Path
) -> None:
    LastGood(tmp_path / "last").store(Document("9", OF_A))

    guard = follow(
        MemorySource(sign(OF_B, 1, load_signing_key(key))), key=key, last_good=tmp_path / "last"
    )

    assert (allows(guard, A), allows(guard, B)) == (False, True)
