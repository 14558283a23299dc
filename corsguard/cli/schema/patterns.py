"""Regular expressions of the texts in a configuration file.

They are a common part of the dialects of ECMA 262, which JSON Schema names, of Python and of Rust,
in which the language server of TOML is written. Each accepts every text that its validator
accepts, and as few others as an expression can that an editor may show to a reader.
"""

from __future__ import annotations

from collections.abc import Iterable

from corsguard.fetch_spec import TOKEN_CHARACTERS
from corsguard.guard.routes import NOT_LITERAL

__all__ = ["ORIGIN", "OWN_ORIGIN", "PREFIX", "TOKEN", "match_any_case"]


def _build_class(characters: Iterable[str], *, negated: bool = False) -> str:
    escaped = (f"\\{each}" if each in "\\]^-/[" else each for each in sorted(characters))
    return f"[{'^' if negated else ''}{''.join(escaped)}]"


_HOSTS = (
    r"https?://[a-z0-9{star}._-]+"
    r"|(?!https?:)[a-z][a-z0-9+.-]*://[A-Za-z0-9{star}._-]+"
    r"|[a-z][a-z0-9+.-]*://\[[0-9a-f:]+\]"
)
"""Scheme and host. Only those of http and https are in lower case always."""
_PORT = "[1-9][0-9]{0,4}"

ORIGIN = rf"^(?:\*|null|file://|(?:{_HOSTS.format(star='*')})(?::(?:{_PORT}|\*))?)$"
"""An origin, a pattern of origins, or `*`."""
OWN_ORIGIN = rf"^(?:{_HOSTS.format(star='')})(?::{_PORT})?$"
"""One origin that is not opaque."""
PREFIX = f"^/{_build_class(NOT_LITERAL, negated=True)}*$"
"""A path prefix without wildcards and placeholders."""
TOKEN = f"^{_build_class(TOKEN_CHARACTERS)}+$"
"""A method, or the name of a header (RFC 9110, 5.6.2)."""


def match_any_case(names: Iterable[str], tail: str = "") -> str:
    """Return the expression of names in any case, each with `tail` behind it.

    JSON Schema has no flags for its regular expressions.
    """
    return f"^(?:{'|'.join(map(_match_any_case, sorted(names)))}){tail}$"


def _match_any_case(name: str) -> str:
    return "".join(f"[{each.upper()}{each.lower()}]" if each.isalpha() else each for each in name)
