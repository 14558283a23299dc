"""The indexed allow-list: what it holds, and what it shares when entries change."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corsguard import OriginEntry
from corsguard.origin import Origin, OriginError
from corsguard.policy import allow_list as module
from corsguard.policy.allow_list import AllowList

TENANTS = [f"https://tenant-{number}.example.com" for number in range(2_000)]
TEXTS = [
    "https://a.example",
    "https://a.example:8443",
    "https://b.example",
    "https://xn--mnchen-3ya.example",
    "http://localhost:3000",
    "http://localhost:*",
    "http://[::1]",
    "http://[::1]:5000",
    "https://*.example",
    "https://*.example:8443",
    "https://*.b.example:*",
    "https://pr-*.b.example",
    "https://*-1.b.example:*",
    "app://.",
    "null",
]


class Answer:
    """A callable that can't be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, origin: str) -> bool:
        return origin == "https://asked.example"


ENTRIES: list[OriginEntry] = [*TEXTS, re.compile(r"https://r\.example"), Answer()]


def _replace(
    old: list[OriginEntry], new: list[OriginEntry], gone: list[OriginEntry]
) -> list[OriginEntry]:
    """Return what a list of the entries is after the change."""
    kept = [each for each in old if each not in gone]
    return [*kept, *(each for each in new if each not in kept)]


@settings(derandomize=True)
@given(
    padding=st.sampled_from([[], TENANTS]),
    start=st.lists(st.sampled_from(ENTRIES), unique_by=repr),
    changes=st.lists(
        st.tuples(
            st.lists(st.sampled_from(ENTRIES), max_size=3, unique_by=repr),
            st.lists(st.sampled_from([*ENTRIES, *TENANTS[:3]]), max_size=3, unique_by=repr),
        ),
        max_size=4,
    ),
)
def test_changed_list_is_the_list_of_the_changed_entries(
    padding: list[OriginEntry],
    start: list[OriginEntry],
    changes: list[tuple[list[OriginEntry], list[OriginEntry]]],
) -> None:
    expected: list[OriginEntry] = [*padding, *start]
    changed = AllowList([*padding, *start])
    for new, gone in changes:
        expected = _replace(expected, new, gone)
        changed = changed.replace(AllowList(new), gone)
    again = AllowList(expected)
    assert changed.entries == tuple(expected)
    assert changed.special == again.special
    assert changed.exact_count == again.exact_count
    assert bool(changed) is bool(expected)
    for entry in [*ENTRIES, *TENANTS[:4], "*", 7]:
        assert (entry in changed) is (entry in expected), entry
    for text in TEXTS:
        try:
            origin = Origin.parse(text.removesuffix(":*").replace("*", "deep"))
        except OriginError:
            continue
        assert changed.has_exact(str(origin)) is (str(origin) in expected)
        assert changed.has_pattern(origin) is again.has_pattern(origin)
        host = (origin.scheme, origin.host)
        assert changed.find_entries([host]) == again.find_entries([host])


def test_earlier_list_stays_as_it_was() -> None:
    old = AllowList(TENANTS)
    new = old.replace(AllowList(["https://new.example"]), TENANTS[:1])
    assert old.entries == tuple(TENANTS)
    assert old.has_exact(TENANTS[0])
    assert not old.has_exact("https://new.example")
    assert new.entries == (*TENANTS[1:], "https://new.example")


def test_changed_long_list_shares_the_sets_that_stay() -> None:
    old = AllowList(TENANTS)
    new = old.replace(AllowList(["https://new.example"]), TENANTS[:1])
    assert sum(a is not b for a, b in zip(old.parts, new.parts, strict=True)) <= 2


def test_removed_origin_can_come_back() -> None:
    old = AllowList(TENANTS)
    without = old.replace(AllowList([]), TENANTS[:1])
    again = without.replace(AllowList(TENANTS[:1]), [])
    assert again.entries == (*TENANTS[1:], TENANTS[0])
    assert again.has_exact(TENANTS[0])


def test_short_list_grows_to_a_long_one() -> None:
    grown = AllowList(TENANTS[:1]).replace(AllowList(TENANTS), [])
    assert len(grown.parts) == len(AllowList(TENANTS).parts)
    doubled = grown
    for start in range(0, 20_000, 5_000):
        more = [f"https://more-{number}.example" for number in range(start, start + 5_000)]
        doubled = doubled.replace(AllowList(more), [])
    assert max(map(len, doubled.parts)) < 2_000
    assert doubled.exact_count == 22_000


def test_many_changes_leave_one_tuple(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_CHANGES", 10)
    changed = AllowList(TENANTS)
    expected = list(TENANTS)
    for number in range(30):
        new = f"https://new-{number}.example"
        changed = changed.replace(AllowList([new]), [TENANTS[number]])
        expected = [*expected[1:], new]
    assert changed.entries == tuple(expected)


@pytest.mark.parametrize("size", [1, 2_000])
def test_list_is_pickled_by_its_entries(size: int) -> None:
    listed = AllowList(TENANTS[:size])
    assert pickle.loads(pickle.dumps(listed)).entries == listed.entries


def test_entries_of_a_host_are_found_by_port() -> None:
    listed = AllowList([*TEXTS, *TENANTS])
    assert listed.find_entries([("https", "a.example")])[0] == {
        "": "https://a.example",
        "8443": "https://a.example:8443",
    }
    assert list(listed.find_entries([("http", "localhost")])[0]) == ["*", "3000"]
    assert list(listed.find_entries([("http", "[::1]")])[0]) == ["", "5000"]
    assert list(listed.find_entries([("https", "*.example")])[0]) == ["", "8443"]
    assert listed.find_entries([("https", "pr-1.b.example")])[0] == {
        "": "https://pr-*.b.example",
        "*": "https://*-1.b.example:*",
    }
    assert listed.find_entries([("http", "a.example")])[0] == {}
