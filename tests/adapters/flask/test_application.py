"""`corsguard` with `--app` on a Flask application. `flask cors` is tested in test_cli.py."""

from __future__ import annotations

import re

import pytest
from support.app_command import AppCommand
from support.flask_commands import APPLICATION, MISTAKEN

APP = "https://app.example.com"
API = "https://api.example.com"
VIEWS = """
from werkzeug.middleware.proxy_fix import ProxyFix
cors = CORSGuard(app, {"/": OF_PATH, "/api/off": None})

def called(**_): raise SystemExit("a view was called")

app.add_url_rule("/items/<int:item>", "items", called)
app.add_url_rule("/prices", "prices", cors_policy(PUBLIC)(lambda: called()))
"""
BEHIND_WSGI = """
from corsguard_wsgi import CORSMiddleware
app.add_url_rule("/api/items", "items", print, methods=["PUT"])
app.add_url_rule("/prices", "prices", cors_policy(PUBLIC)(lambda: ""))
"""
WRAPPER = """
class Wrapper:
    def __init__(self, inner): self.inner = inner
    def __call__(self, environ, start_response): return self.inner(environ, start_response)
"""
REPORT = """\
main:app: no problems

/
  origins      https://app.example.com
  credentials  allowed
  methods      GET, HEAD, POST
  headers      none
  exposed      none
  max-age      7200 s

/api/off
  origins      none: no CORS here

the view prices
  origins      *
  credentials  not allowed
  methods      GET, HEAD, POST
  headers      none
  exposed      none
  max-age      7200 s

enforce
  off: requests from other origins are served, and browsers hide the responses
"""


def read_rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(re.split("  +", row)) for row in table.partition("\n\n")[0].splitlines()]


def test_check_shows_policies_of_paths_and_views(on_app: AppCommand) -> None:
    assert on_app(APPLICATION + VIEWS, "check", "--app", "main:app") == (0, REPORT, "")


def test_check_reports_what_flask_cors_check_does(on_app: AppCommand) -> None:
    source = f"{APPLICATION}\nCORSGuard(app, PUBLIC)\n"
    source += 'app.add_url_rule("/", "f", cors_exempt(lambda: ""))\n'
    source += 'app.add_url_rule("/items", "items", print, methods=["PUT"])'
    code, out, _ = on_app(source, "check", "--app", "main")

    assert code == 0
    assert 'warning: route "/items" [route-method-not-allowed]' in out


def test_check_mistaken_setting_names_each_problem(on_app: AppCommand) -> None:
    code, out, err = on_app(APPLICATION + MISTAKEN, "check", "--app", "main:app")

    assert (code, err) == (1, "")
    assert out.startswith("main:app (main.py:13): 2 problems\n\nproblem: allow_origin [unknown-")
    assert "\n  fix          allow_origins\n" in out


def test_check_policy_of_a_view_that_is_not_valid(on_app: AppCommand) -> None:
    source = f"{APPLICATION}\nasync def ask(origin): ...\nCORSGuard(app, OF_PATH)\n"
    source += 'app.add_url_rule("/", "index", cors_policy(allow_origins=[ask])(lambda: ""))'
    code, out, err = on_app(source, "check", "--app", "main:app")

    assert (code, err) == (1, "")
    assert out.startswith(
        'main:app: 1 problem\n\nproblem: views."index".allow_origins [callable-async]'
    )


@pytest.mark.parametrize(
    "wrap",
    [
        "outer = ProxyFix(app)",
        "app.wsgi_app = ProxyFix(app.wsgi_app); outer = app",
    ],
)
def test_check_proxy_fix_in_front_is_a_note(on_app: AppCommand, wrap: str) -> None:
    code, out, _ = on_app(f"{APPLICATION}{VIEWS}\n{wrap}", "check", "--app", "main:outer")

    assert code == 0
    assert out.startswith(
        "main:outer: no problems\n\nnote\n  werkzeug.middleware.proxy_fix.ProxyFix is in front of "
        "corsguard: it passes\n  every request on\n"
    )


@pytest.mark.parametrize(
    ("wrap", "fix"),
    [
        ("outer = Wrapper(app)", "set it as app.wsgi_app, and call cors.init_app(app) after that,"),
        (
            "app.wsgi_app = Wrapper(app.wsgi_app); outer = app",
            "install CORSGuard last: call cors.init_app(app) after it, unless",
        ),
    ],
)
def test_check_unknown_wrapper_is_a_warning_with_a_fix(
    on_app: AppCommand, wrap: str, fix: str
) -> None:
    source = f"{APPLICATION}{VIEWS}{WRAPPER}\n{wrap}"
    code, out, _ = on_app(source, "check", "--app", "main:outer")

    assert code == 0
    assert out.startswith("main:outer: no problems, 1 warning\n")
    assert "main.Wrapper is in front of corsguard" in out
    assert fix in " ".join(out.split())


@pytest.mark.parametrize("outer", ["app", "ProxyFix(app)", "(lambda *args: app(*args))"])
def test_routes_are_those_of_flask_cors_routes(on_app: AppCommand, outer: str) -> None:
    source = f"{APPLICATION}{VIEWS}\nouter = {outer}"
    code, out, err = on_app(source, "routes", "--app", "main:outer")

    assert (code, err) == (0, "")
    assert read_rows(out) == [
        ("METHODS", "URL", "POLICY", "FROM"),
        ("GET", "/items/<int:item>", "A", 'route "/"'),
        ("GET", "/prices", "B", "the view prices"),
    ]


def test_routes_of_an_application_factory(on_app: AppCommand) -> None:
    source = f"{APPLICATION}\ndef create_app():\n    CORSGuard(app, PUBLIC)\n"
    source += "    app.add_url_rule('/', 'index', print)\n    return app\n"
    code, out, _ = on_app(source, "routes", "--app", "main:create_app")

    assert code == 0
    assert read_rows(out)[1:] == [("GET", "/", "A", "every path")]


def test_explain_follows_routing_and_view_policies(on_app: AppCommand) -> None:
    source = APPLICATION + VIEWS
    page = ("--app=main:app", "--page=https://b.example")

    code, out, _ = on_app(source, "explain", *page, f"{API}/prices")
    assert code == 0
    assert "Access-Control-Allow-Origin: *" in out

    code, out, _ = on_app(source, "explain", *page, f"{API}/missing")
    assert code == 1
    assert "│ ◀─ 404 ──" in out
    assert "even then, the application responds with 404: no view is there" in out


def test_explain_change_is_one_of_the_setting(on_app: AppCommand) -> None:
    source = (
        f'{APPLICATION}app.config["CORSGUARD"] = {{"allow_origins": ["{APP}"]}}\nCORSGuard(app)'
    )
    code, out, _ = on_app(
        source, "explain", "--app=main:app", "--page=https://b.example", f"{API}/"
    )

    assert code == 1
    assert '    # in app.config["CORSGUARD"]\n    "allow_origins": [' in out


def test_explain_callable_that_decided_is_named(on_app: AppCommand) -> None:
    source = f"{APPLICATION}def ask(origin): return False\nCORSGuard(app, allow_origins=[ask])"
    code, out, _ = on_app(source, "explain", "--app=main:app", f"--page={APP}", f"{API}/")

    assert code == 1
    assert "a callable of allow_origins decided: ask does not allow" in " ".join(out.split())


@pytest.mark.parametrize("command", ["check", "routes"])
def test_application_without_guard_says_how_to_add_it(on_app: AppCommand, command: str) -> None:
    code, out, err = on_app(APPLICATION, command, "--app", "main:app")

    assert (code, out) == (1 if command == "check" else 2, "")
    assert err == (
        "corsguard: main:app has no CORSGuard. Add it: CORSGuard(app, allow_origins=[...]), "
        "with `from corsguard_flask import CORSGuard`\n"
    )


@pytest.mark.parametrize(
    "wrap",
    [
        'app.wsgi_app = CORSMiddleware(app.wsgi_app, {"/api": PUBLIC})',
        'app = CORSMiddleware(app, {"/api": PUBLIC})',
    ],
)
def test_application_behind_the_wsgi_middleware_has_its_guard(
    on_app: AppCommand, wrap: str
) -> None:
    source = f"{APPLICATION}{BEHIND_WSGI}\n{wrap}"
    code, out, err = on_app(source, "routes", "--app", "main:app")

    assert (code, err) == (0, "")
    assert read_rows(out)[1:] == [
        ("PUT", "/api/items", "A", 'route "/api"'),
        ("GET", "/prices", "no CORS", "no route"),
    ]
    code, out, err = on_app(source, "check", "--app", "main:app")
    assert (code, err) == (0, "")
    assert out.startswith("main:app: no problems, 1 warning\n")
    assert 'warning: route "/api/items" [route-method-not-allowed]' in out
