"""Showing what came from outside without letting it forge a line or fill a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["LONGEST", "escaped", "listed", "quoted", "shown", "text_of"]

LONGEST = 120
"""The characters of a text from outside that a line of the log shows, unless it is told others."""


def escaped(text: str, longest: int = LONGEST) -> str:
    """Text as printable ASCII: `longest` characters of it, and three dots where it has more.

    Control characters, line ends and everything outside ASCII become backslash escapes.
    """
    ascii_text = text[:longest].encode("unicode_escape").decode("ascii")
    return ascii_text + "..." if len(text) > longest else ascii_text


def shown(value: object, write: Callable[[object], str] = repr) -> str:
    """A value of a configuration as Python writes it, or its type where Python can't.

    That is so for an int of over 4,300 digits and for a list that nests too deep.
    """
    try:
        return write(value)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__}>"


def text_of(value: object) -> str:
    """A value of a configuration as the text that it stands for."""
    return value.decode("latin-1") if isinstance(value, bytes) else shown(value, str)


def quoted(text: str) -> str:
    """A str as both Python and TOML read it."""
    from json import dumps  # start-up only

    return dumps(text, ensure_ascii=False)


def listed(values: Iterable[object]) -> str:
    """Return the values as a list that both Python and TOML read, where they are texts."""
    texts = (
        quoted(text_of(value)) if isinstance(value, (str, bytes)) else shown(value)
        for value in values
    )
    return f"[{', '.join(texts)}]"
