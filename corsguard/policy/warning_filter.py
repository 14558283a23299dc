"""The filter for PolicyWarning of code that reports the warnings itself, or needs none."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager

from corsguard.errors import PolicyWarning

__all__ = ["ignore_policy_warnings"]


@contextmanager
def ignore_policy_warnings() -> Generator[None]:
    """Ignore every PolicyWarning in a block of code; other warnings are shown as before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)
        yield
