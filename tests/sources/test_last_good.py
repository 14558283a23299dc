from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from corsguard.sources import Document, Revision, SourceError
from corsguard.sources.last_good import LastGood

TEXT = 'allow_origins = ["https://a.example"]\r\n# \udcff'  # any text comes back as it is


@pytest.fixture
def last_good(tmp_path: Path) -> LastGood:
    return LastGood(tmp_path / "last")


def change(version: int) -> Revision:
    return Revision(version, f"[changes.x]\nadd = ['https://{version}.example']", is_change=True)


def test_document_comes_back(last_good: LastGood) -> None:
    assert last_good.load() is None

    last_good.store(Document('"7" #', TEXT))

    assert last_good.load() == (Document('"7" #', TEXT), [])


def test_file_is_readable_by_its_owner_alone(last_good: LastGood) -> None:
    last_good.store(Document("1", TEXT))

    assert last_good.path.stat().st_mode & 0o777 == 0o600


def test_changes_come_back_after_their_document(last_good: LastGood) -> None:
    last_good.store(Document("7", TEXT))

    assert last_good.append([change(8), change(9)])
    assert last_good.append([change(8), change(9), change(10)])  # by a slower worker
    assert last_good.append([change(10)])

    assert last_good.load() == (Document("7", TEXT), [change(8), change(9), change(10)])


@pytest.mark.parametrize("version", ["5", "etag"])
def test_changes_that_do_not_follow_are_not_appended(last_good: LastGood, version: str) -> None:
    assert not last_good.append([change(7)])
    last_good.store(Document(version, TEXT))

    assert not last_good.append([change(7)])

    assert last_good.load() == (Document(version, TEXT), [])


def test_document_of_another_version_removes_the_changes(last_good: LastGood) -> None:
    last_good.store(Document("7", TEXT))
    last_good.append([change(8)])
    last_good.store(Document("7", TEXT))
    assert last_good.load() == (Document("7", TEXT), [change(8)])

    last_good.store(Document("3", TEXT))

    assert last_good.load() == (Document("3", TEXT), [])
    assert last_good.append([change(4)])


def test_other_text_of_the_same_version_is_written(last_good: LastGood) -> None:
    last_good.store(Document("7", TEXT))

    last_good.store(Document("7", "other"))

    assert last_good.load() == (Document("7", "other"), [])


@pytest.mark.parametrize(
    "tail", [b'\n{"version": 9, "te', b"\n[]", b'\n{"unknown": 1}', b"\n\xff", b"\n\0\0"]
)
def test_line_that_was_cut_off_is_left_out(last_good: LastGood, tail: bytes) -> None:
    last_good.store(Document("7", TEXT))
    last_good.append([change(8)])
    with last_good.path.with_name("last.changes").open("ab") as file:
        file.write(tail)

    assert last_good.load() == (Document("7", TEXT), [change(8)])

    assert last_good.append([change(9)])
    assert last_good.load() == (Document("7", TEXT), [change(8), change(9)])


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"allow_origins = []", b"# corsguard-document: ["]
)
def test_file_of_something_else_is_reported_and_replaced(
    last_good: LastGood, content: bytes
) -> None:
    last_good.path.write_bytes(content)

    with pytest.raises(SourceError, match="not a file that a guard has written"):
        last_good.load()
    assert not last_good.append([change(2)])

    last_good.store(Document("1", TEXT))
    assert last_good.load() == (Document("1", TEXT), [])


def test_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="can't be read"):
        LastGood(tmp_path).load()


def test_failed_write_leaves_the_old_file_and_no_other(
    last_good: LastGood, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_good.store(Document("1", TEXT))

    def fail(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        last_good.store(Document("2", TEXT))

    assert last_good.load() == (Document("1", TEXT), [])
    assert {each.name for each in last_good.path.parent.iterdir()} == {"last", "last.lock"}


WRITERS = """
import sys
from corsguard.sources import Document, Revision
from corsguard.sources.last_good import LastGood

last_good = LastGood(sys.argv[1])
for version in range(1, 300):
    try:
        last_good.store(Document(str(version), "x" * 100_000 + str(version)))
        last_good.append([Revision(version + 1, str(version + 1), is_change=True)])
    except BlockingIOError:
        pass
"""


def test_writers_at_once_leave_one_whole_state(last_good: LastGood) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITERS, str(last_good.path)]) for _ in range(3)
    ]
    while any(each.poll() is None for each in writers):
        found = last_good.load()
        if found is not None:
            document, changes = found
            assert document.text == "x" * 100_000 + document.version
            assert all(each.text == str(each.version) for each in changes)

    assert [each.wait() for each in writers] == [0, 0, 0]


LOCKING = """
import json, os, sys
from corsguard.sources import Document
from corsguard.sources.last_good import LastGood

last_good = LastGood(sys.argv[1])
read, write = os.pipe()
with last_good._locked():
    child = os.fork()
    if child == 0:
        os.read(read, 1)  # alive until the parent is done
        os._exit(0)
last_good.store(Document("1", "text"))
other = os.fork()
if other == 0:
    last_good.store(Document("2", "text"))
    os._exit(0)
print(json.dumps(os.waitpid(other, 0)[1]))
os.write(write, b"x")
os.waitpid(child, 0)
"""


def test_child_that_is_forked_under_the_lock_does_not_keep_it(last_good: LastGood) -> None:
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run

    done = run(
        [sys.executable, "-c", LOCKING, str(last_good.path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert json.loads(done.stdout) == 0
    assert last_good.load() == (Document("2", "text"), [])
