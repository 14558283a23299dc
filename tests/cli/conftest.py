from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.app_command import on_app
from support.cli_command import Command, Finished
from support.cli_explain import APP, ROUTED, Explain
from support.demo_visit import FREE_PORTS, Running

from corsguard import CORSRequest, Decision
from corsguard.cli import main
from corsguard.cli.demo.servers import serve_demo

__all__ = ["on_app"]


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 columns that could have colours, whatever machine the tests run on."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def corsguard(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command in this process."""

    def run(*args: str) -> Finished:
        with pytest.raises(SystemExit) as ended:
            main(args)
        return Finished(ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def demo() -> Iterator[Running]:
    decisions: list[tuple[Decision, CORSRequest]] = []
    with serve_demo(FREE_PORTS, lambda *args: decisions.append(args)) as origins:
        yield Running(origins, decisions)


@pytest.fixture
def explain(corsguard: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explain:
    """Run the command on a file with this content."""
    monkeypatch.chdir(tmp_path)

    def run(*args: str, page: str = APP, toml: str = ROUTED) -> tuple[int | str | None, str, str]:
        Path("corsguard.toml").write_text(toml, encoding="utf-8")
        return corsguard("explain", "corsguard.toml", "--page", page, *args)

    return run
