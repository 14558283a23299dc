"""docs/verify.md: every command runs, the report is what it prints, and the table is complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support.audit.serving import wsgi
from support.verify.policies import ONE
from support.verify.small_servers import CASES, change

from corsguard.cli import main
from corsguard.cli.audit.catalogue import RULES
from corsguard.cli.audit.policy_rules import POLICY_RULES

PAGE = (Path(__file__).parents[2] / "docs/verify.md").read_text(encoding="utf-8")
URL = "https://api.example.com"
NEEDS_NO_POLICY = {"path-spelling"}
"""The code that only an audit finds."""


def find_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(
    command: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[object, str]:
    """Run a command of the page in front of a server whose errors have no headers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("corsguard.toml").write_text(ONE, encoding="utf-8")
    with wsgi(change(CASES["errors"].layer)) as at:
        base = at.removesuffix("/v1/items")
        _, *words = shlex.split(command.replace(URL, base))
        with pytest.raises(SystemExit) as ended:
            main([*words, "--rate", "9000"])
    return ended.value.code, capsys.readouterr().out.replace(base, URL)


@pytest.mark.parametrize("command", find_blocks("sh"))
def test_command_runs(
    command: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out = run(command, capsys, tmp_path, monkeypatch)
    assert code in {0, 1}
    assert out.startswith(f"{URL}/: ")


def test_report_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out = run(find_blocks("sh")[0], capsys, tmp_path, monkeypatch)
    (report,) = find_blocks("text")
    assert (code, out) == (1, report)


def test_table_has_every_code_with_its_severity() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", PAGE, re.MULTILINE))
    expected = {code: str(rule.severity) for code, rule in RULES.items()}
    assert rows == {code: expected[code] for code in expected if code not in NEEDS_NO_POLICY}
    assert set(POLICY_RULES) <= set(rows)
