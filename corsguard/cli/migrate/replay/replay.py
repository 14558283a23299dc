"""The replay: the same exchanges with two applications, and what differs for pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from corsguard.cli.migrate.replay.differences import Difference, compare
from corsguard.cli.migrate.replay.exchanges import Exchange
from corsguard.cli.migrate.replay.findings import Change
from corsguard.cli.migrate.replay.judge import judge
from corsguard.cli.migrate.replay.limits import TIME_LIMIT, measure_match
from corsguard.cli.migrate.replay.regex_samples import list_hostile_texts
from corsguard.cli.migrate.replay.sentences import build_hang_sentence
from corsguard.policy.redos import is_linear

__all__ = ["replay"]


def replay(
    before_app: Any,
    after_app: Any,
    exchanges: Iterable[Exchange],
    time_limit: float = TIME_LIMIT,
) -> list[Difference]:
    """Return what changes for pages where after_app replaces before_app.

    Both are WSGI or ASGI applications, and are called in this process. Their own layer for CORS
    should be around a stub, as every exchange is sent to both. A regular expression that may hang
    is first matched in another process. Where it takes longer than `time_limit` seconds, that is
    a difference, and the origins that it hangs on are not sent.
    """
    exchanges = [*exchanges]
    hangs: list[Difference] = []
    for pattern in _find_slow_patterns(exchanges):
        origins = sorted({each.origin for each in exchanges}, key=len)
        texts = [*origins, *list_hostile_texts(pattern)]
        times = measure_match(pattern, texts, time_limit)
        if times.slow is not None:
            hangs.append(_report_hang(pattern, times.slow, time_limit))
            exchanges = [each for each in exchanges if each.origin in times.quick]
    found = compare(exchanges, judge(before_app, exchanges), judge(after_app, exchanges))
    order = [*Change]
    return sorted([*found, *hangs], key=lambda each: order.index(each.verdict))


def _find_slow_patterns(exchanges: Iterable[Exchange]) -> list[re.Pattern[str]]:
    """Return the expressions of exchanges that do not match in linear time."""
    entries = dict.fromkeys(each.case.entry for each in exchanges)
    return [entry for entry in entries if isinstance(entry, re.Pattern) and not is_linear(entry)]


def _report_hang(pattern: re.Pattern[str], text: str, seconds: float) -> Difference:
    sentence = build_hang_sentence(pattern, text, seconds)
    return Difference(Change.HANGS, pattern.pattern, (text,), (), (), (), False, sentence)
