"""Escaping of untrusted texts, so that they can't forge a line of a log or fill it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["MAX_SHOWN", "as_text", "escape_text", "list_values", "quote", "show_value"]

MAX_SHOWN = 120
"""The default length of an untrusted text in a line of the log, in characters."""


def escape_text(text: str, longest: int = MAX_SHOWN) -> str:
    """Return text as printable ASCII, cut after `longest` characters and marked with three dots.

    Control characters, line ends and everything outside ASCII become backslash escapes.
    """
    ascii_text = text[:longest].encode("unicode_escape").decode("ascii")
    return ascii_text + "..." if len(text) > longest else ascii_text


def show_value(value: object, write: Callable[[object], str] = repr) -> str:
    """Return a value of a configuration as Python writes it, or its type where Python can't.

    Python can't write an int of over 4,300 digits, or a list that is nested too deeply.
    """
    try:
        return write(value)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__}>"


def as_text(value: object) -> str:
    """Return a value of a configuration as text: bytes decoded, anything else by `str`."""
    return value.decode("latin-1") if isinstance(value, bytes) else show_value(value, str)


def quote(text: str) -> str:
    """Return text as a string literal of both Python and TOML."""
    from json import dumps  # start-up only

    return dumps(text, ensure_ascii=False)


def list_values(values: Iterable[object]) -> str:
    """Return the values as a list in Python, and in TOML too if they are all texts."""
    texts = (
        quote(as_text(value)) if isinstance(value, (str, bytes)) else show_value(value)
        for value in values
    )
    return f"[{', '.join(texts)}]"
