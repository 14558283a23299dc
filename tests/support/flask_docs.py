"""The blocks of Python in docs/flask.md."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

_TEXT = (Path(__file__).parents[2] / "docs" / "flask.md").read_text("utf-8")

BLOCKS = re.findall(r"^```python\n(.*?)^```$", _TEXT, re.MULTILINE | re.DOTALL)
IN_LISTS = [
    dedent(block)
    for block in re.findall(r"^  ```python\n(.*?)^  ```$", _TEXT, re.MULTILINE | re.DOTALL)
]
"""The blocks in lists; those with another framework run in tests/ecosystem."""


def run_block(block: str) -> dict[str, Any]:
    """Run a block as a module, and return its global variables."""
    module: dict[str, Any] = {"__name__": "service"}
    exec(block, module)
    return module
