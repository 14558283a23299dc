"""The fixtures of the tests of a follower."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.following import Follow
from support.memory_store import (
    SELDOM,
    MemorySource,
)

from corsguard import Guard


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Return a function that builds a guard which follows a source until the test ends."""
    guards: list[Guard] = []

    def build(source: MemorySource, poll: float = SELDOM, **options: object) -> Guard:
        guard = options.pop("guard", None) or Guard(None)
        assert isinstance(guard, Guard)
        guards.append(guard)
        guard.follow(source, poll=poll, **options)  # type: ignore[arg-type]
        return guard

    yield build
    for guard in guards:
        guard.unfollow()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text("0123456789abcdef0123456789abcdef")
    return file
