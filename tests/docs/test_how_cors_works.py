"""docs/how-cors-works.md: the blocks run, and the diagrams are what `corsguard explain` prints."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from support.doc_pages import read_blocks, read_page

from corsguard import Guard
from corsguard.cli import main
from corsguard.fetch_spec import MAX_AGE_CAPS, SAFELISTED_RESPONSE_HEADERS

PAGE = "how-cors-works"


def test_every_block_is_run() -> None:
    languages = [block.language for block in read_blocks(PAGE)]
    assert set(languages) == {"toml", "python", "sh", "text"}
    assert languages.count("sh") == languages.count("text") == 4


def test_diagrams_are_the_output_of_explain(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    [policy] = read_blocks(PAGE, "toml")
    assert policy.file == "corsguard.toml"
    Guard.from_mapping(tomllib.loads(policy.code))
    Path("corsguard.toml").write_text(policy.code, encoding="utf-8")
    commands, outputs = read_blocks(PAGE, "sh"), read_blocks(PAGE, "text")
    for command, output in zip(commands, outputs, strict=True):
        program, *arguments = shlex.split(command.code.replace("\\\n", " "))
        assert (program, arguments[0]) == ("corsguard", "explain")
        with pytest.raises(SystemExit):
            main(arguments)
        out, err = capsys.readouterr()
        assert not err
        assert [line.rstrip() for line in out.splitlines()] == output.code.splitlines()


def test_python_blocks_run_one_after_the_other() -> None:
    names: dict[str, object] = {"__name__": "docs"}
    blocks = read_blocks(PAGE, "python")
    for block in blocks:
        exec(compile("\n" * block.line + block.code, f"{PAGE}.md", "exec"), names)
    assert len(blocks) == 5


def test_numbers_and_names_are_those_of_the_standard() -> None:
    text = read_page(PAGE)
    for name in SAFELISTED_RESPONSE_HEADERS:
        assert f"`{name.title()}`" in text
    caps = re.search(r"Chromium keeps .* ([\d,]+) seconds.*\s([\d,]+), and WebKit for (\d+):", text)
    assert caps
    assert [int(cap.replace(",", "")) for cap in caps.groups()] == list(MAX_AGE_CAPS.values())
