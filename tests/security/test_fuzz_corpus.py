"""The corpus of the fuzzer, taken through its targets on every Python, without the fuzzer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tools.fuzz.checks import APP, LISTED, Case, check_answer, is_listed
from tools.fuzz.inputs import Request
from tools.fuzz.targets import TARGETS

from corsguard import Guard

RUN = Path(__file__).parents[1] / "tools/fuzz/run.py"
CASE = Case(Guard(LISTED), is_listed)
EVIL = "https://evil.example"


@pytest.mark.parametrize("target", TARGETS)
def test_corpus_input_breaks_no_promise(target: str) -> None:
    # In a separate process, as each target sets up its framework and the log.
    command = [sys.executable, str(RUN), "--corpus", target]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_missing_fuzzer_is_reported_in_one_line() -> None:
    hide_it = "import runpy, sys; sys.modules['atheris'] = None; sys.argv = sys.argv[1:]; "
    run = "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", hide_it + run, str(RUN), "origin"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("fuzzing needs atheris")
    assert ran.stderr.count("\n") == 1


def test_every_corpus_folder_has_a_target() -> None:
    assert {folder.name for folder in RUN.with_name("corpus").iterdir()} == set(TARGETS)


@pytest.mark.parametrize(
    "fields",
    [
        [("Access-Control-Allow-Origin", EVIL)],
        [("Access-Control-Allow-Origin", "*")],
        [("Access-Control-Allow-Origin", f"{APP}\r\nX: y")],
        [("Access-Control-Allow-Origin", APP), ("Access-Control-Allow-Origin", APP)],
        [("Access-Control-Allow-Origin", APP), ("Access-Control-Allow-Headers", "x a")],
        [("Access-Control-Allow-Origin", APP), ("Access-Control-Allow-Methods", "TRACE")],
        [("Access-Control-Allow-Credentials", "true")],
        [("Vary", EVIL)],
    ],
)
def test_check_of_an_echoed_value_fails(fields: list[tuple[str, str]]) -> None:
    request = Request(0, b"GET", b"/", [(b"origin", APP.encode())])
    check_answer(CASE, request, [("Access-Control-Allow-Origin", APP), ("Vary", "Origin")], None)
    with pytest.raises(AssertionError):
        check_answer(CASE, request, fields, None)


def test_check_of_a_foreign_body_fails() -> None:
    with pytest.raises(AssertionError):
        check_answer(CASE, Request(0, b"GET", b"/", []), [], EVIL.encode())
