"""What the tests of the command share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Finished(NamedTuple):
    """What a user sees of a command that has ended."""

    code: int | str | None
    out: str
    err: str


Command = Callable[..., Finished]
