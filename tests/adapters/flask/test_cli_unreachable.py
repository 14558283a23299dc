"""Decorated views that no URL leads to, as `flask cors check` reports them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask
from support.flask_commands import APPLICATION, list_problems, run, run_in_process

pytestmark = pytest.mark.usefixtures("no_leftovers")

LOST = """
CORSGuard(app, {"/": OF_PATH})

def opaque(view):
    return lambda: view()

@app.get("/lost")
@opaque
@cors_policy(PUBLIC)
def lost():
    return ""
"""


def test_check_hidden_view_is_reported_with_its_place(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, APPLICATION + LOST, "check")
    line = (APPLICATION + LOST).splitlines().index('@app.get("/lost")') + 1
    place = tmp_path / "application.py"
    assert done.returncode == 1
    assert done.stdout == ""
    assert f'view "lost": lost ({place}:{line}) has a per-view policy' in done.stderr
    assert "[view-policy-unreachable]" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_exempt_view_without_url_is_reported_once(tmp_path: Path) -> None:
    source = "CORSGuard(app, {'/': OF_PATH})\n@cors_exempt\ndef lost(): ...\n"
    done = run_in_process(tmp_path, APPLICATION + source, "check")
    assert (done.returncode, done.stderr.count("[view-policy-unreachable]")) == (1, 1)


def test_check_exempt_view_hidden_by_wrapper_is_reported_once(tmp_path: Path) -> None:
    source = APPLICATION + LOST.replace("cors_policy(PUBLIC)", "cors_exempt")
    done = run_in_process(tmp_path, source, "check")
    assert (done.returncode, done.stderr.count("[view-policy-unreachable]")) == (1, 1)


def test_check_view_without_source_file_names_its_module() -> None:
    done = run(APPLICATION + LOST, "check")
    assert done.exit_code == 1
    assert 'view "lost": lost (module application) has a per-view policy' in done.stderr


LOOKED_AT = """
import installed
import named
from flask import Flask, request
from function import lost_function
from blueprint import api
from corsguard_flask import CORSGuard

app = Flask(__name__)
CORSGuard(app, allow_origins=["https://app.example.com"])
__import__("other")
"""


def test_check_searches_modules_of_the_application_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decorated = "from corsguard_flask import cors_exempt\n@cors_exempt\ndef {}(): ...\n"
    installed = tmp_path / "venv" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "installed.py").write_text(decorated.format("installed"), encoding="utf-8")
    names = ("named", "function", "blueprint", "other")
    for name in names:
        source = decorated.format(f"lost_{name}")
        if name == "blueprint":
            source += "from flask import Blueprint\napi = Blueprint('api', __name__)\n"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    (tmp_path / "looked_at.py").write_text(LOOKED_AT, encoding="utf-8")
    monkeypatch.syspath_prepend(installed)
    monkeypatch.syspath_prepend(tmp_path)
    for name in (*names, "installed", "looked_at"):  # monkeypatch removes it again after the test
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.delitem(sys.modules, name)
    app: Flask = importlib.import_module("looked_at").app
    done = app.test_cli_runner().invoke(args=["cors", "check"])
    reported = {line.partition('"')[2].partition('"')[0] for line in list_problems(done.stderr)}
    assert reported == {"lost_named", "lost_function", "lost_blueprint"}


def test_check_routed_exempt_view_is_no_problem() -> None:
    source = "CORSGuard(app, {'/': OF_PATH})\napp.add_url_rule('/', 'a', cors_exempt(lambda: ''))\n"
    done = run(APPLICATION + source, "check")
    assert (done.exit_code, done.stdout) == (0, "no problems\n")
