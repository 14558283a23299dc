"""Documents to follow, and what a guard that follows them decides."""

from __future__ import annotations

from collections.abc import Callable

from corsguard import Guard
from corsguard.sources import Revision
from corsguard.sources.changes import SetChange, format_changes

A, B, C = "https://a.example", "https://b.example", "https://c.example"
OF_A = f'allow_origins = ["{A}"]\n'
OF_B = f'allow_origins = ["{B}"]\n'
INVALID = 'allow_origins = ["https://a.example/"]\n'
SET = """
allow_origins = [{ set = "partners" }, "https://c.example"]

[origin_sets]
partners = '''
https://a.example
'''
"""
Follow = Callable[..., Guard]


def allows(guard: Guard, origin: str, path: str = "/") -> bool:
    return guard.decide(path, origin, "GET", {}).allowed


def change(version: int, **sets: SetChange) -> Revision:
    return Revision(version, format_changes(sets), is_change=True)
