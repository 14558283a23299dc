"""Each difference from a policy is found, with its cause; and none where a browser sees none."""

from __future__ import annotations

import tomllib

import pytest
from support.audit.auditing import QUICK
from support.audit.serving import wsgi
from support.verify.small_servers import CASES, Case, change

from corsguard import Guard
from corsguard.cli.audit.catalogue import RULES
from corsguard.cli.audit.policy_rules import POLICY_RULES
from corsguard.cli.audit.runner import AuditResult
from corsguard.cli.client_options import ClientOptions
from corsguard.cli.verify.command import verify_server


def compare(case: Case, *, has_unsafe: bool = False) -> AuditResult:
    guard = Guard.from_mapping(tomllib.loads(case.toml))
    paths = {path: path == case.paths[0] for path in case.paths}
    with wsgi(change(case.layer, case.toml)) as url:
        options = ClientOptions(url.removesuffix("/v1/items"), QUICK, True)
        return verify_server(guard, options, paths, has_unsafe=has_unsafe)


@pytest.mark.parametrize("name", CASES)
def test_cause_is_the_only_finding(name: str) -> None:
    case = CASES[name]
    result = compare(case)
    found = {one.rule.code: one.fails for one in result.findings}
    assert {code for code, fails in found.items() if fails} == case.findings
    assert case.notes <= {code for code, fails in found.items() if not fails}
    assert result.complete


@pytest.mark.parametrize("name", ["right", "right, any origin", "right, no CORS", "sorted"])
def test_right_server_has_neither_findings_nor_notes(name: str) -> None:
    assert compare(CASES[name]).findings == ()


def test_cases_cover_the_rules_of_policies() -> None:
    planted = {code for case in CASES.values() for code in case.findings | case.notes}
    assert set(POLICY_RULES) <= planted <= set(RULES)
