"""uvicorn as a process: an application with a problem does not start, and says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

START = """
from fastapi import FastAPI
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy

app = FastAPI()
"""
PROBLEMS = {
    "CORSGuard(app, allow_origins=['https://a.example/'])": "origin-invalid",
    "CORSGuard(app, allow_origins='https://a.example')": "not-a-list",
    "CORSGuard(app)": "no-policy",
    "CORSGuard(app, {})": "no-policy",
    """
CORSGuard(app, allow_origins=['https://a.example'])

def opaque(view):
    return lambda: view()

app.add_api_route('/internal', opaque(cors_exempt(lambda: '')))
""": "view-policy-unreachable",
    """
CORSGuard(app, allow_origins=['https://a.example'], enforce=True)
null = cors_policy(allow_origins=['null'], dangerously_allow_null_origin=True)
app.add_api_route('/', null(lambda: ''))
""": "origin-null",
}


@pytest.mark.parametrize(("code", "problem"), PROBLEMS.items(), ids=PROBLEMS.values())
def test_application_with_a_problem_does_not_start(tmp_path: Path, code: str, problem: str) -> None:
    (tmp_path / "main.py").write_text(START + code, encoding="utf-8")
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(tmp_path), "main:app"]
    done = subprocess.run(
        [*command, "--port", "0"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert f"[{problem}]" in done.stderr
    assert "Uvicorn running" not in done.stderr
