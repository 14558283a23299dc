"""The candidate in the text of a document."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corsguard.cli.fleet.candidate_text import (
    EditError,
    add_candidate,
    discard_candidate,
    promote_candidate,
)

POLICY = """\
# The title

# The policy
allow_origins = ["https://a.example"]  # A

# Customers
[origin_sets]
partners = ["https://p.example"]

"""
CANDIDATE = """\
# On trial
max_age = 60

# The API
[routes."/api"]  # api
# Origins
allow_origins = [
    "https://b.example",
]
[[routes."/x"]]
allow_origins = ["*"]
"""
BOTH = """\
# The title

# The policy
allow_origins = ["https://a.example"]  # A

# Customers
[origin_sets]
partners = ["https://p.example"]

[candidate]
# On trial
max_age = 60

# The API
[candidate.routes."/api"]  # api
# Origins
allow_origins = [
    "https://b.example",
]

[[candidate.routes."/x"]]
allow_origins = ["*"]
"""


def test_candidate_is_added_as_tables() -> None:
    assert add_candidate(POLICY, CANDIDATE) == BOTH
    assert add_candidate(BOTH, CANDIDATE) == BOTH


def test_candidate_is_discarded_with_its_comments() -> None:
    assert discard_candidate(BOTH) == POLICY.rstrip("\n") + "\n"


def test_promoted_candidate_leaves_title_and_sets() -> None:
    assert promote_candidate(BOTH) == (
        """\
# The title

# On trial
max_age = 60

# Customers
[origin_sets]
partners = ["https://p.example"]

# The API
[routes."/api"]  # api
# Origins
allow_origins = [
    "https://b.example",
]

[[routes."/x"]]
allow_origins = ["*"]
"""
    )


def test_candidate_without_a_header_of_its_own_is_promoted() -> None:
    text = 'max_age = 1\n[candidate.routes."/"]\nallow_origins = ["*"]\n'

    assert promote_candidate(text) == '[routes."/"]\nallow_origins = ["*"]\n'


def test_comment_above_a_header_goes_with_it() -> None:
    text = 'x = """\n# text\n"""\n# for the candidate\n[candidate]\nmax_age = 1\n'

    assert discard_candidate(text) == 'x = """\n# text\n"""\n'
    assert promote_candidate(text) == "# for the candidate\nmax_age = 1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POLICY, "the document has no candidate"),
        ("candidate = { max_age = 1 }", "write it as a table, [candidate]"),
        ("candidate.max_age = 1", "write it as a table, [candidate]"),
        ("[[candidate]]\nmax_age = 1", "write it as a table, [candidate]"),
        ("x = nan\n[candidate]\nx = nan", "can't be moved: write each as [table]"),
        ("origin_sets.x = []\n[candidate]\nmax_age = 1", "write it as a table, [origin_sets]"),
    ],
)
def test_document_that_can_not_be_edited_is_refused(text: str, message: str) -> None:
    for edit in (promote_candidate, discard_candidate):
        with pytest.raises(EditError) as refused:
            edit(text)
        assert str(refused.value).endswith(message)


def test_dotted_keys_of_a_candidate_are_promoted() -> None:
    text = "[candidate]\nroutes.'/'.max_age = 1\n[candidate.routes.'/x']\nmax_age = 1\n"

    assert tomllib.loads(promote_candidate(text))["routes"] == {
        "/": {"max_age": 1},
        "/x": {"max_age": 1},
    }


def test_set_that_is_new_is_added() -> None:
    lacking = (
        '[origin_sets]\nnew = [\n    "https://n.example",\n]\npartners = ["https://p.example"]\n'
    )
    added = add_candidate(POLICY, f"max_age = 60\n{lacking}")

    assert added.endswith(
        """
[origin_sets]
partners = ["https://p.example"]
new = [
    "https://n.example",
]

[candidate]
max_age = 60
"""
    )


def test_sets_of_a_document_without_any_are_added() -> None:
    added = add_candidate("max_age = 1\n", "max_age = 60\n[origin_sets]\nnew = []\n")

    assert added == "max_age = 1\n\n[origin_sets]\nnew = []\n\n[candidate]\nmax_age = 60\n"


def test_empty_table_of_sets_gets_those_of_the_candidate() -> None:
    added = add_candidate("[origin_sets]  # none\n", "[origin_sets]\nnew = []\n")

    assert added == "[origin_sets]\nnew = []\n\n[candidate]\n"


def test_same_set_in_another_form_is_no_other_set() -> None:
    same = "max_age = 60\n[origin_sets]\npartners = '''\nhttps://p.example\n'''\n"

    assert tomllib.loads(add_candidate(POLICY, same))["origin_sets"] == {
        "partners": ["https://p.example"]
    }


@pytest.mark.parametrize(
    ("policy", "candidate", "message"),
    [
        (
            POLICY,
            "[origin_sets]\npartners = []\n",
            "the set partners has other origins than the published one, which a candidate shares:"
            " give --keep-sets, or change it with --add and --remove",
        ),
        (POLICY, "[candidate]\nmax_age = 1\n", "the candidate has a candidate itself: remove its"),
        (POLICY, "origin_sets.x = []\n", "write it as a table, [origin_sets]"),
        ("origin_sets.x = []\n", "[origin_sets]\ny = []\n", "write it as a table, [origin_sets]"),
        ("[[origin_sets]]\nx = []", "max_age = 2\n", "write it as a table, [origin_sets]"),
        ("candidate.max_age = 1\n", "max_age = 2\n", "write it as a table, [candidate]"),
    ],
)
def test_candidate_that_can_not_be_added_is_refused(
    policy: str, candidate: str, message: str
) -> None:
    with pytest.raises(EditError) as refused:
        add_candidate(policy, candidate)
    assert message in str(refused.value)


FIELDS = st.sampled_from(["max_age = 60", "enforce = true", "allow_methods = [\n'PUT', # ]\n]"])
TABLES = st.sampled_from(['[routes."/"]\nmax_age = 1', "[routes.'/a']", '[[ routes."/b" ]] # b'])
COMMENTS = st.sampled_from(["", "# comment", "\n", "# one\n# two\n", "# [candidate]\n"])


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """Draw the text of a configuration, with comments anywhere."""
    parts = [*draw(st.lists(FIELDS, unique=True)), *draw(st.lists(TABLES, unique=True))]
    return "".join(f"{draw(COMMENTS)}\n{part}\n" for part in parts) + draw(COMMENTS)


def without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


@settings(max_examples=300, deadline=None)
@given(
    policy=configurations(),
    candidate=configurations(),
    sets=st.sampled_from(["", "\n[origin_sets]\nx = ['https://x.example']\n"]),
)
def test_any_candidate_is_added_promoted_and_discarded(
    policy: str, candidate: str, sets: str
) -> None:
    added = add_candidate(policy + sets, candidate)

    means = tomllib.loads(policy + sets)
    assert tomllib.loads(added) == {**means, "candidate": tomllib.loads(candidate)}
    assert tomllib.loads(discard_candidate(added)) == means
    promoted = tomllib.loads(promote_candidate(added))
    assert without(promoted, "origin_sets") == tomllib.loads(candidate)
    assert promoted.get("origin_sets") == means.get("origin_sets")
