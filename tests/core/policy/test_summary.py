"""A policy in one line, as `flask cors routes` and `manage.py corsguard routes` list it."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial

import pytest

from corsguard import OriginEntry, OriginLookup, Policy, dangerous
from corsguard.policy.summary import summarize_policy

A = "https://a.example"


def allow(origin: str, *, also: str = "") -> bool:
    raise NotImplementedError


class Allowed:
    def __call__(self, origin: str) -> bool:
        raise NotImplementedError

    def method(self, origin: str) -> bool:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("entry", "summary"),
    [
        (A, A),
        ("https://*.a.example:*", "https://*.a.example:*"),
        (re.compile("https://[ab]{2}[.]example"), "re.compile('https://[ab]{2}[.]example')"),
        (re.compile("https://a", re.IGNORECASE), "re.compile('https://a', re.IGNORECASE)"),
        (allow, "allow()"),
        (Allowed(), "Allowed()"),
        (Allowed().method, "Allowed.method()"),
        (dangerous(A, "null", "insecure"), f"{A} (dangerously: insecure, null)"),
        (OriginLookup(allow), "OriginLookup(allow)"),
        (partial(allow, also=A), "partial()"),
    ],
)
def test_origin_entry_is_shown_as_code(entry: OriginEntry, summary: str) -> None:
    assert summarize_policy(Policy(allow_origins=[entry])) == summary


def test_fields_without_the_default_are_shown() -> None:
    policy = Policy(
        allow_origins=[A, allow],
        allow_credentials=True,
        allow_methods=["PUT", "PATCH"],
        allow_headers=["X-A"],
    )
    assert summarize_policy(policy) == f"{A}, allow(); credentials; methods PUT, PATCH; headers X-A"
    assert summarize_policy(Policy(allow_origins=["*"], allow_headers=["X-A"])) == "*; headers X-A"
    assert summarize_policy(None) == "no CORS"


def test_import_needs_neither_click_nor_rich() -> None:
    code = "import sys, corsguard.policy.summary; print({'click', 'rich'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
