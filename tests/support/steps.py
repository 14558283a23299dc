"""The work of an adapter during a call, counted in steps instead of seconds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

__all__ = ["count_steps"]

_MOST_KEYS = 20  # to look through at each line


def count_steps(call: Callable[[], object]) -> int:
    """Return the lines that corsguard runs in a call, plus the characters that it creates.

    A text counts when a variable of corsguard first has it, or a small dict or a list that is one:
    so what is joined again and again counts again and again.
    """
    seen: dict[int, object] = {}  # by identity, and kept, so that no other gets it
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if not frame.f_globals.get("__name__", "").startswith("corsguard"):
            return None
        count += 1
        for text in _find_texts(frame):
            if id(text) not in seen:
                seen[id(text)] = text
                count += len(text)
        return trace

    before = sys.gettrace()  # that of coverage
    gc.disable()  # what corsguard runs when an earlier guard is collected is no part of this call
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
        gc.enable()
    return count


def _find_texts(frame: FrameType) -> Iterator[str | bytes]:
    """Yield the texts in the variables of a frame; of a list only its ends, where it grows."""
    for variable in frame.f_locals.values():
        values: Any = (variable,)
        if isinstance(variable, dict):
            values = variable.values() if len(variable) <= _MOST_KEYS else ()
        elif isinstance(variable, list):
            values = (*variable[:1], *variable[-1:])
        yield from (value for value in values if isinstance(value, str | bytes))
