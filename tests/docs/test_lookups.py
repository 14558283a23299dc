"""docs/lookups.md: every block runs, and the tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

from corsguard.policy.lookup_state import Limits

PAGE = (Path(__file__).parents[2] / "docs/lookups.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_blocks_run_one_after_the_other() -> None:
    names: dict[str, object] = {"__name__": "docs"}
    for block in BLOCKS:
        exec(compile(block, "lookups.md", "exec"), names)
    assert len(BLOCKS) == 7


def test_table_of_options_is_complete() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\d_.]+)` \|", PAGE, re.MULTILINE)
    assert {name: float(default) for name, default in rows} == Limits()._asdict()
