"""The values that problems suggest, each tried before it is shown. Start-up only.

A suggestion is a value where one starts and covers nothing that the given one can't have meant;
else it says in words what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from corsguard.errors import ALLOW_NOTHING
from corsguard.escaping import as_text, list_values, quote
from corsguard.fetch_spec import is_token
from corsguard.origin import Origin, OriginPattern, is_insecure
from corsguard.policy.origin_fixes import fix_origin, fix_prefix, mended_origins, mended_regex
from corsguard.policy.regex_suggestions import (
    compiled,
    glob_expression,
    is_under_suffix,
    is_within,
    matches_origins,
    narrowed,
    read_from_its_end,
    with_scheme,
    without_path,
    written,
)
from corsguard.policy.safety import is_open_to_anyone

if TYPE_CHECKING:
    from corsguard.policy.validation import AcceptanceTest

__all__ = [
    "instead_of_entry",
    "instead_of_origin",
    "instead_of_star",
    "listed_instead",
    "names_in",
    "pattern_instead",
    "within_reach",
]

_ORIGINS = ("allow_origins", "own_origins")
_EXAMPLES = {
    "allow_origins": "an origin such as https://app.example.com or https://*.example.com",
    "own_origins": "an origin such as https://api.example.com",
    "enforce_exempt": "a prefix such as /api",
}
_FLAG = "dangerously_allow_public_suffixes"
_WORDS = {
    **dict.fromkeys(("none", "nothing"), f"remove it; {ALLOW_NOTHING}"),
    **dict.fromkeys(
        ("self", "same-origin", "same-site"), "remove it: a service allows its own pages anyway"
    ),
    **dict.fromkeys(
        ("all", "any", "anyone", "anything", "everyone", "everything", "anywhere", "everywhere"),
        "`*` alone, where pages of every origin may read what everyone can",
    ),
    **dict.fromkeys(
        ("true", "false", "yes", "no", "on", "off", "default", "undefined"),
        _EXAMPLES["allow_origins"],
    ),
}
"""Words that name no host -> what to write in their place."""
_EVERY_ADDRESS = ("0.0.0.0", "[::]")  # noqa: S104  # nothing binds it
"""Hosts by which a server listens on every address; pages are opened under another."""


def instead_of_origin(field: str, text: str, is_accepted: AcceptanceTest) -> str:
    """Return what to write for text in a list of origins: one, several, an expression or words."""
    values = _origins_meant(field, text, is_accepted)
    if values:
        texts = [_shown(value) for value in values]
        return ", ".join(map(quote, texts)) if len(texts) > 1 else texts[0]
    if field != "allow_origins":
        return _EXAMPLES[field]
    word = _WORDS.get(_word(text))
    if word and not (word.startswith("`*`") and not is_accepted(field, ["*"])):
        return word
    return _with_a_flag(text, is_accepted) or _EXAMPLES[field]


def _word(text: str) -> str:
    return text.strip(" '\"\t\r\n").lower()


def _with_a_flag(text: str, is_accepted: AcceptanceTest) -> str | None:
    """Return in words what text was meant to be where the flag lets it start, or None."""
    for value in _candidates(text):
        is_known = isinstance(value, str) or is_under_suffix(value.pattern)
        if is_known and is_accepted("allow_origins", [value], _FLAG):
            condition = "if every name under that suffix is yours"
            return f"list each origin; or {_FLAG}, {condition}, and {_shown(value)}"
    return None


def pattern_instead(expression: re.Pattern[str], is_accepted: AcceptanceTest) -> str | None:
    """Return the pattern that says what a regular expression was meant to say, if one does."""
    pattern = mended_regex(expression.pattern)
    if not pattern or is_open_to_anyone(pattern) or not is_within(pattern, expression):
        return None
    return pattern if is_accepted("allow_origins", [pattern]) else None


def instead_of_entry(field: str, entry: object, is_accepted: AcceptanceTest) -> str:
    """Return what to write for an entry of another type than str: the strings in it, or words."""
    is_list = isinstance(entry, (list, tuple)) and not isinstance(entry, (Origin, OriginPattern))
    entries = cast(Iterable[object], entry) if is_list else [entry]
    texts = [_entry_meant(field, each, is_accepted) for each in entries]
    if None in texts or not texts:
        return _EXAMPLES.get(field, "remove it")
    return ", ".join(map(repr, texts))


def instead_of_star(field: str, entries: Iterable[object], is_accepted: AcceptanceTest) -> str:
    """Return the lists to choose from where `*` has others beside it."""
    others = [entry for entry in entries if entry != "*"][:8]  # enough to see what is meant
    meant = _all_meant(field, others, is_accepted)
    stars: list[object] = ["*"]
    if field == "allow_headers":  # it is the one name that `*` does not cover
        stars += [name for name in meant if str(name).lower() == "authorization"][:1]
    choices = (stars, meant)
    lists = [list_values(choice) for choice in choices if choice and is_accepted(field, choice)]
    return " or ".join(lists) or "remove `*`, and list what pages need"


def listed_instead(
    field: str, entries: Sequence[object], is_accepted: AcceptanceTest, example: str
) -> str:
    """Return the list to write for what was given without one."""
    meant = _all_meant(field, entries, is_accepted)
    return list_values(meant) if meant and is_accepted(field, meant) else example


def _all_meant(field: str, entries: Iterable[object], is_accepted: AcceptanceTest) -> list[object]:
    """Return the entries that start, and in place of the others what they were meant to be."""
    meant: list[object] = []
    for entry in entries:
        text = as_text(entry) if isinstance(entry, bytes) else entry
        if not isinstance(text, str):
            meant.append(text)
        elif field in _ORIGINS:
            meant += (
                [text] if is_accepted(field, [text]) else _origins_meant(field, text, is_accepted)
            )
        elif field == "enforce_exempt":
            meant.append(fix_prefix(text))
        else:
            meant += _names_meant(field, text, is_accepted)
    return meant


def _names_meant(field: str, text: str, is_accepted: AcceptanceTest) -> list[str]:
    if is_accepted(field, [text]):
        return [text]
    return [name for name in names_in(field, text) if name != "*" and is_accepted(field, [name])]


def names_in(field: str, text: str) -> list[str]:
    """Return the names that stand in text together, of methods or of headers."""
    if field == "allow_methods":
        names = re.split(r"[\s,;]+", text.upper())
    else:
        names = [part.strip(" :").replace(" ", "-") for part in text.split(",")]
    return [name for name in names if is_token(name)]


def _entry_meant(field: str, entry: object, is_accepted: AcceptanceTest) -> str | None:
    text = as_text(entry)
    if field in _ORIGINS:
        values = _origins_meant(field, text, is_accepted) if "://" in text else []
        return values[0] if len(values) == 1 and isinstance(values[0], str) else None
    if field == "enforce_exempt":
        return fix_prefix(text) if text.startswith("/") else None
    if entry is None:
        return None  # its own name is a token, and not one that was meant
    return text if is_token(text) and is_accepted(field, [text]) else None


def _origins_meant(
    field: str, text: str, is_accepted: AcceptanceTest
) -> list[str | re.Pattern[str]]:
    """Return the origins that text was meant to be, or none where that can't be known."""
    several = mended_origins(text)
    if several:
        sound = is_accepted(field, several) and not any(
            _is_too_open(each, text) for each in several
        )
        return [*several] if sound else []
    return [value for value in _candidates(text) if is_accepted(field, [value])][:1]


def _candidates(text: str) -> Iterator[str | re.Pattern[str]]:
    """Yield what text may have been meant to be, the likeliest first."""
    bare = text.strip()
    if bare.lower() == "null":
        yield "null"
    if bare.lower() == "null" or _word(bare) in _WORDS:
        return
    origin = fix_origin(text) or fix_origin(bare.removeprefix("^").removesuffix("$"))
    if origin and not _is_too_open(origin, text):
        yield from _reachable(origin, has_scheme="://" in text)
    glob = glob_expression(bare if "://" in bare else f"https://{bare}")
    if glob:
        yield re.compile(glob)
    for value in _of_expression(read_from_its_end(without_path(bare))):
        if not (isinstance(value, str) and _is_too_open(value, text)):
            yield value


def _is_too_open(origin: str, text: str) -> bool:
    """Return True for a pattern on a public suffix where text has no `*`: `.com` is a slip."""
    return "*" not in text and is_open_to_anyone(origin)


def _reachable(origin: str, *, has_scheme: bool) -> Iterator[str]:
    """Yield origin, and what it is where nobody can pose as it."""
    pattern = OriginPattern.parse(origin)
    safe = str(within_reach(pattern) if is_insecure(pattern) else pattern)
    yield from (
        (origin, safe) if has_scheme or pattern.host not in _EVERY_ADDRESS else (safe, origin)
    )


def within_reach(pattern: OriginPattern) -> OriginPattern:
    """Return what a pattern of plain http was meant to be where nobody can pose as it."""
    if pattern.host in _EVERY_ADDRESS:
        return pattern._replace(host="localhost")
    port = "" if pattern.port == "443" else pattern.port
    return pattern._replace(scheme="https", port=port)


def _of_expression(text: str) -> Iterator[str | re.Pattern[str]]:
    """Yield what a regular expression in a str was meant to be: a pattern only if it covers no
    more than that; the expression itself; or the part of it whose dots are dots."""
    given, whole = compiled(text), compiled(with_scheme(text))
    if given is None or whole is None:
        return
    pattern = mended_regex(whole.pattern)
    if pattern and is_within(pattern, whole):
        yield pattern
    part = compiled(narrowed(text) or "")
    yield from (each for each in (given, part) if each and matches_origins(each))


def _shown(value: str | re.Pattern[str]) -> str:
    return value if isinstance(value, str) else written(value.pattern)
