"""`explain` where a callable of allow_origins decides, as in an application's own command."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest

from corsguard import CORSRequest, Guard, OriginLookup, Policy
from corsguard.cli.change_format import format_as_python
from corsguard.cli.explain import run_explain
from corsguard.cli.options import EXPLAIN_OPTIONS
from corsguard.explain.policy_server import build_policy_server
from corsguard.explain.question import build_question

APP = "https://app.example.com"
EVIL = "https://evil.example"
API = "https://api.example.com/items"


def is_partner(origin: str) -> bool:
    return origin == APP


def fails(origin: str) -> bool:
    raise LookupError("no\ndatabase")


def explain_page(page: str, *entries: Any, form: str = "text", **given: Any) -> tuple[int, str]:
    options = {option.name: option.default for option in EXPLAIN_OPTIONS}
    guard = Guard(Policy(allow_origins=[*entries]))
    file = StringIO()
    given = {**options, "page": page, "format": form, **given}
    code = run_explain(
        build_question(API, given), guard, build_policy_server, format_as_python, file
    )
    return code, file.getvalue()


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_callable_that_refuses_is_named_instead_of_a_change() -> None:
    code, out = explain_page(EVIL, "https://listed.example", is_partner)
    assert code == 1
    said = f"a callable of allow_origins decided: is_partner does not allow {EVIL}"
    assert f"  decided  {said}\n" in out
    assert "Only the callable that decided can allow it.\n" in out
    assert "  instead  if this page may read the response, change what the callable" in out
    assert "allow_origins=" not in out


def test_callable_that_allows_is_named() -> None:
    code, out = explain_page(APP, is_partner)
    assert code == 0
    assert f"  decided  a callable of allow_origins decided: is_partner allows {APP}\n" in out


def is_partner_at(origin: str, request: CORSRequest) -> bool:
    return (origin, request.host, request.path) == (APP, "api.example.com", "/items")


@pytest.mark.parametrize("entry", [is_partner_at, OriginLookup(is_partner_at)])
def test_callable_that_sees_the_request_is_asked(entry: Any) -> None:
    name = entry.name if isinstance(entry, OriginLookup) else "is_partner_at"
    for page, verb, expected in ((APP, "allows", 0), (EVIL, "does not allow", 1)):
        code, out = explain_page(page, entry, method="PUT")
        assert f"a callable of allow_origins decided: {name} {verb} {page}" in out
        assert code == 1 or not expected


def test_callable_that_fails_is_shown_on_one_line() -> None:
    _, out = explain_page(EVIL, fails)
    assert f"fails does not allow {EVIL}: fails failed (LookupError: no\\ndatabase)" in out


def test_callable_that_is_not_called_is_not_shown() -> None:
    code, out = explain_page(APP, is_partner, method="TRACE")
    assert code == 1
    assert "decided" not in out
    assert "No change of the policy allows it.\n" in out


def test_json_names_the_callable_that_decided() -> None:
    _, out = explain_page(EVIL, is_partner, form="json")
    document = json.loads(out)
    assert document["decided_by"].endswith(f"is_partner does not allow {EVIL}")
    assert document["changes"] == []
    _, out = explain_page(APP, APP, is_partner, form="json")
    assert "decided_by" not in json.loads(out)
