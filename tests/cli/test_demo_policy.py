"""The policy of the demo, edited while it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from support.demo_visit import FREE_PORTS, Running, ask, explain, post
from support.questions import build_test_question

from corsguard import CORSRequest, Decision, Guard, Policy
from corsguard.cli.demo.limits import MAX_REGEXES, MAX_TEXT
from corsguard.cli.demo.playground import list_fixes
from corsguard.cli.demo.servers import serve_demo
from corsguard.explain.fixes import explain_request
from corsguard.explain.policy_server import build_policy_server

ANY = 'allow_origins = ["*"]\n'


@pytest.fixture
def demo() -> Iterator[Running]:
    """A demo of its own for each test, which changes its policy."""
    decisions: list[tuple[Decision, CORSRequest]] = []
    with serve_demo(FREE_PORTS, lambda *args: decisions.append(args)) as origins:
        yield Running(origins, decisions)


def replace(demo: Running, toml: str) -> dict[str, Any]:
    status, document = post(demo.origins.frontend, "/policy", {"toml": toml})
    assert status == 200
    assert [*document] == ["applied", "version", "problems", "warnings"]
    assert isinstance(document, dict)
    return document


def read_allowed(demo: Running, page: str) -> str | None:
    return ask(demo.origins.api, "/items", headers={"Origin": page}).header(
        "Access-Control-Allow-Origin"
    )


def find_problems(demo: Running, toml: str) -> list[tuple[str, str, int | None]]:
    document = replace(demo, toml)
    assert not document["applied"]
    assert document["warnings"] == []
    assert read_allowed(demo, demo.origins.frontend) == demo.origins.frontend  # as before
    return [(each["code"], each["field"], each["line"]) for each in document["problems"]]


def test_valid_text_applies_to_the_next_request(demo: Running) -> None:
    assert read_allowed(demo, demo.origins.untrusted) is None

    document = replace(demo, ANY)

    assert document == {"applied": True, "version": 2, "problems": [], "warnings": []}
    assert read_allowed(demo, demo.origins.untrusted) == "*"
    assert replace(demo, ANY)["version"] == 3


def test_text_in_force_is_in_the_settings(demo: Running) -> None:
    replace(demo, ANY)
    replace(demo, "broken")

    assert ask(demo.origins.frontend, "/settings.json").body.count('"toml": "allow_origins') >= 1
    document = post(demo.origins.frontend, "/toggle", {"toml": ANY, "enforce": True})[1]
    assert document == {"toml": f"{ANY}enforce = true\n"}


def test_options_are_replaced_with_the_policies(demo: Running) -> None:
    untrusted = demo.origins.untrusted
    listed = f'allow_origins = ["{demo.origins.frontend}"]\n'
    sent = {"Origin": untrusted, "Sec-Fetch-Site": "same-site"}
    statuses = []
    for text in (f"{listed}enforce = true\n", listed, f'{listed}enforce = "report"\n'):
        assert replace(demo, text)["applied"]
        statuses.append(ask(demo.origins.api, "/items", "POST", sent, "x").status)

    assert statuses == [403, 201, 201]


def test_subscriber_stays_after_a_replacement(demo: Running) -> None:
    replace(demo, ANY)
    demo.decisions.clear()
    read_allowed(demo, demo.origins.untrusted)

    assert [decision.reason for decision, _ in demo.decisions] == ["ALLOWED"]


def test_warnings_of_a_text_in_force_have_lines(demo: Running) -> None:
    text = f'{ANY}allow_headers = ["*"]\n[origin_sets]\nunused = []\n'

    document = replace(demo, text)

    assert document["applied"]
    assert [(each["code"], each["line"]) for each in document["warnings"]] == [
        ("authorization-not-covered", 2),
        ("set-unused", 4),
    ]
    assert {*document["warnings"][0]} >= {"code", "field", "value", "message", "suggestion", "line"}


def test_problems_are_listed_from_the_top(demo: Running) -> None:
    problems = find_problems(demo, 'allow_origins = ["app.example.com"]\nallow_credentals = true\n')

    assert problems == [
        ("origin-invalid", "allow_origins", 1),
        ("unknown-field", "allow_credentals", 2),
    ]


@pytest.mark.parametrize(
    ("toml", "problems"),
    [
        ("a", [("document-invalid", "document", 1)]),
        ("# c\n\na = [1,\n", [("document-invalid", "document", 3)]),
        ("\n\nenforce = yes", [("document-invalid", "document", 3)]),
        ("", [("no-policy", "policy", None)]),
        (
            '# c\nallow_origins = ["*"]\nallow_credentials = true',
            [("wildcard-with-credentials", "allow_origins", 2)],
        ),
        (
            'allow_origins = [\n  "https://a.example",\n  "b.example",\n]\nmax_age = "x"',
            [("origin-invalid", "allow_origins", 3), ("type-invalid", "max_age", 5)],
        ),
        (
            '[routes."/"]\nallow_credentials = true\n',
            [("no-origins", 'routes."/".allow_origins', 1)],
        ),
        ("\n\ud800", [("document-invalid", "document", 2)]),
    ],
)
def test_problem_has_its_line(
    demo: Running, toml: str, problems: list[tuple[str, str, int | None]]
) -> None:
    assert find_problems(demo, toml) == problems


def test_suggestions_are_toml(demo: Running) -> None:
    [problem] = replace(demo, "")["problems"]

    assert problem["suggestion"] == 'allow_origins = ["https://app.example.com"]'


def test_candidate_is_checked_and_has_no_effect(demo: Running) -> None:
    text = f'allow_origins = ["{demo.origins.frontend}"]\n[candidate]\nallow_origins = ["*"]\n'

    assert replace(demo, text)["applied"]
    assert read_allowed(demo, demo.origins.untrusted) is None


def test_text_that_is_too_long_is_a_problem(demo: Running) -> None:
    longest = ANY + "#" * (MAX_TEXT - len(ANY))
    assert replace(demo, longest)["applied"]

    document = replace(demo, longest + "#")

    [problem] = document["problems"]
    assert (problem["code"], problem["line"]) == ("document-invalid", None)
    assert problem["message"] == "the text has 8,193 characters, and the limit here is 8,192"


@pytest.mark.slow
def test_regular_expressions_are_limited(demo: Running) -> None:
    # The search for what such a value means takes about half a second for each.
    entries = [f"^https://{'(' * 10}a{at}+{')+' * 10}$" for at in range(MAX_REGEXES + 1)]

    def write(name: str, count: int) -> str:
        return f"{name} = {entries[:count]}\n"

    assert [code for code, _, _ in find_problems(demo, write("allow_origins", 1))] == [
        "origin-invalid"
    ]
    in_lines = "[origin_sets]\na = '''\n{}\n'''\n".format("\n".join(entries))
    for text in (write("allow_origins", MAX_REGEXES + 1), in_lines):
        [problem] = replace(demo, text)["problems"]
        assert problem["code"] == "document-invalid"
        assert problem["message"] == (
            "the text has 6 values that look like a regular expression, and the limit here is 5"
        )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "allow_origins = {}".format([f"https://*-{at}.*.vercel.app" for at in range(6)]),
            "6 values that look like a regular expression, and the limit here is 5",
        ),
        (
            "[origin_sets]\na = {}\n[routes]\n{}".format(
                [f"a{at}" for at in range(51)],
                "".join(f'"/{at}" = {{ allow_origins = [{{ set = "a" }}] }}\n' for at in range(20)),
            ),
            "1,020 origins by references to sets, and the limit here is 1,000",
        ),
    ],
)
def test_slow_validation_is_refused(demo: Running, text: str, found: str) -> None:
    [problem] = replace(demo, text)["problems"]

    assert (problem["code"], problem["line"]) == ("document-invalid", None)
    assert problem["message"] == f"the text has {found}"


def test_any_port_of_subdomains_is_no_regular_expression(demo: Running) -> None:
    origins = [f"https://*.{at}.example:*" for at in "abcdefg"]

    assert replace(demo, f"allow_origins = {origins}")["applied"]


def test_problems_are_limited(demo: Running) -> None:
    text = "allow_origins = [{}]".format(",".join(f'"a{at}"' for at in range(200)))

    assert len(find_problems(demo, text)) == 100


@pytest.mark.slow
def test_server_answers_while_a_text_is_validated(demo: Running) -> None:
    text = "allow_origins = [{}]".format(",".join(f'"a{at}"' for at in range(1_500)))
    validation = threading.Thread(target=replace, args=(demo, text))
    validation.start()
    answers = 0
    while validation.is_alive():
        assert read_allowed(demo, demo.origins.frontend) == demo.origins.frontend
        answers += 1
    validation.join()

    assert answers


def test_journal_is_readable_whatever_the_policy_is(demo: Running) -> None:
    closed = '[routes]\n"/" = false\n"/journal" = false\n'
    assert replace(demo, closed)["applied"]
    ask(demo.origins.api, "/items?call=closed", headers={"Origin": demo.origins.frontend})
    for page in (demo.origins.frontend, demo.origins.untrusted):
        answer = ask(demo.origins.api, "/journal?call=closed", headers={"Origin": page})

        assert '"NO_POLICY"' in answer.body
        assert answer.header("Access-Control-Allow-Origin") == "*"


def test_explanation_of_a_blocked_method_has_a_fix(demo: Running) -> None:
    frontend, url = demo.origins.frontend, f"{demo.origins.api}/items/1"

    found = explain(demo, frontend, url, method="PATCH")

    assert found["verdict"] == "blocked"
    assert found["console"].startswith(f"Access to fetch at '{url}' from origin '{frontend}'")
    assert "Method PATCH is not allowed" in found["console"]
    assert (found["reason"], found["detail"]) == ("METHOD_NOT_ALLOWED", "PATCH")
    assert found["clause"] == 'Fetch, "CORS-preflight fetch"'
    assert found["address"] == "https://fetch.spec.whatwg.org/#cors-preflight-fetch"
    assert found["steps"][-1]["passed"] is False
    assert (found["problems"], found["nearest"]) == ([], None)
    [fix] = found["fixes"]
    toml = fix.pop("toml")
    assert fix == {
        "line": 'allow_methods = ["PUT", "DELETE", "PATCH"]',
        "table": "",
        "exposes": f"pages of {frontend} may send PATCH to every path",
        "problems": [],
    }
    assert replace(demo, toml)["applied"]
    allowed = explain(demo, frontend, url, method="PATCH")
    assert (allowed["verdict"], allowed["reason"], allowed["fixes"]) == ("allowed", None, [])
    assert (allowed["clause"], allowed["address"], allowed["console"]) == (None, None, "")


def test_fix_has_all_changes_and_keeps_comments(demo: Running) -> None:
    text = f"""\
# ours
[routes."/items"]  # the list
allow_origins = ["{demo.origins.frontend}"]  # this page
max_age = 60
"""
    assert replace(demo, text)["applied"]
    question = {
        "method": "PUT",
        "headers": {"X-Demo-Trace": "1", "Content-Type": "application/json"},
        "credentials": "include",
    }

    found = explain(demo, demo.origins.untrusted, f"{demo.origins.api}/items/1", **question)

    [fix] = found["fixes"]
    assert (
        fix["toml"]
        == f"""\
# ours
[routes."/items"]  # the list
allow_origins = ["{demo.origins.frontend}", "{demo.origins.untrusted}"]  # this page
max_age = 60
allow_credentials = true
allow_methods = ["PUT"]
allow_headers = ["X-Demo-Trace", "Content-Type"]
"""
    )
    assert fix["table"] == '[routes."/items"]'
    assert len(fix["line"].splitlines()) == len(fix["exposes"].splitlines()) == 4
    assert replace(demo, fix["toml"])["applied"]
    again = explain(demo, demo.origins.untrusted, f"{demo.origins.api}/items/1", **question)
    assert again["verdict"] == "allowed"


def test_fix_that_would_not_start_says_why(demo: Running) -> None:
    found = explain(demo, "null", f"{demo.origins.api}/items")

    assert found["fixes"] == []
    assert [problem["code"] for problem in found["problems"]] == ["origin-null"]
    assert found["fix"]


def test_fix_with_problems_of_its_own_has_them(demo: Running) -> None:
    text = 'allow_origins = [{ set = "any" }]\n\n[origin_sets]\nany = ["*"]\n'
    assert replace(demo, text)["applied"]

    url = f"{demo.origins.api}/items"
    [fix] = explain(demo, demo.origins.frontend, url, credentials="include")["fixes"]

    assert [(each["code"], each["line"]) for each in fix["problems"]] == [
        ("wildcard-not-alone", 1),
        ("wildcard-with-credentials", 1),
    ]
    assert not replace(demo, fix["toml"])["applied"]


def test_explanation_is_that_of_each_engine(demo: Running) -> None:
    for engine in ("chromium", "firefox", "webkit"):
        page = demo.origins.untrusted
        found = explain(demo, page, f"{demo.origins.api}/items", engine=engine)

        assert (found["verdict"], found["reason"]) == ("blocked", "ALLOW_ORIGIN_MISSING")


def test_text_that_cannot_be_edited_has_no_fix() -> None:
    guard = Guard(Policy(allow_origins=["https://a.example"]))
    question = build_test_question("https://api.example/", "https://b.example")
    changes = explain_request(guard, build_policy_server, question.play).changes

    assert list_fixes("allow_origins = []", changes)
    assert list_fixes("allow_origins = [", changes) == []
