"""A forked child has no held lock and no half-finished replacement."""

from __future__ import annotations

import ast
import gc
import os
import subprocess
import sys
from pathlib import Path
from threading import Lock

import pytest
from support.engine_requests import LISTED, PLAIN, A

import corsguard
from corsguard import Guard, fork_safety
from corsguard.guard.runtime import GuardRuntime
from corsguard.guard.snapshot import Snapshot

PROGRAM = Path(__file__).parents[1] / "support/fork_program.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.slow
def test_fork_during_updates_leaves_the_child_working() -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_fork_frees_a_lock_that_another_thread_holds() -> None:
    guard = Guard(PLAIN)
    for _ in range(2):  # held at the time of a fork, and of a fork of the child
        assert guard.adapter._replacing.acquire(blocking=False)
        fork_safety._restart_all()
        guard.reconfigure(LISTED)
        assert guard.decide("/", A, "GET", {}).allowed


def test_fork_lets_the_holder_of_a_lock_release_it() -> None:
    guard = Guard(PLAIN)
    with guard.adapter._replacing:
        fork_safety._restart_all()
        guard.reconfigure(LISTED)
    guard.reconfigure(PLAIN)


def test_fork_forgets_the_locks_of_a_dead_guard() -> None:
    before = set(fork_safety._restarts)
    guard = Guard(LISTED)
    of_guard = set(fork_safety._restarts) - before
    assert of_guard
    del guard
    gc.collect()
    assert of_guard.isdisjoint(fork_safety._restarts)


def test_fork_works_with_an_unhashable_guard() -> None:
    class Mine(GuardRuntime):
        __hash__ = None  # type: ignore[assignment]

    mine = Mine(Snapshot(PLAIN))
    held = mine._replacing = Lock()
    fork_safety._restart_all()
    assert mine._replacing is not held


def test_fork_imports_everything_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = Guard(PLAIN)
    monkeypatch.delitem(sys.modules, "corsguard.guard.config", raising=False)
    fork_safety._import_all()
    assert "corsguard.guard.config" in sys.modules
    monkeypatch.delitem(sys.modules, "corsguard.guard.config")
    monkeypatch.setattr(fork_safety, "_restarts", {})  # without any guard, a fork needs nothing
    fork_safety._import_all()
    assert "corsguard.guard.config" not in sys.modules
    assert guard.policies is PLAIN


def test_fork_imports_include_every_function_level_import() -> None:
    known = {
        *fork_safety._IMPORTED_LATE,
        *fork_safety._IF_IMPORTED,
        *fork_safety._list_own_modules(),
        "corsguard",
        "corsguard.guard",
    }
    found = set()
    root = Path(corsguard.__file__).parent
    folders = (root, root / "policy", root / "engine", root / "guard")
    for path in [path for folder in folders for path in folder.glob("*.py")]:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                found |= {name for each in ast.walk(function) for name in imported_by(each)}
    # A source is followed before the process serves requests, and its threads import nothing.
    found = {name for name in found if not name.startswith("corsguard.sources.")}
    assert found - {"pkgutil"} <= known


def imported_by(statement: ast.AST) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [str(statement.module)] if isinstance(statement, ast.ImportFrom) else []
