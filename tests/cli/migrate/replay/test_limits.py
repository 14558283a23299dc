"""The time limit on regular expressions."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from corsguard.cli.migrate.replay import limits
from corsguard.cli.migrate.replay.limits import MatchTimes, measure_match

HANGS = re.compile(r"https://([a-z]+)*\.example\.com$")
QUICK = "https://a.example.com"
SLOW = f"https://{'a' * 50}!"


def test_texts_that_match_in_time_are_quick() -> None:
    texts = [QUICK, "https://b.example", "null"]

    assert measure_match(HANGS, texts) == MatchTimes(frozenset(texts), None)


def test_first_text_over_the_limit_ends_the_matching() -> None:
    found = measure_match(HANGS, [QUICK, SLOW, "https://b.example"], seconds=0.2)

    assert found == MatchTimes(frozenset({QUICK}), SLOW)


def test_flags_of_the_pattern_count() -> None:
    pattern = re.compile("(A+)*$", re.IGNORECASE)

    assert measure_match(pattern, [f"{'a' * 50}!"], seconds=0.2).slow is not None


def test_text_outside_of_ascii_is_matched() -> None:
    assert measure_match(re.compile("(é+)*"), ["é"]).slow is None


def test_program_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program.py"
    program.write_text("input()\n")
    monkeypatch.setattr(limits, "_PROGRAM", str(program))

    with pytest.raises(RuntimeError, match="ended early"):
        measure_match(HANGS, [QUICK])


def test_interpreter_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(OSError, match="nowhere"):
        measure_match(HANGS, [QUICK])
