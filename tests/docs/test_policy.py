"""docs/policy.md: each block runs, and the tables are complete."""

from __future__ import annotations

import inspect
import re

from support.doc_pages import read_blocks, read_page
from support.doc_programs import run_blocks

from corsguard import Policy

PAGE = read_page("policy")
BLOCKS = read_blocks("policy")


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    assert [block.language for block in BLOCKS].count("python") == 7
    assert {block.language for block in BLOCKS} == {"python"}


def test_blocks_of_python_run_in_order() -> None:
    run_blocks(BLOCKS)


def test_table_has_every_field_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (?:`(.+?)`|required) \|", PAGE, re.MULTILINE))
    parameters = list(inspect.signature(Policy).parameters.values())
    assert rows == {
        each.name: "" if each.default is each.empty else repr(each.default) for each in parameters
    }


def test_entries_of_the_table_are_valid() -> None:
    table = PAGE.partition("| entry | matches |")[2].partition("\n\n")[0]
    entries = re.findall(r'^\| `"(.+?)"`', table, re.MULTILINE)
    assert len(entries) == 6
    for entry in entries:
        assert Policy(allow_origins=[entry]).allow_list
