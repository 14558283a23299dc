"""docs/configuration.md: each block loads, and the tables have every key and every variable."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from support.doc_pages import read_blocks, read_page
from support.doc_programs import run_blocks

from corsguard import Guard
from corsguard.cli import main
from corsguard.guard.config import _SOURCE_TOKEN, _VARIABLES, read_mapping
from corsguard.guard.source_options import SourceOptions
from corsguard.policy.unknown_fields import FIELDS, GUARD_OPTIONS

PAGE = read_page("configuration")
BLOCKS = read_blocks("configuration")
FILES = [block for block in BLOCKS if block.language == "toml"]


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    languages = [block.language for block in BLOCKS]
    assert {each: languages.count(each) for each in languages} == {"toml": 6, "python": 3, "sh": 2}


def test_blocks_of_python_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("corsguard.toml").write_text(FILES[0].code, encoding="utf-8")
    run_blocks(BLOCKS)


@pytest.mark.parametrize("block", FILES, ids=lambda block: f"line {block.line}")
def test_files_load(block: object) -> None:
    mapping = tomllib.loads(block.code)  # type: ignore[attr-defined]
    settings = read_mapping(mapping)
    assert (settings.problems, settings.warnings) == ((), ())
    if "source" in mapping:
        assert settings.source == SourceOptions(**mapping["source"])
    else:
        assert settings.compile().snapshot


def test_set_is_a_list_by_name() -> None:
    [block] = [block for block in FILES if "[origin_sets]" in block.code]
    guard = Guard.from_mapping(tomllib.loads(block.code))
    for origin in ("https://app.example.com", "https://shop.example", "https://store.example"):
        assert guard.decide("/", origin, "GET", {}).allowed


def test_check_of_the_file_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("corsguard.toml").write_text(FILES[0].code, encoding="utf-8")
    [command, _] = [block.code for block in BLOCKS if block.language == "sh"]
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command)[1:])
    assert ended.value.code == 0


def test_environment_is_one_policy() -> None:
    [_, exports] = [block.code for block in BLOCKS if block.language == "sh"]
    words = [word for word in shlex.split(exports) if word != "export"]
    guard = Guard.from_env(dict(word.split("=", 1) for word in words))
    policy = guard.policy_for("/")
    assert policy is not None
    assert policy.allow_credentials
    assert policy.allow_methods == ("PUT", "DELETE")
    assert policy.allow_headers == ("Content-Type",)
    for origin in ("https://app.example.com", "https://admin.example.com"):
        assert guard.decide("/", origin, "GET", {}).allowed


def test_table_has_every_key() -> None:
    table = PAGE.partition("\n## Keys\n")[2].partition("\n\nThe fields")[0]
    rows = re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)
    expected = [*FIELDS, *GUARD_OPTIONS, *(f"source.{name}" for name in SourceOptions._fields)]
    assert sorted(rows) == sorted(expected)


def test_table_has_every_variable() -> None:
    rows = dict(re.findall(r"^\| `(CORSGUARD_\w+)` \| (?:`([\w.]+)`)?", PAGE, re.MULTILINE))
    assert rows == {variable: key for key, variable in _VARIABLES.items()} | {_SOURCE_TOKEN: ""}
