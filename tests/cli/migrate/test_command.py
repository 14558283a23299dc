"""`corsguard migrate` as a user sees it: the policies, the report and the exit code."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from support.app_command import AppCommand, run_in_process

FLASK = """
from flask import Flask
from flask_cors import CORS

app = Flask(__name__)
CORS(app, {options})


@app.route("/api/items", methods=["GET", "PUT"])
def items():
    raise SystemExit("a view ran")


def create_app():
    return app
"""
FASTAPI = """
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware


class Tenants(CORSMiddleware):
    def is_allowed_origin(self, origin):
        raise SystemExit("code of the application ran")


app = FastAPI()
app.add_middleware({kind}, {options})


@app.put("/items/{{number}}")
def change(number: int):
    raise SystemExit("a view ran")
"""
LISTED = 'origins=["https://app.example.com"]'
ALL_WITH_COOKIES = 'allow_origins=["*"], allow_credentials=True'


VIEWS = """
from flask import Blueprint, Flask
from flask_cors import CORS, cross_origin

app = Flask(__name__)
shop = Blueprint("shop", __name__)
for name in "abcd":
    shop.add_url_rule(f"/{name}", name, print)
CORS(shop, origins="https://app.example.com")
app.register_blueprint(shop)


@app.route("/report")
@cross_origin(origins="https://app.example.com")
def report():
    raise SystemExit("a view ran")
"""


def test_policies_of_views_are_listed_with_their_places(on_app: AppCommand) -> None:
    code, out, err = on_app(VIEWS, "migrate", "main:app")

    assert code == 0
    assert err.splitlines()[1:3] == [
        "  CORS(shop): views shop.a, shop.b, shop.c and 1 more",
        '  @cross_origin on view "report": view report',
    ]
    assert 'cors.set_policy(app.blueprints["shop"], BLUEPRINT_SHOP)' in out
    assert '# In the place of @cross_origin on view "report"; or write' in out
    assert "VIEW_REPORT = Policy(" in out


def test_policies_go_to_the_output_and_the_report_to_the_error(on_app: AppCommand) -> None:
    code, out, err = on_app(FLASK.format(options=LISTED), "migrate", "main:app")

    assert code == 0
    assert out == (
        "from corsguard_flask import CORSGuard\n"
        "\n"
        "CORSGUARD = {\n"
        '    "allow_origins": ["https://app.example.com"],\n'
        '    "allow_methods": ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],\n'
        '    "allow_headers": ["*", "Authorization"],\n'
        '    "max_age": None,\n'
        "}\n"
        "\n"
        "# In the place of CORS(app):\n"
        'app.config["CORSGUARD"] = CORSGUARD\n'
        "cors = CORSGuard(app)\n"
    )
    lines = err.splitlines()
    assert lines[0].startswith("main:app: flask-cors ")
    assert lines[0].endswith(", 1 configuration")
    assert lines[1] == "  CORS(app): /"
    assert lines[-1] == "starts"
    assert "requests through flask-cors and through corsguard: no differences" in err


def test_what_a_constructor_prints_is_not_in_the_output(on_app: AppCommand) -> None:
    source = FASTAPI.replace(
        "    def is_allowed_origin",
        "    def __init__(self, *args, **options):\n"
        '        print("connected")\n'
        "        super().__init__(*args, **options)\n\n"
        "    def is_allowed_origin",
    )

    source = source.format(kind="Tenants", options="allow_origins=[]")
    _, out, err = on_app(source, "migrate", "main:app", "--format", "json")

    assert json.loads(out)["peer"] == "Starlette"
    assert "connected" in err


def test_no_line_is_longer_than_80_columns(on_app: AppCommand) -> None:
    options = 'allow_origins=["https://*.example.com", "https://a.example/", "https://b.example/"]'

    _, _, err = on_app(FASTAPI.format(kind="Tenants", options=options), "migrate", "main:app")

    assert err
    assert max(map(len, err.splitlines())) <= 80


def test_no_file_is_changed(on_app: AppCommand, tmp_path: Path) -> None:
    source = FLASK.format(options=LISTED)

    on_app(source, "migrate", "main:app")

    assert (tmp_path / "main.py").read_text(encoding="utf-8") == source
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ""] == ["main.py"]


def test_code_is_a_todo_with_file_and_line(on_app: AppCommand) -> None:
    source = FASTAPI.format(kind="Tenants", options='allow_origins=["https://a.example"]')

    code, _, err = on_app(source, "migrate", "main:app")

    assert code == 1
    assert "to do: main.py:7\n  the subclass Tenants overrides is_allowed_origin:" in err
    assert err.splitlines()[-1] == "starts, 1 to do"


def test_wildcard_with_credentials_is_refused_with_a_way_out(on_app: AppCommand) -> None:
    source = FASTAPI.format(kind="CORSMiddleware", options=ALL_WITH_COOKIES)

    code, out, err = on_app(source, "migrate", "main:app")

    assert code == 1
    assert "refused: allow_origins [wildcard-with-credentials]" in err
    assert "more, offline by `corsguard explain-code wildcard-with-credentials`\n  https://" in err
    assert "corsguard does not pick origins for you" in err
    assert "shadow=True" in err
    assert err.splitlines()[-1] == "does not start: 1 problem"
    assert '"allow_origins": ["*"]' in out
    assert "dangerously" not in out + err


def test_problem_of_another_kind_has_no_advice_on_origins(on_app: AppCommand) -> None:
    source = FLASK.format(options='origins=["http://app.example.com"], supports_credentials=True')

    code, _, err = on_app(source, "migrate", "main:app")

    assert code == 1
    assert "[origin-insecure]" in err
    assert "shadow" not in err


def test_loss_is_reported_and_the_exit_code_is_1(on_app: AppCommand) -> None:
    options = 'origins=[r"http://192\\.168\\.0\\.\\d+"], supports_credentials=True'

    code, _, err = on_app(FLASK.format(options=options), "migrate", "main:app", "--path", "x")

    assert code == 1
    assert "now blocked: every request from http://192.168.0." in err
    assert err.splitlines()[-1] == "starts, blocks what was allowed"


def test_without_replay_nothing_is_compared(on_app: AppCommand) -> None:
    code, _, err = on_app(FLASK.format(options=LISTED), "migrate", "main:app", "--no-replay")

    assert code == 0
    assert "replay" not in err


def test_toml_is_a_file_for_corsguard(on_app: AppCommand) -> None:
    source = FLASK.format(options=LISTED)

    code, out, _ = on_app(source, "migrate", "main:app", "--format", "toml")

    assert code == 0
    assert tomllib.loads(out) == {
        "allow_origins": ["https://app.example.com"],
        "allow_methods": ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
        "allow_headers": ["*", "Authorization"],
        "max_age": 5,
    }


def test_toml_that_can_not_hold_it_is_a_todo(on_app: AppCommand) -> None:
    source = FLASK.format(options='origins=[r"https://pr-\\d+\\.example\\.com$"]')

    code, out, err = on_app(source, "migrate", "main:app", "--format", "toml")

    assert (code, out) == (1, "")
    assert "a TOML file can't hold regular expressions: use --format python" in err


def test_json_has_all_of_it(on_app: AppCommand) -> None:
    source = FASTAPI.format(kind="Tenants", options='allow_origins=["https://a.example/"]')

    code, out, err = on_app(source, "migrate", "main:app", "--format", "json")

    document = json.loads(out)
    assert (code, err) == (1, "")
    assert document["app"] == "main:app"
    assert document["peer"] == "Starlette"
    assert document["policy"]["allow_origins"] == ["https://a.example"]
    assert document["notes"] == [
        "'https://a.example/' never matched an Origin as written; listed as 'https://a.example'"
    ]
    assert [(todo["file"], todo["line"]) for todo in document["todos"]] == [("main.py", 7)]
    assert document["problems"] == []
    assert document["replayed"] > 0
    assert [each["verdict"] for each in document["differences"]] == ["opened"]
    assert document["result"] == "starts, 1 to do"


def test_json_of_what_does_not_start_has_the_problems(on_app: AppCommand) -> None:
    source = FASTAPI.format(kind="CORSMiddleware", options=ALL_WITH_COOKIES)

    code, out, _ = on_app(source, "migrate", "main:app", "--format", "json")

    document = json.loads(out)
    assert code == 1
    assert [each["code"] for each in document["problems"]] == ["wildcard-with-credentials"]
    assert (document["replayed"], document["differences"]) == (0, [])


def test_factory_is_called(on_app: AppCommand) -> None:
    source = FLASK.format(options=LISTED)

    assert on_app(source, "migrate", "main:create_app", "--factory").code == 0


def test_application_that_can_not_be_loaded_exits_with_2(on_app: AppCommand) -> None:
    code, out, err = on_app("app = 1", "migrate", "main.py:app")

    assert (code, out) == (2, "")
    assert err == "corsguard: main.py:app names a file, not a module. Use its name: main:app\n"


@pytest.mark.parametrize(
    "source",
    [
        "from flask import Flask\napp = Flask(__name__)\n",
        "from starlette.applications import Starlette\napp = Starlette()\n",
        "def app(environ, start_response):\n    return []\n",
    ],
)
def test_application_without_a_peer_exits_with_2(on_app: AppCommand, source: str) -> None:
    code, out, err = on_app(source, "migrate", "main:app")

    assert (code, out) == (2, "")
    assert err == (
        "corsguard: main:app uses no CORS library that migrate reads. These are flask-cors, "
        "django-cors-headers, and the CORSMiddleware of Starlette and FastAPI. If it is a WSGI "
        "middleware around an application, name the application\n"
    )


def test_application_with_a_policy_that_does_not_start_exits_with_2(on_app: AppCommand) -> None:
    source = "from corsguard import Policy\npolicy = Policy(allow_origins=['example.com'])\n"

    code, _, err = on_app(source, "migrate", "main:app")

    assert code == 2
    assert err.startswith("corsguard: main:app has a policy of corsguard, which does not start: ")


@pytest.mark.slow
def test_command_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    finished = run_in_process(tmp_path, FLASK.format(options=LISTED), "migrate", "main:app")

    assert finished.returncode == 0, finished.stderr
    assert finished.stderr.endswith("starts\n")
