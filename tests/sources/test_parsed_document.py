from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsguard import Guard, Policy, PolicyError
from corsguard.sources.changes import SetChange, apply_changes
from corsguard.sources.parsed_document import change_sets, parse_document, read_document

A, B, C, D = (f"https://{name}.example" for name in "abcd")
ONE_POLICY = f"""
allow_origins = ["{C}", {{ set = "partners" }}]
allow_credentials = true

[origin_sets]
partners = ["{A}", "{C}"]
"""
BY_ROUTE = f"""
[routes."/api"]
allow_origins = [{{ set = "partners" }}]

[[routes."/list"]]
allow_origins = ["{D}"]

[[routes."/list"]]
allow_origins = ["{C}", {{ set = "partners" }}]
max_age = 5

[routes]
"/other" = false

[origin_sets]
partners = '''
{A}
{B}
'''
previews = []
"""


def list_origins(guard: Guard) -> list[list[str]]:
    """Return the sorted origins of each policy of a guard."""
    return [
        sorted(set(map(str, policy.allow_origins)))
        for _, policy in guard.adapter.snapshot.place_policies()
    ]


def test_document_is_parsed_with_all_checks() -> None:
    parsed = parse_document(f'{ONE_POLICY}\n[candidate]\nallow_origins = ["{D}"]\nenforce = true')

    assert parsed.guard.policies == Policy(allow_origins=[C, A, C], allow_credentials=True)
    assert parsed.candidate is not None
    assert parsed.candidate.policies == Policy(allow_origins=[D])
    assert (parsed.guard.enforce, parsed.candidate.enforce) == (False, True)


def test_document_without_candidate_has_none() -> None:
    assert parse_document(BY_ROUTE).candidate is None


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("allow_origins", ["document-invalid"]),
        ("\ud800", ["document-invalid"]),
        ("", ["no-policy"]),
        ('source = "x"', ["source-in-document"]),
        (f'allow_origins = ["{A}"]\nshadow = true', ["unknown-field"]),
        (f'allow_origins = ["{A}/"]\nmax_age = -1', ["origin-invalid", "max-age-out-of-range"]),
        ('enforce = true\nallow_origins = ["*"]', ["enforce-with-wildcard"]),
        (
            f'allow_origins = ["{A}"]\n[candidate]\nenforce = true\nallow_origins = ["*"]',
            ["enforce-with-wildcard"],
        ),
        (f'allow_origins = ["{A}"]\ncandidate = 5', ["type-invalid"]),
        (f'allow_origins = ["{A}"]\n[candidate]\nsource = "x"', ["unknown-field"]),
    ],
)
def test_document_with_problems_is_refused(text: str, codes: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_document(text)

    assert [each.code for each in caught.value.problems] == codes


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (ONE_POLICY, {"partners": SetChange(add=(B,))}),
        (ONE_POLICY, {"partners": SetChange(remove=(A,))}),
        (ONE_POLICY, {"partners": SetChange(remove=(C,))}),  # which is listed beside the set
        (ONE_POLICY, {"partners": SetChange(add=(A,), remove=(A,))}),
        (BY_ROUTE, {"partners": SetChange(add=("https://e.example",), remove=(A,))}),
        (BY_ROUTE, {"previews": SetChange(add=(D,))}),
        (BY_ROUTE, {"partners": SetChange(add=(C,)), "previews": SetChange(add=(A,))}),
    ],
)
def test_changed_settings_are_those_of_the_changed_text(
    text: str, changes: Mapping[str, SetChange]
) -> None:
    changed = change_sets(read_document(text).settings, changes)

    assert changed is not None
    guard = Guard(changed.policies)
    assert list_origins(guard) == list_origins(parse_document(apply_changes(text, changes)).guard)


def build_set(*names: str, begin: str = 'allow_origins = [{ set = "x" }]') -> str:
    """Return a document of a set of very many origins, and of those with some names."""
    lines = "\n".join(f"https://{name}.example" for name in (*map(str, range(100)), *names))
    return f"{begin}\n[origin_sets]\nx = '''\n{lines}\n'''\n"


@pytest.mark.parametrize(
    "text",
    [
        build_set("a"),
        build_set("a", "b", "d"),
        build_set(),
        build_set(*(f"new{number}" for number in range(90))),
        build_set("a", "b.example/"),
        build_set("a", begin=f'allow_origins = ["{D}", {{ set = "x" }}]'),
        build_set("a", begin='max_age = 5\nallow_origins = [{ set = "x" }]'),
        f"{build_set('a')}y = []\n",
        'allow_origins = [{ set = "x" }]\n[origin_sets]\nx = 5',
        'allow_origins = [{ set = "x" }]\n[origin_sets]\nx = [5]',
        'origin_sets = 5\nallow_origins = [{ set = "x" }]',
    ],
)
def test_document_after_another_is_what_it_is_alone(text: str) -> None:
    previous = read_document(build_set("a", "c"))

    after, alone = read_document(text, previous), read_document(text)

    assert after.settings.problems == alone.settings.problems
    assert after[1:] == alone[1:]
    if not alone.settings.problems:
        guards = Guard(after.settings.policies), Guard(alone.settings.policies)
        assert list_origins(guards[0]) == list_origins(guards[1])


def test_set_of_a_document_is_not_validated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    previous = read_document(build_set("a", "c"))
    added: list[object] = []
    replace = Policy.replace_origins

    def note(policy: Policy, **changed: Any) -> Any:
        added.append(changed)
        return replace(policy, **changed)

    monkeypatch.setattr(Policy, "replace_origins", note)
    read_document(build_set("a", "d"), previous)

    assert added == [{"add": (D,), "remove": [C]}]


NAMES = st.sets(st.sampled_from([A, B, C, D]))


@given(there=NAMES, beside=NAMES, steps=st.lists(st.tuples(NAMES, NAMES), max_size=4))
def test_changes_in_a_row_are_those_of_the_changed_text(
    there: set[str], beside: set[str], steps: list[tuple[set[str], set[str]]]
) -> None:
    always = [*sorted(beside), "https://z.example"]
    listed = ", ".join(f'"{each}"' for each in always)
    lines = "\n".join(sorted(there))
    text = (
        f'allow_origins = [{listed}, {{ set = "x" }}]\n[origin_sets]\nx = """\n{lines}\n"""\n'
    ).replace('"""', "'''")
    settings = read_document(text).settings
    for add, remove in steps:
        there = (there - remove) | add
        step = {"x": SetChange(tuple(sorted(add)), tuple(sorted(remove)))}
        changed = change_sets(settings, step)
        if changed is None:  # an origin to remove is not there
            return
        settings = changed

    assert list_origins(Guard(settings.policies)) == [sorted({*always, *there})]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        (ONE_POLICY, SetChange(remove=(D,))),  # not there
        (ONE_POLICY, SetChange(add=("d.example",))),  # not valid
        (f"{ONE_POLICY}[candidate]\nallow_origins = ['{D}']", SetChange(add=(D,))),
        (
            f"allow_origins = [{{ set = 'partners' }}, {{ set = 'others' }}]\n"
            f"[origin_sets]\npartners = ['{A}']\nothers = ['{A}']",
            SetChange(remove=(A,)),
        ),
    ],
)
def test_changes_that_need_the_whole_document(text: str, change: SetChange) -> None:
    assert change_sets(read_document(text).settings, {"partners": change}) is None
