"""The program that matches one regular expression."""

from __future__ import annotations

import io
import json
import re
import runpy
import sys

import pytest

from corsguard.cli.migrate.replay import pattern_process

ORDER = json.dumps({"pattern": "a+", "flags": re.ASCII, "texts": ["a", "b"]})


def test_number_of_each_text_is_printed_before_it_is_matched() -> None:
    printed = io.StringIO()

    pattern_process.run(io.StringIO(f"{ORDER}\n"), printed)

    assert printed.getvalue().split() == ["0", "1", "done"]


def test_program_reads_stdin_and_prints_to_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ORDER}\n"))

    runpy.run_path(pattern_process.__file__, run_name="__main__")

    assert capsys.readouterr().out.split() == ["0", "1", "done"]
