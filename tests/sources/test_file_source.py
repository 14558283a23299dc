"""A policy in a file, and what happens to files: in place, replaced, swapped, missing."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import stat
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Queue
from statistics import median
from typing import Any

import pytest
from support.source_watch import PATIENCE, watch

from corsguard.sources import ConflictError, SourceEmptyError, SourceError, file_replacement
from corsguard.sources.document_text import MAX_BYTES
from corsguard.sources.file_source import FileSource
from corsguard.sources.signature import load_signing_key, sign


def replace(path: Path, text: str) -> None:
    """Replace a file as programs do that write atomically."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    os.replace(new, path)


def swap(mount: Path, number: int, text: str) -> None:
    """Write a version of a ConfigMap as the kubelet does, and remove the one before."""
    old = mount / "..data"
    before = os.readlink(old) if old.is_symlink() else None
    new = mount / f"..2026_11_27_{number}"
    new.mkdir()
    (new / "policy.toml").write_text(text)
    (mount / "..data_tmp").symlink_to(new.name)
    os.replace(mount / "..data_tmp", old)
    if before is None:
        (mount / "policy.toml").symlink_to("..data/policy.toml")
    else:
        shutil.rmtree(mount / before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "policy.toml"
    found.write_text("a = 1\n")
    return found


# Reading


def test_document_has_text_and_checksum(path: Path) -> None:
    source = FileSource(path)

    first = source.load()
    path.write_text("a = 2\n")
    second = source.load()

    assert (first.text, second.text) == ("a = 1\n", "a = 2\n")
    assert len(first.version) == len(second.version) == 12
    assert first.version != second.version


def test_version_is_the_signed_number(path: Path) -> None:
    key = path.with_name("key")
    key.write_text("k" * 32)
    path.write_text(sign("a = 1\n", 12, load_signing_key(key)))

    document = FileSource(path).load()

    assert document == ("12", path.read_text())


def test_byte_order_mark_is_no_part_of_the_text(path: Path) -> None:
    plain = FileSource(path).load()

    path.write_bytes(b"\xef\xbb\xbfa = 1\n")

    assert FileSource(path).load() == plain


def test_path_stays_where_the_process_goes_elsewhere(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = FileSource("policy.toml")

    monkeypatch.chdir("/")

    assert source.load().text == "a = 1\n"
    assert repr(source) == f"FileSource('{path}')"


def test_missing_file_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(SourceEmptyError, match=r"^/.*/policy.toml does not exist$"):
        FileSource(tmp_path / "policy.toml").load()


@pytest.mark.parametrize("text", ["", " \n"])
def test_blank_file_is_no_document(path: Path, text: str) -> None:
    path.write_text(text)

    with pytest.raises(SourceEmptyError, match=r"policy.toml is empty$"):
        FileSource(path).load()


def test_other_encoding_is_an_error_with_its_place(path: Path) -> None:
    path.write_bytes(b"a = '\xe9'")

    with pytest.raises(SourceError, match=r"policy.toml is not UTF-8: see byte 5$"):
        FileSource(path).load()


def test_large_file_is_an_error_and_is_not_read_whole(path: Path) -> None:
    os.truncate(path, 2**40)  # a sparse file

    with pytest.raises(SourceError, match=r"policy.toml has more than 64 MiB$"):
        FileSource(path).load()


def test_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"(is not a regular file|Is a directory)$"):
        FileSource(tmp_path).load()


def test_fifo_is_an_error_and_nothing_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(SourceError, match=r"fifo is not a regular file$"):
        FileSource(tmp_path / "fifo").load()


def test_device_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"^/dev/zero is not a regular file$"):
        FileSource("/dev/zero").load()


def test_file_in_place_of_a_folder_is_an_error(path: Path) -> None:
    with pytest.raises(SourceError, match=r"can't be read: Not a directory$"):
        FileSource(path / "policy.toml").load()


# Watching


def test_changes_in_place_and_by_replacement_are_reported(path: Path) -> None:
    with watch(FileSource(path)) as seen:
        seen.expect("a = 1")
        path.write_text("a = 2")
        seen.expect("a = 2")
        replace(path, "a = 3")
        seen.expect("a = 3")
        path.write_text("a = 4")
        seen.expect("a = 4")


def test_changes_are_reported_far_below_250_ms(path: Path) -> None:
    with watch(FileSource(path)) as seen:
        seen.expect("a = 1")
        texts = [f"a = {number}" for number in range(2, 11)]
        times = [seen.measure(partial(replace, path, text), text) for text in texts]

    assert median(times) < 0.125


def test_half_written_file_is_followed_by_the_whole(path: Path) -> None:
    with watch(FileSource(path)) as seen:
        seen.expect("a = 1")
        with path.open("w") as file:
            file.write("[origin_sets]\n")
            file.flush()
            seen.expect("[origin_sets]\n")
            file.write("partners = []\n")
        seen.expect("[origin_sets]\npartners = []\n")


def test_editor_that_renames_the_old_file_is_followed(path: Path) -> None:
    with watch(FileSource(path)) as seen:
        seen.expect("a = 1")
        path.rename(path.with_name("policy.toml~"))
        seen.expect("! ")
        path.write_text("a = 2")
        path.with_name("policy.toml~").unlink()
        seen.expect("a = 2")


def test_swaps_of_a_config_map_are_reported(tmp_path: Path) -> None:
    swap(tmp_path, 0, "a = 0")
    with watch(FileSource(tmp_path / "policy.toml")) as seen:
        seen.expect("a = 0")
        for number in range(1, 5):
            swap(tmp_path, number, f"a = {number}")
            seen.expect(f"a = {number}")


def test_link_to_another_folder_is_followed(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "link.toml"
    link.symlink_to(path)
    with watch(FileSource(link)) as seen:
        seen.expect("a = 1")
        path.write_text("a = 2")
        seen.expect("a = 2")
        link.unlink()
        link.symlink_to("../other.toml")
        seen.expect("! ")
        (tmp_path / "other.toml").write_text("a = 3")
        seen.expect("a = 3")


def test_folder_that_comes_later_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "app" / "conf" / "policy.toml"
    with watch(FileSource(path)) as seen:
        seen.expect("! ")
        path.parent.mkdir(parents=True)
        path.write_text("a = 1")
        seen.expect("a = 1")


def test_folder_that_is_replaced_is_followed(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "policy.toml").write_text("a = 1")
    with watch(FileSource(folder / "policy.toml")) as seen:
        seen.expect("a = 1")
        new = tmp_path / "new"
        new.mkdir()
        (new / "policy.toml").write_text("a = 2")
        folder.rename(tmp_path / "old")
        new.rename(folder)
        seen.expect("a = 2")
        (folder / "policy.toml").write_text("a = 3")
        seen.expect("a = 3")
        shutil.rmtree(folder)
        seen.expect("! ")
        folder.mkdir()
        (folder / "policy.toml").write_text("a = 4")
        seen.expect("a = 4")


class Recorder:
    """A notifier of watchfiles that counts its batches of changes."""

    def __init__(
        self, make: Callable[..., Any], batches: Queue[object], *arguments: object
    ) -> None:
        self._notifier, self._batches = make(*arguments), batches

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self._notifier.close()

    def watch(self, *arguments: object) -> object:
        changes = self._notifier.watch(*arguments)
        self._batches.put(changes)
        return changes


def test_other_files_of_the_folder_are_ignored(path: Path) -> None:
    batches: Queue[object] = Queue()
    source = FileSource(path)
    notifier: Any = source._notifier
    source._notifier = partial(Recorder, notifier, batches)  # type: ignore[assignment]
    with watch(source) as seen:
        seen.expect("a = 1")
        path.with_name("other.toml").write_text("a = 2")
        batches.get(timeout=PATIENCE)
        assert seen.count() == 0
        path.write_text("a = 3")
        seen.expect("a = 3")


def test_file_in_place_of_a_folder_is_watched(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    folder.write_text("x")
    with watch(FileSource(folder / "policy.toml")) as seen:
        seen.expect("! ")
        folder.unlink()
        folder.mkdir()
        (folder / "policy.toml").write_text("a = 1")
        seen.expect("a = 1")


def test_loop_of_links_is_watched_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.symlink_to("other.toml")
    (tmp_path / "other.toml").symlink_to("policy.toml")
    with watch(FileSource(path)) as seen:
        seen.expect("! ")
        path.unlink()
        path.write_text("a = 1")
        seen.expect("a = 1")


def test_folder_that_vanishes_meanwhile_is_looked_up_again(path: Path) -> None:
    source = FileSource(path)
    notifier, calls = source._notifier, []

    def fail_once(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 1:
            raise FileNotFoundError
        assert notifier is not None
        return notifier(*arguments)  # type: ignore[arg-type]

    source._notifier = fail_once  # type: ignore[assignment]
    with watch(source) as seen:
        seen.expect("a = 1")


def test_change_between_two_looks_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "conf" / "policy.toml"
    source, calls = FileSource(path), []
    done = threading.Event()

    def make_folder() -> None:
        """Make the folder once the watch has begun, and before it waits for a change."""
        calls.append(path.exists())
        if len(calls) == 1:
            path.parent.mkdir()
            path.write_text("a = 1")
        else:
            done.set()

    thread = threading.Thread(target=source.watch, args=(make_folder,), daemon=True)
    thread.start()

    assert done.wait(PATIENCE)
    assert calls[1]
    source.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_closed_source_is_watched_no_more(path: Path) -> None:
    source = FileSource(path)
    source.close()
    source.close()
    calls: list[int] = []

    source.watch(lambda: calls.append(1))
    source._restart()  # as in a forked child
    source.watch(lambda: calls.append(1))

    assert calls == []


def test_ctrl_c_ends_a_watch_in_the_main_thread(path: Path) -> None:
    source = FileSource(path)

    with pytest.raises(KeyboardInterrupt):
        source.watch(lambda: signal.raise_signal(signal.SIGINT))
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        source.watch(lambda: None)


def test_watch_without_watchfiles_returns_and_logs_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles._rust_notify", None)
    source = FileSource(path)

    with caplog.at_level(logging.INFO, "corsguard"):
        source.watch(pytest.fail)
        source.watch(pytest.fail)

    assert caplog.messages == [
        f'{path} is polled. To see changes at once: pip install "corsguard[files]"'
    ]


def test_forked_child_watches_anew(path: Path) -> None:
    source = FileSource(path)
    with watch(source) as seen:
        seen.expect("a = 1")
        pid = os.fork()
        if pid == 0:
            signal.alarm(PATIENCE)
            try:
                with watch(source) as seen_by_child:
                    seen_by_child.expect("a = 1")
                    path.write_text("a = 2")
                    seen_by_child.expect("a = 2")
            except BaseException:
                os._exit(1)
            os._exit(0)
        seen.expect("a = 2")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# Writing


def test_written_document_is_read_back(path: Path) -> None:
    source = FileSource(path)

    source.write("a = 2\n", expected="a = 1\n")

    assert source.load().text == "a = 2\n"
    assert [*path.parent.glob(".*.tmp")] == []


def test_new_file_is_written_for_the_umask(tmp_path: Path) -> None:
    source = FileSource(tmp_path / "new.toml")
    before = os.umask(0o027)
    try:
        source.write("a = 1", expected=None)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "new.toml").stat().st_mode) == 0o640


def test_mode_and_owner_are_kept(path: Path) -> None:
    path.chmod(0o604)
    if os.getuid() == 0:
        os.chown(path, 1, 2)
    before = path.stat()

    FileSource(path).write("a = 2", expected="a = 1\n")

    after = path.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


def test_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link.toml"
    link.parent.mkdir()
    link.symlink_to(path)

    FileSource(link).write("a = 2", expected="a = 1\n")

    assert link.is_symlink()
    assert path.read_text() == "a = 2"


@pytest.mark.parametrize("expected", ["a = 0\n", None])
def test_file_that_somebody_changed_is_a_conflict(path: Path, expected: str | None) -> None:
    with pytest.raises(ConflictError, match=r"policy.toml has been changed by somebody else$"):
        FileSource(path).write("a = 2", expected=expected)

    assert path.read_text() == "a = 1\n"


def test_of_many_writers_one_wins(path: Path) -> None:
    start, outcomes = threading.Barrier(8), []

    def write(number: int) -> None:
        source = FileSource(path)
        start.wait()
        try:
            source.write(f"a = {number + 10}", expected="a = 1\n")
            outcomes.append(f"a = {number + 10}")
        except ConflictError:
            outcomes.append("")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 8
    assert [text for text in outcomes if text] == [path.read_text()]


def test_writer_waits_for_another_and_gives_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_replacement, "_LOCK_SECONDS", 0.05)

    with (
        file_replacement.lock_file(path),
        pytest.raises(SourceError, match=r"can't be written: another process holds .*lock$"),
    ):
        FileSource(path).write("a = 2", expected="a = 1\n")

    assert path.read_text() == "a = 1\n"


def test_writer_without_locks_still_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_replacement, "_fcntl", None)  # Windows

    FileSource(path).write("a = 2", expected="a = 1\n")

    assert path.read_text() == "a = 2"


def test_lock_of_another_user_is_opened_for_reading(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system_open = os.open

    def refuse_writing(name: Path, flags: int, *mode: int) -> int:
        if name.name.endswith(".lock") and flags & os.O_RDWR:
            raise PermissionError
        return system_open(name, flags, *mode)

    FileSource(path).write("a = 2", expected="a = 1\n")
    monkeypatch.setattr(os, "open", refuse_writing)  # root may open everything
    FileSource(path).write("a = 3", expected="a = 2")

    assert path.read_text() == "a = 3"


@pytest.mark.parametrize("text", ["", "#" * (MAX_BYTES + 1)], ids=["blank", "large"])
def test_document_that_could_not_be_read_is_not_written(path: Path, text: str) -> None:
    with pytest.raises(SourceError, match=r"^the new document (is empty|has more than 64 MiB)$"):
        FileSource(path).write(text, expected="a = 1\n")

    assert path.read_text() == "a = 1\n"


def test_failed_write_leaves_the_old_file_and_no_other(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)  # for want of a full disk
        with pytest.raises(SourceError, match=r"can't be written: No space left on device$"):
            FileSource(path).write("a = 2", expected="a = 1\n")

    assert path.read_text() == "a = 1\n"
    assert [*path.parent.glob(".*.tmp")] == []


def test_missing_folder_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"can't be written: No such file or directory$"):
        FileSource(tmp_path / "missing" / "policy.toml").write("a = 1", expected=None)
