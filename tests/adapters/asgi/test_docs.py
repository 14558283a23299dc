"""The code of docs/asgi.md runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs/asgi.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS)
def test_code_block_runs(code: str) -> None:
    exec(compile(code, PAGE.name, "exec"), {"__name__": "docs"})
