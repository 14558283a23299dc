"""Origins in a list of policies that have no effect, as an earlier policy covers them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from corsguard.engine import Engine
from corsguard.engine.decision import Reason
from corsguard.errors import Problem
from corsguard.guard.policy_list import name_entry
from corsguard.policy.origin_entry import unwrap

__all__ = ["find_unreachable_origins"]

_MAX_ORIGINS = 10_000


def find_unreachable_origins(place: str, engines: Sequence[Engine]) -> Iterator[Problem]:
    """Yield a warning for each origin that an earlier policy of a list covers.

    `engines` are those of the policies at a place, in order. A pattern is covered by an equal one
    only. A policy of very many origins is left out: to change one of them must not take long.
    """
    for index, engine in enumerate(engines[1:], 1):
        if engine.origins.listed.exact_count > _MAX_ORIGINS:
            continue
        for entry in filter(_is_text, map(unwrap, engine.policy.allow_origins)):
            for earlier in range(index):
                matcher = engines[earlier].origins
                if entry in matcher.listed or matcher.match(entry) is Reason.ALLOWED:
                    yield _build_warning(entry, name_entry(place, earlier)).within(
                        name_entry(place, index)
                    )
                    break


def _is_text(entry: object) -> TypeGuard[str]:
    return isinstance(entry, str)


def _build_warning(entry: str, covering: str) -> Problem:
    message = (
        f"{entry} has no effect here: {covering} covers it, and the first policy that covers an "
        "origin decides"
    )
    suggestion = f"remove {entry}, or put this policy first"
    return Problem("origin-unreachable", "allow_origins", entry, message, suggestion)
