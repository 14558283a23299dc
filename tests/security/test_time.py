"""Time: every regex that a policy accepts answers any origin in linear time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.security.regex_steps import (
    Program,
    alternate,
    character_class,
    concatenate,
    count_steps,
    growth_factor,
    literal,
    repeat,
)

from corsguard import Engine, Policy, PolicyError
from corsguard.origin import MAX_LENGTH
from corsguard.policy.redos import MAX_WAYS

# A regular expression that matches no origin, as one with two dots in a row, starts all the same.
pytestmark = pytest.mark.filterwarnings("ignore:.*regex-matches-nothing")

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LETTER = character_class("[a-z]", LETTERS)
DASHED = character_class("[a-z-]", f"{LETTERS}-")
ANY = character_class("[a-z.-]", f"{LETTERS}-.")
DASH = literal("-")
SCHEME, DOMAIN = literal("https://"), literal(".example.com")


def some(part: Program) -> Program:
    return repeat(part, 1, None)


def of(*parts: Program) -> Program:
    return concatenate([SCHEME, *parts, DOMAIN])


def is_accepted(shown: Program) -> bool:
    """Return True if a policy with it is accepted, as far as time is concerned."""
    try:
        Policy(allow_origins=[re.compile(shown.text)])
    except PolicyError as error:
        return "regex-too-slow" not in {problem.code for problem in error.problems}
    return True


def hostile_origins(pump: str, end: str = "!", before: str = "") -> Callable[[int], str]:
    """Return origins of any length that a regex may read far into before it fails."""
    return lambda length: f"https://{before}{pump * (length // len(pump))}{end}"


PUMPS = ["a", "-", ".", "a-", "a.", "ab", "a--", ".example.com", "-example.com", "a.b-"]

LINEAR = [
    of(some(DASHED)),
    of(some(LETTER), DASH, some(LETTER)),
    of(some(LETTER), repeat(concatenate([DASH, some(LETTER)]), 0, None)),
    of(some(concatenate([some(DASHED), literal(".")]))),
    of(some(ANY)),
    of(LETTER, repeat(concatenate([repeat(DASHED, 0, 61), LETTER]), 0, 1)),
    of(some(DASHED), alternate(literal("dev"), literal("prod")), literal("--site")),
]
SLOW = [
    of(some(LETTER), some(LETTER)),
    of(some(DASHED), DASH, some(DASHED)),
    of(some(DASHED), DASH, some(DASHED), DASH, some(DASHED), DASH, some(DASHED)),
    of(some(some(LETTER))),
    of(some(alternate(LETTER, literal("ab")))),
    of(some(concatenate([some(LETTER), repeat(DASH, 0, 1)]))),
    of(repeat(LETTER, 1, 200), repeat(LETTER, 1, 200)),
]


@pytest.mark.parametrize("shown", LINEAR, ids=lambda shown: shown.text)
def test_accepted_regex_takes_linear_time_on_hostile_origins(shown: Program) -> None:
    assert is_accepted(shown)
    for pump in PUMPS:
        assert growth_factor(shown, hostile_origins(pump), 10 * len(pump)) < 3


@pytest.mark.parametrize("shown", SLOW, ids=lambda shown: shown.text)
def test_slow_regex_is_rejected(shown: Program) -> None:
    assert not is_accepted(shown)
    # An exponential one soon reaches the limit, where its time can't be measured any more.
    assert (
        max(
            growth_factor(shown, hostile_origins(pump), size, 200_000)
            for pump in PUMPS
            for size in (4, 40)
        )
        > 3
    )


LEAVES = st.sampled_from([LETTER, DASHED, ANY, DASH, literal("."), literal("a"), literal("ab")])


def grown(inner: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
    bounds = st.sampled_from([(0, 1), (0, None), (1, None), (1, 3), (2, None), (2, 2)])
    consuming = inner.filter(lambda part: not part.reads_nothing)
    return st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(concatenate),
        st.builds(alternate, inner, inner),
        st.builds(lambda part, bound: repeat(part, *bound), consuming, bounds),
    )


WORDS = st.text("ab-.", min_size=1, max_size=4)


@settings(derandomize=True, max_examples=500)
@given(st.recursive(LEAVES, grown, max_leaves=8), st.text("ab-.", max_size=3), WORDS, WORDS)
@pytest.mark.slow
def test_random_accepted_regex_takes_linear_time(
    part: Program, before: str, pump: str, other: str
) -> None:
    shown = of(part)
    if not is_accepted(shown):
        return
    for text in (hostile_origins(pump, "!", before), hostile_origins(pump, f"{other}!", before)):
        longest = text(MAX_LENGTH)
        most = (MAX_WAYS + 8) * len(shown.code) * (len(longest) + 1)
        assert count_steps(shown, longest, most) <= most
        size = 24 * len(pump)
        # What a drawn regex does at the ends of a text weighs more the shorter the text is.
        assert growth_factor(shown, text, size) < 3.5


@pytest.mark.parametrize("shown", LINEAR, ids=lambda shown: shown.text)
def test_re_rejects_the_longest_hostile_origin_in_time(shown: Program) -> None:
    engine = Engine(Policy(allow_origins=[re.compile(shown.text)]))
    for pump in PUMPS:
        origin = hostile_origins(pump, "")(MAX_LENGTH)[: MAX_LENGTH - 1].rstrip("-.") + "x"
        assert not engine.decide(origin, "GET", {}).allowed
