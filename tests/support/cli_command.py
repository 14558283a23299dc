"""The result of a command that ran in the process of the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Finished(NamedTuple):
    """The exit code and the output of a command."""

    code: int | str | None
    out: str
    err: str


Command = Callable[..., Finished]
