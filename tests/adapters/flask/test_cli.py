"""`flask cors check` and `flask cors routes`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from support.flask_commands import APPLICATION, MISTAKEN, list_problems, run, run_in_process

from corsguard import Policy, PolicyError
from corsguard_flask import CORSGuard

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


def test_routes_all_rules_name_each_policy_once() -> None:
    done = run(APPLICATION + ROUTES, "routes")
    table, _, policies = done.stdout.partition("\n\n")
    assert [tuple(re.split("  +", row)) for row in table.splitlines()] == [
        ("METHODS", "URL", "POLICY", "FROM"),
        ("GET", "/public/list", "A", "every view of the blueprint api"),
        ("DELETE, GET", "/items/<int:item>", "B", 'route "/"'),
        ("PUT", "/items/<int:item>", "no CORS", "the method PUT of the class Items"),
        ("GET", "/own", "no CORS", "the view own"),
        ("GET", "/api/<int:item>", "C", 'route "/api" (depends on the path)'),
        ("GET", "/api/<int:item>", "no CORS", 'route "/api/off" (depends on the path)'),
        ("GET", "/api/list", "C", 'route "/api"'),
        ("GET", "/<path:page>", "B", 'route "/" (depends on the path)'),
        ("GET", "/<path:page>", "C", 'route "/api" (depends on the path)'),
        ("GET", "/<path:page>", "no CORS", 'route "/api/off" (depends on the path)'),
    ]
    assert policies.splitlines() == [
        "A  *",
        "B  https://app.example.com; credentials",
        r"C  re.compile('https://pr-\\d+\\.example\\.com')",
    ]


@pytest.mark.parametrize(
    ("source", "rule", "row"),
    [
        ("CORSGuard(app, PUBLIC)", '"/", "index"', ("GET", "/", "A", "every path")),
        (
            "CORSGuard(app, Guard(None, enforce=True))",
            '"/", "index"',
            ("GET", "/", "no CORS", "every path"),
        ),
        (
            "app.url_map.host_matching = True; CORSGuard(app, PUBLIC)",
            '"/", "index", host="api.example.com"',
            ("GET", "api.example.com|/", "A", "every path"),
        ),
        ('CORSGuard(app, {"/api": PUBLIC})', '"/x", "index"', ("GET", "/x", "no CORS", "no route")),
        (
            'CORSGuard(app, {"/a/b": PUBLIC})',
            '"/<one>/", "index"',
            ("GET", "/<one>/", "no CORS", "no route"),
        ),
        (
            "CORSGuard(app, PUBLIC)",
            '"/", "index", methods=["OPTIONS"]',
            ("OPTIONS", "/", "A", "every path"),
        ),
    ],
)
def test_routes_one_rule_shows_policy_and_source(
    source: str, rule: str, row: tuple[str, ...]
) -> None:
    added = f"app.add_url_rule({rule}, view_func=lambda **_: '')"
    done = run(f"{APPLICATION}\n{source}\n{added}\n", "routes")
    assert tuple(re.split("  +", done.stdout.splitlines()[1])) == row


def test_routes_rule_without_methods_shows_any_method() -> None:
    rule = "from werkzeug.routing import Rule; app.url_map.add(Rule('/any', endpoint='any'))"
    done = run(f"{APPLICATION}\nCORSGuard(app, PUBLIC)\n{rule}\n", "routes")
    assert done.stdout.splitlines()[1].startswith("any method  /any")


def test_help_lists_the_commands() -> None:
    done = run(APPLICATION, "--help")
    assert done.exit_code == 0
    assert re.findall(r"^  (\w+)  ", done.stdout, re.MULTILINE) == ["check", "explain", "routes"]


def test_routes_without_rich_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "corsguard.cli.route_listing", raising=False)
    monkeypatch.setitem(sys.modules, "rich.table", None)
    done = run(APPLICATION + ROUTES, "routes")
    assert done.exit_code == 2
    assert 'pip install "corsguard[flask]"' in done.stderr


def test_routes_without_rules_prints_nothing() -> None:
    done = run(f"{APPLICATION}\nCORSGuard(app, PUBLIC)\n", "routes")
    assert (done.exit_code, done.stdout) == (0, "")


UNCOVERED = (
    'warning: route "/items/<int:item>": the policy from route "/" does not allow DELETE, so no '
    'page may send it. Use allow_methods=["DELETE"], if pages of other origins need it '
    "[route-method-not-allowed]\n"
    "See https://corsguard.readthedocs.io/en/stable/problems.html#route-method-not-allowed\n"
    "Offline: corsguard explain-code route-method-not-allowed\n"
)


def test_check_without_problems_exits_with_0() -> None:
    done = run(APPLICATION + ROUTES, "check")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "no problems\n", UNCOVERED)


@pytest.mark.parametrize(
    "place", ['{"/api": WRITING}', "WRITING", '{"/": PUBLIC, "/old": WRITING}']
)
def test_check_policy_method_without_route_warns(place: str) -> None:
    policy = 'WRITING = Policy(allow_origins=["https://a.example"], allow_methods=["PATCH"])'
    rule = 'app.add_url_rule("/api", "api", lambda: "")'
    done = run(f"{APPLICATION}\n{policy}\nCORSGuard(app, {place})\n{rule}\n", "check")
    assert done.exit_code == 0
    assert "allows PATCH, but none of its routes takes that method" in done.stderr
    assert "Remove allow_methods [method-not-routed]" in done.stderr


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
def test_check_broken_configuration_reports_every_problem(source: str, codes: list[str]) -> None:
    done = run(f"{APPLICATION}\n{source}\n", "check")
    assert done.exit_code == 1
    assert "Traceback" not in done.stderr
    for code in codes:
        assert f" [{code}]\n" in done.stderr


@pytest.mark.parametrize(
    "active",
    [
        "CORS(app)",
        'app.add_url_rule("/", "index", cross_origin()(lambda: ""))',
        'app.add_url_rule("/", "index", cors_exempt(partial(cross_origin()(lambda: ""))))',
    ],
)
def test_check_active_flask_cors_exits_with_1(active: str) -> None:
    imported = "from functools import partial\nfrom flask_cors import CORS, cross_origin\n"
    done = run(f"{APPLICATION}\n{imported}\nCORSGuard(app, PUBLIC)\n{active}\n", "check")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "app: flask-cors is active on this application too. "
        "Remove CORS(app) and @cross_origin [flask-cors]\n"
        "See https://corsguard.readthedocs.io/en/stable/problems.html#flask-cors\n"
        "Offline: corsguard explain-code flask-cors\n"
    )


WITH_WARNINGS = """
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
def test_check_policy_warnings_are_printed_by_check_alone(
    tmp_path: Path, command: list[str], places: list[str]
) -> None:
    done = run_in_process(tmp_path, f"{APPLICATION}\n{WITH_WARNINGS}\n", *command)
    assert done.returncode == 0
    assert [line.partition(": Chrom")[0].partition(": `*`")[0]
            for line in list_problems(done.stderr)] == places  # fmt: skip


def test_check_without_guard_exits_with_1() -> None:
    done = run(APPLICATION, "check")
    assert (done.exit_code, done.stderr) == (1, "Error: application has no CORSGuard\n")


def test_command_is_registered_on_the_application() -> None:
    app = Flask(__name__)
    CORSGuard(app, Policy(allow_origins=["*"]))
    done = app.test_cli_runner().invoke(args=["cors", "check"])
    assert (done.exit_code, done.output) == (0, "no problems\n")


def test_command_broken_application_reports_problems(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, f"{APPLICATION}\n{MISTAKEN}\n", "check")
    assert done.returncode == 1
    fields = [line.partition(":")[0] for line in list_problems(done.stderr)]
    assert fields == ["allow_origin", "max_age"]


def test_command_valid_application_reports_no_problems(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, APPLICATION + ROUTES, "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no problems\n", UNCOVERED)


LISTS = """
FRONTENDS = Policy(allow_origins=["https://front.example"], allow_methods=["PUT"])
cors = CORSGuard(app, {"/": [OF_PATH, PUBLIC]})
cors.set_policy(api := Blueprint("api", __name__, url_prefix="/api"), [FRONTENDS, OF_PATH])
api.add_url_rule("/list", "list", lambda: "")
app.register_blueprint(api)
app.add_url_rule("/plain", "plain", lambda: "")
"""


def test_routes_show_each_policy_of_a_list() -> None:
    done = run(APPLICATION + LISTS, "routes")
    table, _, policies = done.stdout.partition("\n\n")
    assert [tuple(re.split("  +", row)) for row in table.splitlines()[1:]] == [
        ("GET", "/api/list", "A", "every view of the blueprint api[0]"),
        ("GET", "/api/list", "B", "every view of the blueprint api[1]"),
        ("GET", "/plain", "B", 'route "/"[0]'),
        ("GET", "/plain", "C", 'route "/"[1]'),
    ]
    assert policies.splitlines()[2] == "C  *"


def test_check_reports_the_policies_of_a_list_one_by_one() -> None:
    source = APPLICATION + LISTS.replace("[FRONTENDS, OF_PATH]", "[OF_PATH, FRONTENDS, OF_PATH]")
    done = run(source, "check")
    assert done.exit_code == 0
    assert "https://app.example.com has no effect here" in done.stderr
    assert "policy from every view of the blueprint api[1]: allows PUT, but none" in done.stderr


def test_set_policy_refuses_a_list_that_is_not_valid() -> None:
    cors, blueprint = CORSGuard(allow_origins=["*"]), Blueprint("api", __name__)
    with pytest.raises(PolicyError, match="policy-unreachable"):
        cors.set_policy(blueprint, [Policy(allow_origins=["*"])] * 2)
    with pytest.raises(TypeError, match="takes a Policy or None"):
        cors.set_policy(blueprint, ["https://app.example.com"])  # type: ignore[list-item]
