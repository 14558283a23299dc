"""Untrusted texts are cut and escaped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsguard.escaping import escape_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a.example", "https://a.example"),
        ("", ""),
        ("a\r\nWARNING forged", r"a\r\nWARNING forged"),
        ("\x1b[31m\0\t\x7f", r"\x1b[31m\x00\t\x7f"),
        ("é\u2028\u202e\U0001f600", r"\xe9\u2028\u202e\U0001f600"),
        ("\ud800", r"\ud800"),
        ("\\n", r"\\n"),
        ("x" * 120, "x" * 120),
        ("x" * 121, "x" * 120 + "..."),
        ("x" * 1_000_000, "x" * 120 + "..."),
    ],
)
def test_escape_text_returns_one_printable_line(text: str, shown: str) -> None:
    assert escape_text(text) == shown


def test_escape_text_cuts_after_the_given_length() -> None:
    assert escape_text("abcdef", 3) == "abc..."
    assert escape_text("abc", 3) == "abc"


@given(st.text())
def test_escape_text_of_any_text_is_bounded_ascii(text: str) -> None:
    shown = escape_text(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 10 * 120 + 3


@given(st.text(max_size=40), st.text(max_size=40))
def test_escape_text_of_different_texts_differs(one: str, other: str) -> None:
    assert (escape_text(one) == escape_text(other)) is (one == other)
