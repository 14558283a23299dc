from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.following import OF_A, OF_B, A, B, Follow, allows
from support.memory_store import (
    MemorySource,
)

from corsguard import fork_safety
from corsguard.sources import Document

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


def test_restarted_process_follows_anew(follow: Follow) -> None:
    """What a forked child does, which no coverage sees."""
    source = MemorySource(OF_A, "1")
    guard = follow(source)
    source.document = Document("2", OF_B)

    fork_safety._restart_all()

    assert allows(guard, B)  # the first request waits for the newest document


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
