"""Showing what came from outside without letting it forge a line or fill a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["MAX_SHOWN", "as_text", "escape_text", "list_values", "quote", "show_value"]

MAX_SHOWN = 120
"""The characters of a text from outside that a line of the log shows, unless it is told others."""


def escape_text(text: str, longest: int = MAX_SHOWN) -> str:
    """Text as printable ASCII: `longest` characters of it, and three dots where it has more.

    Control characters, line ends and everything outside ASCII become backslash escapes.
    """
    ascii_text = text[:longest].encode("unicode_escape").decode("ascii")
    return ascii_text + "..." if len(text) > longest else ascii_text


def show_value(value: object, write: Callable[[object], str] = repr) -> str:
    """A value of a configuration as Python writes it, or its type where Python can't.

    That is so for an int of over 4,300 digits and for a list that nests too deep.
    """
    try:
        return write(value)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__}>"


def as_text(value: object) -> str:
    """A value of a configuration as the text that it stands for."""
    return value.decode("latin-1") if isinstance(value, bytes) else show_value(value, str)


def quote(text: str) -> str:
    """A str as both Python and TOML read it."""
    from json import dumps  # start-up only

    return dumps(text, ensure_ascii=False)


def list_values(values: Iterable[object]) -> str:
    """Return the values as a list that both Python and TOML read, where they are texts."""
    texts = (
        quote(as_text(value)) if isinstance(value, (str, bytes)) else show_value(value)
        for value in values
    )
    return f"[{', '.join(texts)}]"
