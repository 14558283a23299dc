"""`flask cors check` and `flask cors routes`, as they are typed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo

from corsguard import Policy
from corsguard_flask import CORSGuard
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
ROUTES = """
cors = CORSGuard(app, {"/": OF_PATH, "/api": REGEX, "/api/off": None})
api = Blueprint("api", __name__, url_prefix="/public")
api.add_url_rule("/list", "list", lambda: "")
app.register_blueprint(api)
cors.set_policy(api, PUBLIC)

class Items(MethodView):
    def get(self, item): ...
    @cors_exempt
    def put(self, item): ...
    def delete(self, item): ...

app.add_url_rule("/items/<int:item>", view_func=Items.as_view("items"))
app.add_url_rule("/own", "own", cors_exempt(lambda: ""))
app.add_url_rule("/api/<int:item>", "one", lambda: "")
app.add_url_rule("/api/list", "two", lambda: "")
app.add_url_rule("/<path:page>", "pages", lambda: "")
"""


def run(source: str, *arguments: str) -> Result:
    """What `flask cors` says of an application whose module is source."""

    def load() -> Flask:
        module: dict[str, Any] = {"__name__": "application"}
        exec(source, module)
        app: Flask = module["app"]
        return app

    return CliRunner().invoke(cors, arguments, obj=ScriptInfo(create_app=load))


def typed(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same, as it is typed."""
    (folder / "application.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "flask", "--app", "application", "cors", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_routes_shows_each_rule_with_its_policy() -> None:
    done = run(APPLICATION + ROUTES, "routes")
    assert [tuple(re.split("  +", row)) for row in done.stdout.splitlines()] == [
        ("GET", "/public/list", "*", "every view of the blueprint api"),
        ("DELETE, GET", "/items/<int:item>", "https://app.example.com; credentials", "routes"),
        ("PUT", "/items/<int:item>", "no CORS", "the method PUT of the class Items"),
        ("GET", "/own", "no CORS", "the view own"),
        ("GET", "/api/<int:item>", "depends on the path", "routes"),
        ("GET", "/api/list", r"re.compile('https://pr-\\d+\\.example\\.com')", "routes"),
        ("GET", "/<path:page>", "depends on the path", "routes"),
    ]


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ("CORSGuard(app, PUBLIC)", "GET  /  *  every path"),
        ("CORSGuard(app, Guard(None, enforce=True))", "GET  /  no CORS  every path"),
        ("app.url_map.host_matching = True; CORSGuard(app, PUBLIC)", None),
    ],
)
def test_routes_of_one_policy_for_every_path(source: str, row: str | None) -> None:
    rule = 'app.add_url_rule("/", "index", lambda: "")'
    if row is None:
        rule = 'app.add_url_rule("/", "index", lambda: "", host="api.example.com")'
    done = run(f"{APPLICATION}\n{source}\n{rule}\n", "routes")
    assert done.stdout == f"{row or 'GET  api.example.com|/  *  every path'}\n"


def test_routes_of_an_application_without_any() -> None:
    done = run(f"{APPLICATION}\nCORSGuard(app, PUBLIC)\n", "routes")
    assert (done.exit_code, done.stdout) == (0, "")


def test_check_of_a_sound_application() -> None:
    done = run(APPLICATION + ROUTES, "check")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "no problems\n", "")


MISTAKEN = 'app.config["CORSGUARD"] = {"allow_origin": [], "max_age": -1}\nCORSGuard(app)'
DANGEROUS = """
CORSGuard(app, Guard(OF_PATH, enforce=True))
app.add_url_rule("/", "own", cors_policy(Policy(allow_origins=["http://a.example"]))(lambda: ""))
"""


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        (MISTAKEN, ["unknown-field", "max-age-out-of-range"]),
        ("CORSGuard(app)", ["no-policy"]),
        (DANGEROUS, ["origin-insecure"]),
        ("CORSGuard(app, {})", ["no-policy"]),
    ],
)
def test_check_names_every_problem(source: str, codes: list[str]) -> None:
    done = run(f"{APPLICATION}\n{source}\n", "check")
    assert done.exit_code == 1
    assert "Traceback" not in done.stderr
    for code in codes:
        assert f"[{code}] -> " in done.stderr


def test_check_warns_of_flask_cors() -> None:
    source = f"{APPLICATION}\nfrom flask_cors import CORS\nCORSGuard(app, PUBLIC)\nCORS(app)\n"
    done = run(source, "check")
    assert (done.exit_code, done.stdout) == (0, "no problems\n")
    assert done.stderr == (
        "warning: app: flask-cors is on this application as well, and two answers are one too many "
        "[flask-cors] -> remove CORS(app) and @cross_origin\n"
    )


RARELY_MEANT = """
app.config["CORSGUARD"] = {"routes": {"/a": {"allow_origins": ["*"], "max_age": 80_000}}}
CORSGuard(app)
STARRED = Policy(allow_origins=["*"], allow_headers=["*"])
app.add_url_rule("/", "own", cors_policy(STARRED)(lambda: ""))
"""


@pytest.mark.parametrize(
    ("command", "places"),
    [
        (["check"], ['warning: routes."/a".max_age', 'warning: views."own".allow_headers']),
        (["routes"], []),
        (["explain", "--page", "https://a.example", "http://localhost/"], []),
    ],
)
def test_check_tells_what_is_rarely_meant_and_no_other_command_does(
    tmp_path: Path, command: list[str], places: list[str]
) -> None:
    done = typed(tmp_path, f"{APPLICATION}\n{RARELY_MEANT}\n", *command)
    assert done.returncode == 0
    assert [line.partition(": Chrom")[0].partition(": under")[0]
            for line in done.stderr.splitlines()] == places  # fmt: skip


def test_check_of_an_application_that_has_no_guard() -> None:
    done = run(APPLICATION, "check")
    assert (done.exit_code, done.stderr) == (1, "Error: application has no CORSGuard\n")


def test_the_group_is_the_application_s_own_too() -> None:
    app = Flask(__name__)
    CORSGuard(app, Policy(allow_origins=["*"]))
    done = app.test_cli_runner().invoke(args=["cors", "check"])
    assert (done.exit_code, done.output) == (0, "no problems\n")


def test_the_command_runs_where_the_application_does_not_start(tmp_path: Path) -> None:
    done = typed(tmp_path, f"{APPLICATION}\n{MISTAKEN}\n", "check")
    assert done.returncode == 1
    fields = [line.partition(":")[0] for line in done.stderr.splitlines()]
    assert fields == ["allow_origin", "max_age"]


def test_the_command_of_an_application_that_starts(tmp_path: Path) -> None:
    done = typed(tmp_path, APPLICATION + ROUTES, "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no problems\n", "")
