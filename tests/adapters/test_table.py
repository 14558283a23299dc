"""Every row of the table, on every stack."""

from __future__ import annotations

import pytest
from support.rows.actual import CRASH_ROWS, HEADER_ROWS, MERGE_ROWS, REFUSED_ROWS
from support.rows.enforce import ENFORCE_ROWS, OWN_ROWS
from support.rows.enforce import PATH_ROWS as ENFORCE_PATH_ROWS
from support.rows.paths import PATH_ROWS
from support.rows.policy_lists import LIST_ROWS
from support.rows.preflight import ANSWER_ROWS, METHOD_ROWS, NAME_ROWS, WILDCARD_ROWS
from support.stacks.all import STACKS
from support.table import Row, Stack, check

ROWS = [
    *HEADER_ROWS,
    *REFUSED_ROWS,
    *MERGE_ROWS,
    *ANSWER_ROWS,
    *METHOD_ROWS,
    *NAME_ROWS,
    *WILDCARD_ROWS,
    *OWN_ROWS,
    *ENFORCE_ROWS,
    *ENFORCE_PATH_ROWS,
    *PATH_ROWS,
    *LIST_ROWS,
]


def name_of(stack: Stack) -> str:
    return stack.name


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("stack", STACKS, ids=name_of)
def test_stack_answers_as_the_row_says(stack: Stack, row: Row) -> None:
    check(row, stack)


@pytest.mark.parametrize("row", CRASH_ROWS, ids=str)
@pytest.mark.parametrize("stack", [s for s in STACKS if s.catches], ids=name_of)
def test_stack_answers_a_500_as_the_row_says(stack: Stack, row: Row) -> None:
    check(row, stack)


def test_row_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
