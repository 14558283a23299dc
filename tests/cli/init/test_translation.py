"""`corsguard init --from-app`: the file that says what another library does."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from support.app_command import AppCommand

from corsguard import Guard
from corsguard.cli.schema.document import build_schema
from corsguard.policy.warning_filter import ignore_policy_warnings

FLASK = """
from flask import Flask
from flask_cors import CORS

app = Flask(__name__)
CORS(app, {options})


def create_app():
    return app
"""
FASTAPI = """
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, {options})
"""
LISTED = 'origins=["https://app.example.com"]'


def check(text: str) -> dict[str, object]:
    document = tomllib.loads(text)
    assert Draft7Validator(build_schema()).is_valid(document)
    with ignore_policy_warnings():
        Guard.from_mapping(document)
    return document


def test_policy_of_flask_cors_becomes_a_file(on_app: AppCommand) -> None:
    source = FLASK.format(options=f"{LISTED}, supports_credentials=True")
    code, out, err = on_app(source, "init", "--from-app", "main:app")

    text = Path("corsguard.toml").read_text("utf-8")
    document = check(text)
    assert (code, out) == (0, "")
    assert document["allow_origins"] == ["https://app.example.com"]
    assert document["allow_credentials"] is True
    assert "\n# What flask-cors " in text
    assert "# They may send cookies, and read responses as the user who is signed in.\n" in text
    assert "# Browsers cache a preflight for so many seconds where no header says more.\n" in text
    assert "load it in place of the other library" in err
    assert "from corsguard_flask import CORSGuard" in err
    assert "corsguard_django" not in err


def test_resources_become_routes(on_app: AppCommand) -> None:
    options = (
        'resources={r"/api/*": {"origins": "*"}, r"/shop/*": {"origins": ["https://a.example"]}}'
    )
    code, _, _ = on_app(FLASK.format(options=options), "init", "--from-app", "main:app")

    text = Path("corsguard.toml").read_text("utf-8")
    assert code == 0
    assert set(check(text)["routes"]) == {"/api", "/shop"}  # type: ignore[call-overload]
    assert '# Paths below /api.\n[routes."/api"]\n' in text


def test_factory_is_called(on_app: AppCommand) -> None:
    args = ("init", "--from-app", "main:create_app", "--factory", "-")
    code, out, _ = on_app(FLASK.format(options=LISTED), *args)

    assert code == 0
    assert check(out)["allow_origins"] == ["https://app.example.com"]


def test_wildcard_with_cookies_writes_no_file(on_app: AppCommand) -> None:
    source = FASTAPI.format(options='allow_origins=["*"], allow_credentials=True')
    code, out, err = on_app(source, "init", "--from-app", "main:app")

    assert (code, out) == (1, "")
    assert "[wildcard-with-credentials]" in err
    assert "`corsguard migrate main:app`" in err
    assert "Next" not in err
    assert not Path("corsguard.toml").exists()


def test_to_dos_are_reported_beside_the_file(on_app: AppCommand) -> None:
    options = 'allow_origins=["https://a.example"], allow_credentials=True, expose_headers=["*"]'
    code, _, err = on_app(FASTAPI.format(options=options), "init", "--from-app", "main:app")

    assert code == 1
    assert "to do" in err
    assert "expose * with credentials" in err
    assert "from corsguard_starlette import CORSGuard" in err
    assert check(Path("corsguard.toml").read_text("utf-8"))["allow_credentials"] is True


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            FASTAPI.format(options='allow_origin_regex=r"https://a\\d+\\.example\\.com"'),
            "main:app: a TOML file can't hold regular expressions. "
            "`corsguard migrate main:app` prints Python instead",
        ),
        (
            "from flask import Flask\nfrom corsguard_flask import CORSGuard\n"
            'app = Flask(__name__)\nCORSGuard(app, allow_origins=["https://a.example"])\n',
            "main:app uses corsguard already: `corsguard check --app main:app` shows its policies",
        ),
        (
            "from flask import Flask\nfrom corsguard_flask import CORSGuard\n"
            'app = Flask(__name__)\nCORSGuard(app, allow_origins=["a.example"])\n',
            "main:app has a policy of corsguard, which does not start: ",
        ),
        (
            "from flask import Flask\napp = Flask(__name__)\n",
            "main:app uses no CORS library that init reads. ",
        ),
        ("app = 1\n", "main:app is not a WSGI or ASGI application"),
    ],
)
def test_application_without_a_policy_to_read_is_one_line(
    on_app: AppCommand, source: str, message: str
) -> None:
    code, out, err = on_app(source, "init", "--from-app", "main:app")

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"corsguard: {message}")
    assert not Path("corsguard.toml").exists()
