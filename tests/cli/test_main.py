"""The command itself: its version, its help, and how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import pytest
from support.cli_command import Command

from corsguard.cli import main
from corsguard.cli.version import read_version

EXTRA = 'pip install "corsguard[cli]"'


def python(*args: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(path)} if path else None
    return subprocess.run(
        [sys.executable, *args],
        env=env,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_version(corsguard: Command) -> None:
    assert corsguard("--version") == (0, f"corsguard {version('corsguard')}\n", "")


def test_version_without_metadata_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("corsguard.cli.version.version", find_nothing)
    assert read_version() == "unknown"


def test_help_fits_a_narrow_terminal(corsguard: Command) -> None:
    code, out, err = corsguard("--help")

    assert (code, err) == (0, "")
    assert re.search(r"^  check +\w", out, re.MULTILINE)
    assert re.search(r"^  demo +\w", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 80
    assert len(out.splitlines()) <= 29


def test_unknown_command_is_a_usage_error(corsguard: Command) -> None:
    code, out, err = corsguard("chekc")

    assert (code, out) == (2, "")
    assert "chekc" in err
    assert "Traceback" not in err


def test_module_runs_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["corsguard", "--version"])

    # Not by runpy, which can't read what pytest has rewritten: that is so for all of a
    # distribution that has a plugin.
    with pytest.raises(SystemExit) as ended:
        import_module("corsguard.__main__")

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"corsguard {version('corsguard')}\n"


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """A folder with the core and what the commands import, without any metadata."""
    for name in ("corsguard", "click", "rich", "pygments", "idna", "publicsuffixlist"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (tmp_path / name).symlink_to(Path(spec.origin).parent, target_is_directory=True)
    return tmp_path


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        (["--version"], 0, "corsguard unknown\n"),
        (["--help"], 0, "Usage: corsguard"),
        (["check", "corsguard.toml"], 0, "no problems"),
        (["explain", "corsguard.toml", "--page", "https://a.example", "https://b.example"], 0, "✓"),
        (["demo"], 2, EXTRA),
    ],
)
def test_bare_checkout_runs_the_command(
    bare_checkout: Path, args: list[str], code: int, text: str
) -> None:
    (bare_checkout / "corsguard.toml").write_text('allow_origins = ["https://a.example"]')
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "corsguard", *args],
        cwd=bare_checkout,
        env={"PYTHONPATH": str(bare_checkout), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ended.returncode == code
    assert text in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_missing_extra_ends_with_one_line(
    corsguard: Command, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    code, out, err = corsguard("--help")

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert missing in err
    assert EXTRA in err


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (["demo"], "werkzeug"),
        (["probe", "http://127.0.0.1/", "--page", "https://app.example.com"], "httpx"),
    ],
)
def test_missing_library_of_a_command_names_the_extra(
    corsguard: Command, monkeypatch: pytest.MonkeyPatch, command: list[str], missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    code, out, err = corsguard(*command)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert missing in err
    assert EXTRA in err


@pytest.mark.parametrize(
    ("missing", "command"), [("click", "--help"), ("rich", "--help"), ("werkzeug", "demo")]
)
def test_missing_extra_ends_a_process_with_one_line(
    tmp_path: Path, missing: str, command: str
) -> None:
    blocker = f"raise ImportError('{missing} is blocked')"
    (tmp_path / f"{missing}.py").write_text(blocker, encoding="utf-8")

    ended = python("-m", "corsguard", command, path=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert EXTRA in ended.stderr


def test_import_of_the_command_loads_no_library() -> None:
    ended = python(
        "-c",
        "import sys, corsguard.cli\n"
        "print({'click', 'rich', 'werkzeug', 'tomllib'} & set(sys.modules))",
    )

    assert (ended.stdout, ended.stderr) == ("set()\n", "")


def test_import_of_the_commands_does_not_load_werkzeug() -> None:
    ended = python("-c", "import sys, corsguard.cli.commands\nprint('werkzeug' in sys.modules)")

    assert (ended.stdout, ended.stderr) == ("False\n", "")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_output_escapes_what_the_encoding_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text('allow_origins = ["https://\u65e5\u672c.example/"]', encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", encoding)

    ended = python("-m", "corsguard", "check", str(file))

    assert (ended.returncode, ended.stderr) == (1, "")
    assert r"https://\u65e5\u672c.example/" in ended.stdout


@pytest.mark.parametrize("command", ["describe", "check"])
def test_output_that_cannot_be_written_ends_with_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text('allow_origins = ["https://app.example.com"]', encoding="utf-8")
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115  # closing it fails too
    monkeypatch.setattr(sys, "stdout", full)
    with pytest.raises(SystemExit) as ended:
        main([command, str(file)])
    assert ended.value.code == 2
    line = "corsguard: can't write the output: [Errno 28] No space left on device\n"
    assert capsys.readouterr().err == line
    sys.stdout.close()  # where the rest went
    with suppress(OSError):
        full.close()


def test_missing_standard_output_keeps_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text('allow_origins = ["https://app.example.com"]', encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(file)])
    assert ended.value.code == 0


def test_output_goes_to_a_redirected_stream() -> None:
    stream = StringIO()

    with redirect_stdout(stream), pytest.raises(SystemExit):
        main(["check", "--help"])

    assert "corsguard.toml" in stream.getvalue()
