"""Running `corsguard` with `--app`, in this process or in a new one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.cli_command import Finished

from corsguard.cli import main
from corsguard.guard.decorated_views import find_unreached, mark_reached

AppCommand = Callable[..., Finished]
"""(source of the module main, the arguments of the command) -> its result"""


@pytest.fixture
def on_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[AppCommand]:
    """Run the command in this process, in a folder whose `main.py` has this content."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("COLUMNS", "80")

    def run(source: str, *args: str) -> Finished:
        forget_modules(tmp_path)
        Path("main.py").write_text(source, encoding="utf-8")
        with pytest.raises(SystemExit) as ended:
            main(args)
        return Finished(ended.value.code, *capsys.readouterr())

    yield run
    forget_modules(tmp_path)


def forget_modules(folder: Path) -> None:
    """Remove the modules of a folder, so that the next test imports its own.

    The caches of FastAPI keep their views alive, so these are marked as reached.
    """
    removed = set()
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]
            removed.add(name)
    mark_reached(each for each in find_unreached(()) if getattr(each, "__module__", "") in removed)


def run_in_process(folder: Path, source: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a new process, as a user does it in the folder of an application."""
    (folder / "main.py").write_text(source, encoding="utf-8")
    # As the script of an installation, without the current folder on sys.path.
    script = "import sys; sys.path.pop(0); from corsguard.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", script, *args],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
