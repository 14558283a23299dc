"""`corsguard explain --format json`: one document of a stable shape."""

from __future__ import annotations

import json

from support.cli_explain import API, APP, Explain


def test_json_has_a_stable_shape(explain: Explain) -> None:
    code, out, err = explain(
        "--format=json",
        "--method=PUT",
        "--header=x-a:1",
        f"{API}/api/1",
        page="http://app.example.com/x",
    )
    report = json.loads(out)
    assert (code, err) == (1, "")
    assert list(report) == [
        "verdict",
        "reason",
        "detail",
        "fix",
        "page",
        "engine",
        "request",
        "steps",
        "requests",
        "response",
        "console",
        "caveats",
        "page_given",
        "nearest",
        "changes",
        "response_with_changes",
        "problems",
    ]
    assert (report["verdict"], report["reason"]) == ("blocked", "ALLOW_ORIGIN_MISSING")
    assert (report["page"], report["page_given"]) == (
        "http://app.example.com",
        "http://app.example.com/x",
    )
    assert report["request"]["headers"] == [{"name": "x-a", "value": "1"}]
    assert report["steps"][-1] == {
        "name": "CORS check of the preflight's response",
        "clause": 'Fetch, "CORS check"',
        "address": "https://fetch.spec.whatwg.org/#concept-cors-check",
        "passed": False,
        "text": "the response has no Access-Control-Allow-Origin",
    }
    [preflight] = report["requests"]
    assert (preflight["purpose"], preflight["method"]) == ("preflight", "OPTIONS")
    assert preflight["answer"]["status"] == 403
    assert report["response"] is None
    assert report["console"].startswith("Access to fetch at")
    assert report["nearest"] == {"listed": APP, "differs": "the scheme"}
    assert report["changes"][0] == {
        "place": {"kind": "route", "name": "/api", "holder": None},
        "field": "allow_origins",
        "value": [APP, "http://app.example.com"],
        "line": 'allow_origins = ["https://app.example.com", "http://app.example.com"]',
        "exposes": "pages of http://app.example.com may read the responses of /api and every path "
        "below it, and send PATCH there",
    }
    assert [change["field"] for change in report["changes"]] == [
        "allow_origins",
        "allow_methods",
        "allow_headers",
    ]
    assert report["response_with_changes"]["status"] == 200
    assert report["problems"] == []


def test_json_of_an_allowed_request_has_the_response(explain: Explain) -> None:
    code, out, _ = explain("--format=json", f"{API}/api")
    report = json.loads(out)
    assert (code, report["verdict"], report["reason"]) == (0, "allowed", None)
    assert report["response_with_changes"] is None
    assert report["response"] == {
        "type": "cors",
        "url": f"{API}/api",
        "status": 200,
        "redirected": False,
        "headers": [],
    }


def test_json_has_problems_and_bools(explain: Explain) -> None:
    report = json.loads(explain("--format=json", f"{API}/api", page="null")[1])
    assert [problem["code"] for problem in report["problems"]] == ["origin-null"]
    report = json.loads(explain("--format=json", "--credentials=include", f"{API}/api")[1])
    assert [change["value"] for change in report["changes"]] == [True]


def test_document_names_the_policy_of_a_list(explain: Explain) -> None:
    toml = '[[routes."/"]]\nallow_origins = ["https://front.example"]\n'
    _, out, _ = explain("--format=json", f"{API}/", toml=toml)
    document = json.loads(out)
    assert document["decided_in"] == f'no policy of routes."/" covers {APP}'
    [change] = document["changes"]
    assert change["place"] == {"kind": "route", "name": "/", "holder": None, "index": 0}
