"""Running `flask cors` for the tests of the Flask adapter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo

from corsguard_flask.cli import cors

APPLICATION = """
import re
from corsguard import Guard, Policy
from corsguard_flask import CORSGuard, cors_exempt, cors_policy
from flask import Blueprint, Flask
from flask.views import MethodView

OF_PATH = Policy(allow_origins=["https://app.example.com"], allow_credentials=True)
PUBLIC = Policy(allow_origins=["*"])
REGEX = Policy(allow_origins=[re.compile(r"https://pr-\\d+\\.example\\.com")])
app = Flask(__name__, static_folder=None)
"""
"""The start of every application's module."""

MISTAKEN = 'app.config["CORSGUARD"] = {"allow_origin": [], "max_age": -1}\nCORSGuard(app)'


def run(source: str, *arguments: str) -> Result:
    """Run `flask cors` in this process, on an application whose module is source."""

    def load() -> Flask:
        module: dict[str, Any] = {"__name__": "application"}
        exec(source, module)
        app: Flask = module["app"]
        return app

    return CliRunner().invoke(cors, arguments, obj=ScriptInfo(create_app=load))


def list_problems(text: str) -> list[str]:
    """Return the lines of `flask cors check` about problems, without where they are explained."""
    return [line for line in text.splitlines() if not line.startswith(("See ", "Offline: "))]


def run_in_process(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `flask cors` in a new process, as a user does it in a folder."""
    (folder / "application.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "flask", "--app", "application", "cors", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
