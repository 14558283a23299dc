"""`corsguard check`, `routes` and `explain` with `--app`: what a user sees of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.app_command import AppCommand, run_in_process

from corsguard import PolicyWarning

APP = "https://app.example.com"
API = "https://api.example.com"
WSGI = """
from corsguard import Guard, Policy
from corsguard_wsgi import CORSMiddleware

def serve(environ, start_response): raise SystemExit("the application was called")

POLICY = Policy(allow_origins=["https://app.example.com"], allow_methods=["PUT"])
"""
ONE = f"{WSGI}\napp = CORSMiddleware(serve, POLICY)"
ROUTED = f'{WSGI}\napp = CORSMiddleware(serve, {{"/api": POLICY, "/api/off": None}})'
WRONG = f'{WSGI}\n\n\nbuild = lambda: 1\napp = CORSMiddleware(serve, allow_origins=["a.example"])'
ONE_REPORT = """\
main:app: no problems

every path
  origins      https://app.example.com
  credentials  not allowed
  methods      GET, HEAD, POST, PUT
  headers      none
  exposed      none
  max-age      7200 s

enforce
  off: requests from other origins are served, and browsers hide the responses
"""
ROUTED_TABLE = """\
METHODS     URL       POLICY   FROM
any method  /api      A        route "/api"
any method  /api/off  no CORS  route "/api/off"

A  https://app.example.com; methods PUT
"""


def test_check_valid_application_shows_its_policies(on_app: AppCommand) -> None:
    assert on_app(ONE, "check", "--app", "main:app") == (0, ONE_REPORT, "")


def test_check_valid_application_as_json_is_empty(on_app: AppCommand) -> None:
    code, out, err = on_app(ONE, "check", "--app", "main:app", "--format=json")

    assert (code, err) == (0, "")
    assert json.loads(out) == {"app": "main:app", "problems": [], "warnings": []}


def test_check_problem_at_import_names_line_and_fix(on_app: AppCommand) -> None:
    assert on_app(WRONG, "check", "--app", "main:app") == (
        1,
        """\
main:app (main.py:12): 1 problem

problem: allow_origins [origin-invalid]
  'a.example' is not a valid origin: it has no scheme
  given        'a.example'
  fix          https://a.example

more, offline by `corsguard explain-code origin-invalid`
  https://corsguard.readthedocs.io/en/stable/problems.html#origin-invalid
""",
        "",
    )


def test_check_problem_as_json_has_its_place(on_app: AppCommand) -> None:
    code, out, _ = on_app(WRONG, "check", "--app", "main:app", "--format=json")

    document = json.loads(out)
    assert (code, document["app"], document["place"]) == (1, "main:app", "main.py:12")
    assert [problem["code"] for problem in document["problems"]] == ["origin-invalid"]


@pytest.mark.filterwarnings("error::corsguard.PolicyWarning")
def test_check_warning_is_reported_once(on_app: AppCommand) -> None:
    source = f'{WSGI}\napp = CORSMiddleware(serve, allow_origins=["{APP}"], max_age=9000)'
    code, out, err = on_app(source, "check", "--app", "main:app")

    assert (code, err) == (0, "")
    assert out.startswith("main:app: no problems, 1 warning\n\nwarning: max_age [")
    assert issubclass(PolicyWarning, UserWarning)


def test_check_application_without_guard_says_how_to_add_it(on_app: AppCommand) -> None:
    assert on_app(WSGI, "check", "--app", "main:serve") == (
        1,
        "",
        "corsguard: main:serve has no corsguard. Wrap it: app = CORSMiddleware(app, "
        "allow_origins=[...]), with `from corsguard_wsgi import CORSMiddleware`\n",
    )


def test_check_missing_module_can_not_be_determined(on_app: AppCommand) -> None:
    code, out, err = on_app(ONE, "check", "--app", "mian:app")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("corsguard: there is no module mian in ")


def test_check_output_of_the_module_is_no_part_of_json(on_app: AppCommand) -> None:
    code, out, err = on_app(
        f'{ONE}\nprint("started")', "check", "--app", "main:app", "--format", "json"
    )

    assert (code, err) == (0, "started\n")
    assert json.loads(out)["app"] == "main:app"


def test_routes_without_known_urls_are_those_of_the_guard(on_app: AppCommand) -> None:
    code, out, err = on_app(ROUTED, "routes", "--app", "main:app")

    assert (code, out) == (0, ROUTED_TABLE)
    assert err == (
        "\nmain:app: the URLs of the application are not known, "
        "so these are the routes of its guard\n"
    )


def test_routes_one_policy_is_one_row(on_app: AppCommand) -> None:
    code, out, _ = on_app(ONE, "routes", "--app", "main:app")

    assert code == 0
    assert out.splitlines()[1] == "any method  any URL  A       every path"


def test_list_of_policies_is_shown_one_by_one(on_app: AppCommand) -> None:
    source = f'{WSGI}\napp = CORSMiddleware(serve, [POLICY, Policy(allow_origins=["*"])])'

    _, out, _ = on_app(source, "check", "--app", "main")
    assert "\nevery path[0]\n  origins      https://app.example.com\n" in out
    assert "\nevery path[1]\n  origins      *\n" in out
    _, out, _ = on_app(source, "routes", "--app", "main")
    assert out.splitlines()[1:3] == [
        "any method  any URL  A       every path[0]",
        "any method  any URL  B       every path[1]",
    ]


def test_routes_without_any_says_so(on_app: AppCommand) -> None:
    source = f"{WSGI}\napp = CORSMiddleware(serve, Guard({{}}, enforce=True))"

    assert on_app(source, "routes", "--app", "main") == (0, "", "main: no routes\n")


@pytest.mark.parametrize("command", [("routes",), ("explain", f"--page={APP}", f"{API}/")])
def test_command_on_wrong_policy_refers_to_check(
    on_app: AppCommand, command: tuple[str, ...]
) -> None:
    assert on_app(WRONG, *command, "--app", "main:app") == (
        2,
        "",
        "corsguard: main:app has a problem, see `corsguard check --app main:app`: allow_origins: "
        "'a.example' is not a valid origin: it has no scheme. Use https://a.example "
        "[origin-invalid]\n",
    )


def test_command_that_refers_to_check_quotes_its_arguments(on_app: AppCommand) -> None:
    source = f'{WSGI}\ndef make(): return CORSMiddleware(serve, allow_origins=["a"], max_age=-1)'

    _, _, err = on_app(source, "routes", "--app", "main:make()")
    assert "main:make() has 2 problems, see `corsguard check --app 'main:make()'`: " in err
    _, _, err = on_app(source, "routes", "--app", "main:make", "--factory")
    assert "main:make has 2 problems, see `corsguard check --app main:make --factory`: " in err


@pytest.mark.parametrize("command", [("routes",), ("explain", f"--page={APP}", f"{API}/")])
def test_command_without_guard_can_not_be_determined(
    on_app: AppCommand, command: tuple[str, ...]
) -> None:
    code, out, err = on_app(WSGI, *command, "--app", "main:serve")

    assert (code, out) == (2, "")
    assert err.startswith("corsguard: main:serve has no corsguard. Wrap it: ")


def test_explain_allowed_request_calls_no_view(on_app: AppCommand) -> None:
    code, out, err = on_app(
        ONE, "explain", "--app", "main:app", f"--page={APP}", "--method=PUT", f"{API}/items/1"
    )

    assert (code, err) == (0, "")
    assert "│ ── OPTIONS /items/1 ──" in out
    assert "Allowed: the script gets the response." in out
    assert "the application was not called" in out


def test_explain_blocked_request_suggests_python(on_app: AppCommand) -> None:
    code, out, _ = on_app(
        ROUTED, "explain", "--app=main:app", "--page=https://b.example", f"{API}/api/1"
    )

    assert code == 1
    assert (
        "    # the policy of the route /api\n"
        '    allow_origins=["https://app.example.com", "https://b.example"],\n'
    ) in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["check"], "Missing argument 'FILE', or option '--app'."),
        (["check", "a.toml", "--app=main"], "The argument FILE and the option --app exclude"),
        (["check", "a.toml", "--factory"], "The option --factory needs --app."),
        (["explain", f"--page={APP}", "--app=main"], "Missing argument 'URL'."),
        (["explain", f"--page={APP}", "a.toml"], "Missing argument 'URL'."),
        (["explain", f"--page={APP}", "--app=main", "a.toml", API], "The argument FILE and the"),
        (["routes"], "Missing option '--app'."),
    ],
)
def test_arguments_that_do_not_fit_are_a_usage_error(
    on_app: AppCommand, args: list[str], words: str
) -> None:
    code, out, err = on_app(ONE, *args)

    assert (code, out) == (2, "")
    assert err.startswith(f"Usage: corsguard {args[0]} [OPTIONS]")
    assert words in err


@pytest.mark.parametrize("command", ["check", "routes", "explain"])
def test_help_says_that_the_module_is_run(on_app: AppCommand, command: str) -> None:
    code, out, _ = on_app("", command, "--help")

    assert code == 0
    assert "Its module is run." in " ".join(out.split())


def test_installed_command_finds_modules_of_the_folder(tmp_path: Path) -> None:
    """The script of an installation does not have the current folder on sys.path."""
    done = run_in_process(tmp_path, ONE, "check", "--app", "main:app")

    assert (done.returncode, done.stdout, done.stderr) == (0, ONE_REPORT, "")
