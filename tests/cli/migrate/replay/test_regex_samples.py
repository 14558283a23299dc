"""Samples of regular expressions, and texts on which they may hang."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corsguard.cli.migrate.replay.regex_samples import list_hostile_texts, list_samples
from corsguard.origin import Origin
from corsguard.policy.redos import is_linear

PARTS = st.sampled_from(
    [r"[a-z]+", r"(?:a|b|ccc)", r"\d+", ".*", "x?", r"\w+", "[^/]+", "(?:ab)*", "a{2,3}"]
)


@pytest.mark.parametrize(
    ("pattern", "samples"),
    [
        (r"https://(?:a|bb)\.example\.com", ["https://a.example.com", "https://bb.example.com"]),
        ("https://a.example.com", ["https://a.example.com"]),
        (r"https://.*\.example\.com", ["https://a.example.com"]),
        (
            r"https?://a\.example\.com(?::\d+)?$",
            [
                "https://a.example.com",
                "https://a.example.com:10",
                "http://a.example.com",
                "http://a.example.com:10",
            ],
        ),
        (r"chrome-extension://[a-p]{4}", ["chrome-extension://aaaa"]),
        (r"^http://192\.168\.1\.\d$", ["http://192.168.1.1"]),
        (r"^https://", ["https://a"]),
        ("nothing at all", []),
        (r"(?i)https://", []),
        (r"https://(?=b)\w+\.example\.com", []),
        (r"https://(?!b)\w\.example\.com", ["https://a.example.com"]),
        (r"https://(?=([a-z]+)*)a\.example\.com", []),
        (r"https://([a-z]+)*\.example\.com", ["https://a.example.com", "https://aa.example.com"]),
        (r"https://(?:[a-z]{300}){300}", []),
        (r"https://[a-z]{70}\.example\.com", []),
    ],
)
def test_samples_read_as_the_author_meant_them(pattern: str, samples: list[str]) -> None:
    assert list_samples(re.compile(pattern)) == samples


@given(st.lists(PARTS, min_size=1, max_size=3), st.sampled_from(["https://", "https?://", ""]))
def test_samples_are_origins_that_match(parts: list[str], start: str) -> None:
    assume(is_linear(pattern := re.compile(f"{start}{''.join(parts)}\\.example")))

    for sample in list_samples(pattern):
        assert pattern.match(sample)
        assert str(Origin.parse(sample)) == sample


def test_hostile_texts_repeat_what_the_pattern_repeats() -> None:
    texts = list_hostile_texts(re.compile(r"https://(?:ab|ab)*\.example"))

    assert f"https://a{'ba' * 24}!" in texts


def test_pattern_without_repeats_has_no_hostile_text() -> None:
    assert list_hostile_texts(re.compile(r"https://a\.example")) == []


def test_pattern_too_large_to_analyse_has_no_hostile_text() -> None:
    assert list_hostile_texts(re.compile(r"(?:[a-z]{300}){300}x*")) == []


def test_large_pattern_has_the_hostile_texts_that_are_found_soon() -> None:
    assert list_hostile_texts(re.compile(f"a*(?:{'[a-z]{20}?' * 60})*")) != []
