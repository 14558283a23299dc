"""`flask cors explain`, which applies the policies of an application and calls no view."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.flask_commands import APPLICATION, MISTAKEN, run, run_in_process

APP = "https://app.example.com"
PARTNER = "https://partner.example"
API = "https://api.example.com"
VIEWS = """
PARTNERS = Policy(allow_origins=["https://partner.example"])

def called(**_): raise SystemExit("a view was called")

class Items(MethodView):
    def get(self, item): called()
    @cors_exempt
    def put(self, item): called()
    @cors_policy(PARTNERS)
    def delete(self, item): called()

app.add_url_rule("/items/<int:item>", view_func=Items.as_view("items"))
app.add_url_rule("/list/", "list", called)
app.add_url_rule("/partners", "partners", cors_policy(PARTNERS)(lambda: called()))
"""
CONVERTERS = """
from flask import request, session
from werkzeug.routing import BaseConverter

class Asking(BaseConverter):
    def to_python(self, value): return f"{request.method} {value} {session.get('name')}"

class Failing(BaseConverter):
    def to_python(self, value): raise LookupError(value)

app.url_map.converters.update(asking=Asking, failing=Failing)
app.add_url_rule("/asking/<asking:value>", "asking", called)
app.add_url_rule("/failing/<failing:value>", "failing", called)
app.before_request(called)
app.teardown_request(called)
app.teardown_appcontext(called)
"""
OF_VIEWS = f'CORSGuard(app, {{"/": Policy(allow_origins=["{APP}"], allow_methods=["PUT"])}})\n'
ROUTED = f'{APPLICATION}{VIEWS}\nCORSGuard(app, {{"/": Policy(allow_origins=["{APP}"])}})\n'
API_ONLY = f'{APPLICATION}\nCORSGuard(app, {{"/api": Policy(allow_origins=["{APP}"])}})\n'
ONE = f'{APPLICATION}\nCORSGuard(app, Policy(allow_origins=["{APP}"]))\n'


def explain(source: str, *arguments: str, page: str = APP) -> Result:
    return run(source, "explain", "--page", page, *arguments)


def explain_as_json(source: str, *arguments: str, page: str = APP) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(
        explain(source, "--format=json", *arguments, page=page).stdout
    )
    return report


def list_changes(source: str, *arguments: str, page: str = APP) -> list[tuple[str, str, str]]:
    return [
        (change["place"]["kind"], change["place"]["name"], change["line"])
        for change in explain_as_json(source, *arguments, page=page)["changes"]
    ]


def test_explain_allowed_request_calls_no_view() -> None:
    done = explain(ROUTED, f"{API}/items/1")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "│ ── GET /items/1 ──" in done.stdout
    assert "Allowed: the script gets the response." in done.stdout
    assert "the application was not called" in done.stdout


@pytest.mark.parametrize(("path", "refused"), [("/partners", True), ("/list/", False)])
def test_explain_enforce_exempt_path_warns_of_no_lost_refusal(path: str, refused: bool) -> None:
    source = (
        f"{APPLICATION}{VIEWS}"
        'app.view_functions["list"] = cors_policy(PARTNERS)(lambda: called())\n'
        f'CORSGuard(app, Guard(Policy(allow_origins=["{APP}"]), enforce=True, '
        'enforce_exempt=["/list"]))\n'
    )
    [change] = explain_as_json(source, f"{API}{path}", page="https://new.example")["changes"]
    assert ("`enforce` no longer refuses" in change["exposes"]) is refused


def test_explain_path_request_changes_route_policy() -> None:
    assert list_changes(ROUTED, "--method=PATCH", f"{API}/items/1") == [
        ("route", "/", 'allow_methods=["PATCH"],')
    ]


@pytest.mark.parametrize(
    "setting", ['{"allow_origins": ["https://u.example"]}', '{"routes": None}']
)
def test_explain_unused_setting_is_not_named(setting: str) -> None:
    source = f'{APPLICATION}app.config["CORSGUARD"] = {setting}\n{ONE.removeprefix(APPLICATION)}'
    done = explain(source, "--method=PUT", f"{API}/")
    assert done.exit_code == 1
    assert '    # the policy\n    allow_methods=["PUT"],' in done.stdout


def test_explain_decoded_path_is_written_as_python_literal() -> None:
    assert '    "/\U0001f600": Policy(' in explain(API_ONLY, f"{API}/%F0%9F%98%80").stdout


def test_explain_view_request_changes_view_policy() -> None:
    assert list_changes(ROUTED, "--method=DELETE", "--credentials=include", f"{API}/items/1") == [
        ("view", "items", f'allow_origins=["{PARTNER}", "{APP}"],'),
        ("view", "items", "allow_credentials=True,"),
        ("view", "items", 'allow_methods=["DELETE"],'),
    ]
    done = explain(ROUTED, "--method=DELETE", f"{API}/items/1")
    assert done.exit_code == 1
    assert (
        "\n    # the policy of the method DELETE of the class Items\n"
        f'    allow_origins=["{PARTNER}", "{APP}"],\n    allow_methods=["DELETE"],\n'
    ) in done.stdout


SHARED = f"""{APPLICATION}
class Once(MethodView):
    @cors_policy(Policy(allow_origins=["https://partner.example"], max_age=1))
    def get(self): ...
    @cors_policy(Policy(allow_origins=["https://partner.example"], max_age=2))
    def put(self): ...
    patch = put

@cors_policy(Policy(allow_origins=["https://partner.example"], max_age=3))
class Base(MethodView):
    def get(self): ...

class Derived(Base): ...

class Dispatching(MethodView):
    @cors_policy(Policy(allow_origins=["https://partner.example"], max_age=4))
    def dispatch_request(self): ...
    def get(self): ...

app.add_url_rule("/once", view_func=Once.as_view("once"))
app.add_url_rule("/base", view_func=Base.as_view("base"))
app.add_url_rule("/derived", view_func=Derived.as_view("derived"))
app.add_url_rule("/dispatch", view_func=Dispatching.as_view("dispatch"))
app.add_url_rule("/again", view_func=Dispatching.as_view("again"))
shared = cors_policy(Policy(allow_origins=["https://partner.example"], max_age=5))(lambda: "")
app.add_url_rule("/a", "a", shared)
app.add_url_rule("/b", "b", shared)
cors = CORSGuard(app, {{"/routed": OF_PATH}})
api, inner = Blueprint("api", __name__), Blueprint("inner", __name__)
api.add_url_rule("/list", "list", lambda: "")
api.add_url_rule("/moved", "moved", lambda: "")
inner.add_url_rule("/inner", "own", lambda: "")
api.register_blueprint(inner)
app.register_blueprint(api)
app.register_blueprint(api, name="old", url_prefix="/old")
cors.set_policy(api, Policy(allow_origins=["https://partner.example"], max_age=6))
"""


@pytest.mark.parametrize(
    ("target", "number", "holder", "also_allowed"),
    [
        ("GET /once", 1, "the method GET of the class Once", ["HEAD /once"]),
        ("HEAD /once", 1, "the method GET of the class Once", ["GET /once"]),
        ("PUT /once", 2, "the methods PATCH and PUT of the class Once", []),
        ("GET /derived", 3, "every view of the class Base", ["GET /base"]),
        ("GET /again", 4, "every view of the class Dispatching", ["GET /dispatch"]),
        ("GET /b", 5, "the view a and the view b", ["GET /a"]),
        (
            "GET /moved",
            6,
            "every view of the blueprint api and every view of the blueprint old",
            ["GET /list", "GET /inner", "GET /old/list"],
        ),
    ],
)
def test_explain_shared_policy_exposes_all_its_views(
    target: str, number: int, holder: str, also_allowed: list[str]
) -> None:
    def fetch_verdicts(source: str) -> dict[str, str]:
        targets = [
            "GET /once",
            "HEAD /once",
            "GET /base",
            "GET /derived",
            "GET /dispatch",
            "GET /a",
        ]
        targets += ["GET /again", "GET /b", "GET /list", "GET /inner", "GET /old/list", target]
        parts = {each: each.split() for each in targets}
        return {
            each: explain_as_json(source, f"--method={method}", f"{API}{path}")["verdict"]
            for each, (method, path) in parts.items()
        }

    method, path = target.split()
    done = explain(SHARED, f"--method={method}", f"{API}{path}")
    assert f"\n    # the policy of {holder}\n" in done.stdout
    report = explain_as_json(SHARED, f"--method={method}", f"{API}{path}")["changes"]
    assert {change["place"]["holder"] for change in report} == {holder}
    assert report[0]["exposes"].startswith(f"pages of {APP} may read the responses of {holder}")
    assert set(fetch_verdicts(SHARED).values()) == {"blocked"}
    lines = " ".join(change["line"] for change in report)
    changed = SHARED.replace(
        f'allow_origins=["https://partner.example"], max_age={number}', f"{lines} max_age={number}"
    )
    allowed = {each for each, verdict in fetch_verdicts(changed).items() if verdict == "allowed"}
    assert allowed == {target, *also_allowed}


def test_explain_simple_request_is_decided_by_view() -> None:
    assert list_changes(ROUTED, f"{API}/partners") == [
        ("view", "partners", f'allow_origins=["{PARTNER}", "{APP}"],')
    ]
    assert explain_as_json(ROUTED, f"{API}/partners", page=PARTNER)["verdict"] == "allowed"


def test_explain_exempt_view_suggests_a_policy() -> None:
    done = explain(ROUTED, "--method=PUT", f"{API}/items/1")
    assert (
        "\n    # the policy of the method PUT of the class Items, which has none\n"
        f'    allow_origins=["{APP}"],\n    allow_methods=["PUT"],\n'
    ) in done.stdout
    assert "until now it is exempt from CORS" in " ".join(done.stdout.split())


def test_explain_single_policy_is_changed() -> None:
    done = explain(ONE, "--credentials=include", f"{API}/nowhere")
    assert "\n    # the policy\n    allow_credentials=True,\n" in done.stdout


def test_explain_routing_responses_are_shown() -> None:
    report = explain_as_json(ROUTED, f"{API}/list")
    assert [hop["answer"]["status"] for hop in report["requests"]] == [308, 200]
    assert report["response"]["redirected"] is True
    assert explain_as_json(ROUTED, f"{API}/nowhere")["response"]["status"] == 404
    report = explain_as_json(ROUTED, "--method=POST", f"{API}/items/1")
    assert report["response"]["status"] == 405


def test_explain_converter_finds_request_and_calls_nothing_else() -> None:
    report = explain_as_json(f"{APPLICATION}{VIEWS}{CONVERTERS}{OF_VIEWS}", f"{API}/asking/1")
    assert [hop["answer"]["status"] for hop in report["requests"]] == [200]


def test_explain_converter_exception_is_a_500() -> None:
    source = f"{APPLICATION}{VIEWS}{CONVERTERS}{OF_VIEWS}"
    done = explain(source, f"{API}/failing/1")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "status   500" in done.stdout
    # Once a view has a policy, corsguard matches the URL of a preflight before Flask does.
    report = explain_as_json(source, "--method=PUT", f"{API}/failing/1")
    assert [hop["answer"]["status"] for hop in report["requests"]] == [500]
    assert (report["verdict"], report["reason"]) == ("blocked", "ALLOW_ORIGIN_MISSING")


SETTING = """
app.config["CORSGUARD"] = {"routes": {"/partners": {"allow_origins": ["https://app.example.com"]}}}
CORSGuard(app)
"""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            f"{APPLICATION}{SETTING}",
            '    # in app.config["CORSGUARD"]["routes"]\n    "/items": {\n'
            f'        "allow_origins": ["{APP}"],\n    }},\n',
        ),
        (
            f'{APPLICATION}\nCORSGuard(app, {{"/api": Policy(allow_origins=["{APP}"])}})\n',
            '    # the policies by route\n    "/items": Policy(\n'
            f'        allow_origins=["{APP}"],\n    ),\n',
        ),
    ],
)
def test_explain_change_has_the_form_of_the_configuration(source: str, words: str) -> None:
    assert words in explain(source, f"{API}/items").stdout


def test_explain_method_without_view_warns_of_405() -> None:
    report = " ".join(explain(ROUTED, "--method=PATCH", f"{API}/items/1").stdout.split())
    assert (
        "warning even then, the application responds with 405: no view there takes PATCH" in report
    )


def test_explain_dangerous_change_is_not_suggested() -> None:
    source = f"{APPLICATION}{VIEWS}\nCORSGuard(app, Guard(OF_PATH, enforce=True))\n"
    report = explain_as_json(source, f"{API}/partners", page="http://plain.example")
    assert [problem["code"] for problem in report["problems"]] == ["origin-insecure"]


@pytest.mark.parametrize(
    ("source", "arguments", "words"),
    [
        (ROUTED, ["--page", "app", f"{API}/"], "--page 'app' is neither"),
        (ROUTED, ["--page", APP, "--header", "x", f"{API}/"], "--header 'x' is not a header"),
        (ROUTED, [f"{API}/"], "Missing option '--page'"),
        (APPLICATION, ["--page", APP, f"{API}/"], "has no CORSGuard"),
        (f"{APPLICATION}\n{MISTAKEN}", ["--page", APP, f"{API}/"], "[unknown-field]"),
    ],
)
def test_explain_invalid_question_exits_with_2(
    source: str, arguments: list[str], words: str
) -> None:
    done = run(source, "explain", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_explain_without_rich_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("diagram", "explain_report", "terminal"):
        monkeypatch.delitem(sys.modules, f"corsguard.cli.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    done = explain(ONE, f"{API}/")
    assert (done.exit_code, done.stdout) == (2, "")
    assert 'this needs: pip install "corsguard[cli]"' in done.stderr
    assert explain(ONE, "--format=json", f"{API}/").exit_code == 0


def test_explain_as_command_exits_with_1(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, ONE, "explain", "--page", PARTNER, f"{API}/")
    assert (done.returncode, done.stderr) == (1, "")
    assert "[ALLOW_ORIGIN_MISSING]" in done.stdout


FRONT, REST = '{"allow_origins": ["https://front.example"]}', 'Policy(allow_origins=["*"])'


@pytest.mark.parametrize(
    ("method", "place", "line"),
    [
        ("GET", '# in app.config["CORSGUARD"]["routes"]["/"][0]', '"allow_credentials": True,'),
        ("PUT", 'routes."/"[1]', 'allow_methods=["PUT"],'),
    ],
)
def test_change_in_a_list_names_the_entry(method: str, place: str, line: str) -> None:
    setting = f'app.config["CORSGUARD"] = {{"routes": {{"/": [{FRONT}, {REST}]}}}}'
    source = f"{APPLICATION}{setting}\nCORSGuard(app)\napp.add_url_rule('/x', 'x', lambda: '')\n"
    cookies = ["--credentials=include"] if method == "GET" else []
    done = explain(source, f"--method={method}", *cookies, f"{API}/x")
    assert done.exit_code == 1
    assert place in done.stdout
    assert line in done.stdout


def test_view_with_a_list_names_the_entry() -> None:
    view = "cors_policy([PARTNERS, PUBLIC])(lambda: called())"
    source = (
        f"{APPLICATION}{VIEWS}\napp.add_url_rule('/own', 'own', {view})\nCORSGuard(app, {{}})\n"
    )
    allowed = explain(source, f"{API}/own")
    assert f"the view own[1] is the first policy that covers {APP}" in " ".join(
        allowed.stdout.split()
    )
    [change] = explain_as_json(source, "--credentials=include", f"{API}/own")["changes"][:1]
    assert change["place"] == {
        "kind": "view",
        "name": "own",
        "holder": "the view own",
        "index": 0,
    }
