"""What an import of corsguard brings in: nothing that every application would pay for in vain."""

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


def test_importing_corsguard_imports_nothing_of_others_and_nothing_slow() -> None:
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
def test_a_policy_imports_only_what_it_needs(policy: str, needed: set[str]) -> None:
    code = f"corsguard.Guard(corsguard.Policy({policy})).decide('/', 'https://b', 'GET', {{}})"
    assert third_party(imported(code)) == needed


def test_only_a_host_outside_ascii_imports_idna() -> None:
    code = """
try:
    corsguard.Policy(allow_origins=['https://{}.example'])
except corsguard.PolicyError:
    pass
"""
    assert third_party(imported(code.format("A"))) == set()
    assert third_party(imported(code.format("é"))) == {"idna"}
