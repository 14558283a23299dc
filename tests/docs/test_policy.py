"""docs/policy.md: each block runs, and the tables are complete."""

from __future__ import annotations

import inspect
import re
import tomllib
import warnings

from support.doc_pages import read_blocks, read_page
from support.doc_programs import run_blocks

from corsguard import Guard, Policy, PolicyWarning

PAGE = read_page("policy")
BLOCKS = read_blocks("policy")


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    assert [block.language for block in BLOCKS].count("python") == 9
    assert {block.language for block in BLOCKS} == {"python", "toml"}


def test_blocks_of_python_run_in_order() -> None:
    run_blocks(BLOCKS)


def test_flag_in_a_file_is_that_in_python() -> None:
    [block] = [block for block in BLOCKS if block.language == "toml"]
    [in_python] = [block for block in BLOCKS if "dangerous(" in block.code]
    policy = run_blocks([in_python], Policy=Policy)["policy"]
    assert Guard.from_mapping(tomllib.loads(block.code)).policies == policy


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


def test_warnings_of_the_list_are_given() -> None:
    listed = PAGE.partition("You get a `PolicyWarning`")[2]
    assert listed.count("\n* ") == 4
    origins = ["https://app.example.com"]
    for policy in (
        {"allow_origins": origins, "max_age": 7_201},
        {"allow_origins": origins, "allow_headers": ["*"]},
        {"allow_origins": [re.compile(r"example\.com")]},
        {"allow_origins": origins, "allow_headers": ["Cookie"]},
    ):
        with warnings.catch_warnings(record=True, action="always") as caught:
            Policy(**policy)  # type: ignore[arg-type]
        assert [each.category for each in caught] == [PolicyWarning], policy
