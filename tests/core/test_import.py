"""The modules that an import of corsguard loads."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import sys
before = set(sys.modules)
import corsguard
{code}
import json
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def imported(code: str = "") -> set[str]:
    """The modules that a fresh interpreter imports for corsguard and for code."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(code=code)], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


def third_party(modules: set[str]) -> set[str]:
    top = {name.partition(".")[0] for name in modules}
    return top - set(sys.stdlib_module_names) - {"corsguard"}


def test_import_of_corsguard_loads_no_third_party_module() -> None:
    modules = imported()
    assert third_party(modules) == set()
    slow = {"asyncio", "dataclasses", "difflib", "inspect", "ipaddress", "tomllib", "urllib.parse"}
    assert slow & modules == set()


@pytest.mark.parametrize(
    ("policy", "needed"),
    [
        ("allow_origins=['https://a.example'], allow_credentials=True", set()),
        ("allow_origins=['https://*.a.example']", set()),
        ("allow_origins=['https://*.a.example'], allow_credentials=True", {"publicsuffixlist"}),
    ],
)
def test_import_for_a_policy_loads_only_its_needs(policy: str, needed: set[str]) -> None:
    code = f"corsguard.Guard(corsguard.Policy({policy})).decide('/', 'https://b', 'GET', {{}})"
    assert third_party(imported(code)) == needed


def test_import_of_idna_only_for_a_host_outside_ascii() -> None:
    code = """
try:
    corsguard.Policy(allow_origins=['https://{}.example'])
except corsguard.PolicyError:
    pass
"""
    assert third_party(imported(code.format("A"))) == set()
    assert third_party(imported(code.format("é"))) == {"idna"}
