"""Suggested fixes of problems, each tested before it is shown. Start-up only.

A suggestion is a value where one is accepted and covers no more than the given one can have meant.
Else it is an instruction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from corsguard.errors import ALLOW_NOTHING
from corsguard.escaping import as_text, list_values, quote
from corsguard.fetch_spec import is_token
from corsguard.origin import Origin, OriginPattern, is_insecure
from corsguard.policy.origin_fixes import convert_regex, fix_origin, fix_origins, fix_prefix
from corsguard.policy.regex_suggestions import (
    add_scheme,
    compile_expression,
    convert_glob,
    expand_host_end,
    format_compile_call,
    is_under_suffix,
    is_within,
    matches_origins,
    narrow_expression,
    remove_path,
)
from corsguard.policy.safety import is_open_to_anyone

if TYPE_CHECKING:
    from corsguard.policy.problem_collector import AcceptanceTest

__all__ = [
    "extract_names",
    "secure_pattern",
    "suggest_entries",
    "suggest_list",
    "suggest_origin",
    "suggest_pattern",
    "suggest_wildcard_choice",
]

_ORIGIN_FIELDS = ("allow_origins", "own_origins")
_EXAMPLES = {
    "allow_origins": "an origin such as https://app.example.com or https://*.example.com",
    "own_origins": "an origin such as https://api.example.com",
    "enforce_exempt": "a prefix such as /api",
}
_SUFFIX_FLAG = "dangerously_allow_public_suffixes"
_WORD_ADVICE = {
    **dict.fromkeys(("none", "nothing"), f"remove it; {ALLOW_NOTHING}"),
    **dict.fromkeys(
        ("self", "same-origin", "same-site"), "remove it: same-origin requests are always allowed"
    ),
    **dict.fromkeys(
        ("all", "any", "anyone", "anything", "everyone", "everything", "anywhere", "everywhere"),
        "`*` alone, if any site may read the responses",
    ),
    **dict.fromkeys(
        ("true", "false", "yes", "no", "on", "off", "default", "undefined"),
        _EXAMPLES["allow_origins"],
    ),
}
"""Word that is not a host -> suggestion."""
_UNSPECIFIED_HOSTS = ("0.0.0.0", "[::]")  # noqa: S104  # nothing binds it
"""Hosts on which a server listens on every address. Pages are opened under another host."""


def suggest_origin(field: str, text: str, is_accepted: AcceptanceTest) -> str:
    """Return the suggestion for text in a list of origins.

    It is one origin, several, a regular expression or an instruction.
    """
    values = _fix_origin_entry(field, text, is_accepted)
    if values:
        texts = [_format_value(value) for value in values]
        return ", ".join(map(quote, texts)) if len(texts) > 1 else texts[0]
    if field != "allow_origins":
        return _EXAMPLES[field]
    word = _WORD_ADVICE.get(_normalise_word(text))
    if word and not (word.startswith("`*`") and not is_accepted(field, ["*"])):
        return word
    return _suggest_with_flag(text, is_accepted) or _EXAMPLES[field]


def _normalise_word(text: str) -> str:
    return text.strip(" '\"\t\r\n").lower()


def _suggest_with_flag(text: str, is_accepted: AcceptanceTest) -> str | None:
    """Return the suggestion to set the flag for public suffixes, or None where it does not help."""
    for value in _yield_candidates(text):
        is_known = isinstance(value, str) or is_under_suffix(value.pattern)
        if is_known and is_accepted("allow_origins", [value], _SUFFIX_FLAG):
            condition = "if every name under that suffix is yours"
            return f"list each origin; or {_SUFFIX_FLAG}, {condition}, and {_format_value(value)}"
    return None


def suggest_pattern(expression: re.Pattern[str], is_accepted: AcceptanceTest) -> str | None:
    """Return the origin pattern that a regular expression was meant to be, or None."""
    pattern = convert_regex(expression.pattern)
    if not pattern or is_open_to_anyone(pattern) or not is_within(pattern, expression):
        return None
    return pattern if is_accepted("allow_origins", [pattern]) else None


def suggest_entries(field: str, entry: object, is_accepted: AcceptanceTest) -> str:
    """Return the suggestion for an entry that is not a str: the texts in it, or words."""
    is_list = isinstance(entry, (list, tuple)) and not isinstance(entry, (Origin, OriginPattern))
    entries = cast(Iterable[object], entry) if is_list else [entry]
    texts = [_fix_entry(field, each, is_accepted) for each in entries]
    if None in texts or not texts:
        return _EXAMPLES.get(field, "remove it")
    return ", ".join(map(repr, texts))


def suggest_wildcard_choice(
    field: str, entries: Iterable[object], is_accepted: AcceptanceTest
) -> str:
    """Return the lists to choose from where a list has `*` and other entries."""
    others = [entry for entry in entries if entry != "*"][:8]  # enough for an example
    meant = _fix_entries(field, others, is_accepted)
    stars: list[object] = ["*"]
    if field == "allow_headers":  # `*` does not cover this name
        stars += [name for name in meant if str(name).lower() == "authorization"][:1]
    choices = (stars, meant)
    lists = [list_values(choice) for choice in choices if choice and is_accepted(field, choice)]
    return " or ".join(lists) or "remove `*`, and list what pages need"


def suggest_list(
    field: str, entries: Sequence[object], is_accepted: AcceptanceTest, example: str
) -> str:
    """Return the list to write for entries that were given without one, or example."""
    meant = _fix_entries(field, entries, is_accepted)
    return list_values(meant) if meant and is_accepted(field, meant) else example


def _fix_entries(
    field: str, entries: Iterable[object], is_accepted: AcceptanceTest
) -> list[object]:
    """Return the entries that are accepted, and the fixed values of the others."""
    meant: list[object] = []
    for entry in entries:
        text = as_text(entry) if isinstance(entry, bytes) else entry
        if not isinstance(text, str):
            meant.append(text)
        elif field in _ORIGIN_FIELDS:
            meant += (
                [text]
                if is_accepted(field, [text])
                else _fix_origin_entry(field, text, is_accepted)
            )
        elif field == "enforce_exempt":
            meant.append(fix_prefix(text))
        else:
            meant += _fix_names(field, text, is_accepted)
    return meant


def _fix_names(field: str, text: str, is_accepted: AcceptanceTest) -> list[str]:
    if is_accepted(field, [text]):
        return [text]
    return [
        name for name in extract_names(field, text) if name != "*" and is_accepted(field, [name])
    ]


def extract_names(field: str, text: str) -> list[str]:
    """Return the names of methods or headers in one text."""
    if field == "allow_methods":
        names = re.split(r"[\s,;]+", text.upper())
    else:
        names = [part.strip(" :").replace(" ", "-") for part in text.split(",")]
    return [name for name in names if is_token(name)]


def _fix_entry(field: str, entry: object, is_accepted: AcceptanceTest) -> str | None:
    text = as_text(entry)
    if field in _ORIGIN_FIELDS:
        values = _fix_origin_entry(field, text, is_accepted) if "://" in text else []
        return values[0] if len(values) == 1 and isinstance(values[0], str) else None
    if field == "enforce_exempt":
        return fix_prefix(text) if text.startswith("/") else None
    if entry is None:
        return None  # "None" is a token, but it was not meant
    return text if is_token(text) and is_accepted(field, [text]) else None


def _fix_origin_entry(
    field: str, text: str, is_accepted: AcceptanceTest
) -> list[str | re.Pattern[str]]:
    """Return the origins that text was meant to be, empty where that can't be known."""
    several = fix_origins(text)
    if several:
        sound = is_accepted(field, several) and not any(
            _is_too_open(each, text) for each in several
        )
        return [*several] if sound else []
    return [value for value in _yield_candidates(text) if is_accepted(field, [value])][:1]


def _yield_candidates(text: str) -> Iterator[str | re.Pattern[str]]:
    """Yield the values that text may have been meant to be, the likeliest first."""
    bare = text.strip()
    if bare.lower() == "null":
        yield "null"
    if bare.lower() == "null" or _normalise_word(bare) in _WORD_ADVICE:
        return
    origin = fix_origin(text) or fix_origin(bare.removeprefix("^").removesuffix("$"))
    if origin and not _is_too_open(origin, text):
        yield from _yield_secure_forms(origin, has_scheme="://" in text)
    glob = convert_glob(bare if "://" in bare else f"https://{bare}")
    if glob:
        yield re.compile(glob)
    for value in _yield_regex_forms(expand_host_end(remove_path(bare))):
        if not (isinstance(value, str) and _is_too_open(value, text)):
            yield value


def _is_too_open(origin: str, text: str) -> bool:
    """Return True for a pattern on a public suffix where text has no `*`: `.com` is a mistake."""
    return "*" not in text and is_open_to_anyone(origin)


def _yield_secure_forms(origin: str, *, has_scheme: bool) -> Iterator[str]:
    """Yield origin and its secure form, in the order of their likeliness."""
    pattern = OriginPattern.parse(origin)
    safe = str(secure_pattern(pattern) if is_insecure(pattern) else pattern)
    yield from (
        (origin, safe) if has_scheme or pattern.host not in _UNSPECIFIED_HOSTS else (safe, origin)
    )


def secure_pattern(pattern: OriginPattern) -> OriginPattern:
    """Return the pattern with https, or with localhost where its host is every address."""
    if pattern.host in _UNSPECIFIED_HOSTS:
        return pattern._replace(host="localhost")
    port = "" if pattern.port == "443" else pattern.port
    return pattern._replace(scheme="https", port=port)


def _yield_regex_forms(text: str) -> Iterator[str | re.Pattern[str]]:
    """Yield the values that a regular expression in a str was meant to be.

    They are a pattern, if it covers no more; the expression itself; and the expression narrowed
    so that its dots are escaped.
    """
    given, whole = compile_expression(text), compile_expression(add_scheme(text))
    if given is None or whole is None:
        return
    pattern = convert_regex(whole.pattern)
    if pattern and is_within(pattern, whole):
        yield pattern
    part = compile_expression(narrow_expression(text) or "")
    yield from (each for each in (given, part) if each and matches_origins(each))


def _format_value(value: str | re.Pattern[str]) -> str:
    return value if isinstance(value, str) else format_compile_call(value.pattern)
