from __future__ import annotations

from pathlib import Path

import pytest
from support.fleet_store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store in a folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return Store(tmp_path)
