"""The origins of a peer as entries of `allow_origins`."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import urlsplit

from corsguard.cli.migrate.configuration import OriginRegex, ToDo
from corsguard.cli.migrate.expansion import (
    ANY,
    DIGITS,
    FEW_DIGITS,
    SLASHES,
    compile_text,
    expand,
    is_anchored,
)
from corsguard.origin import OriginError, OriginPattern, is_loopback
from corsguard.policy.origin_fixes import fix_origin
from corsguard.policy.regex_ast import has_letters_of_other_case

__all__ = ["Origins", "translate_origins"]

Entry = str | re.Pattern[str]

_NO_ORIGIN_IS = "never matched an Origin as written"
_READ_ANYWAY = "is not how a browser writes an origin"


class Origins(NamedTuple):
    """Entries of `allow_origins`, and what has to be said about them."""

    entries: list[Entry]
    notes: list[str]
    todos: list[ToDo]


def translate_origins(
    origins: tuple[str, ...], regexes: tuple[OriginRegex, ...], peer: str
) -> Origins:
    """Return the entries for the origins and the regular expressions of a peer.

    A text that never matched is fixed where one can know how. A pattern of corsguard that was a
    text for the peer is a to-do: it would allow more than before.
    """
    found = Origins([], [], [])
    if "*" in origins:
        found.entries.append("*")
        if len(set(origins)) > 1 or regexes:
            found.notes.append("the other origins beside * had no effect; they are left out")
        return found
    for text in origins:
        _add_origin(text, peer, found)
    for regex in regexes:
        _add_regex(regex, peer, found)
    found.entries[:] = _remove_duplicates(found.entries)
    return found


def _add_origin(text: str, peer: str, found: Origins) -> None:
    if text == "null" or _is_exact(text):
        found.entries.append(text)
        return
    fixed = fix_origin(text)
    if fixed is None:
        found.entries.append(text)  # the policy says what is wrong with it
    elif "*" in fixed:
        found.todos.append(
            ToDo(
                f"{text!r} {_NO_ORIGIN_IS}: {peer} compared it as a text. In corsguard, "
                f"{fixed!r} is a pattern that allows more. It is left out: list it if you mean it"
            )
        )
    else:
        reason = _READ_ANYWAY if _was_matched(text, fixed, peer) else _NO_ORIGIN_IS
        found.notes.append(f"{text!r} {reason}; listed as {fixed!r}")
        found.entries.append(fixed)


def _was_matched(text: str, origin: str, peer: str) -> bool:
    """Return True if a text that is not an origin matched one nevertheless."""
    if peer == "django-cors-headers":  # it compares the scheme and the host, without a path
        return urlsplit(text)[:2] == urlsplit(origin)[:2]
    return peer == "flask-cors" and text.lower() == origin


def _is_exact(text: str) -> bool:
    try:
        pattern = OriginPattern.parse(text)
    except OriginError:
        return False
    return "*" not in str(pattern)


def _add_regex(regex: OriginRegex, peer: str, found: Origins) -> None:
    shown = f"'{regex.source}'"  # repr() would double each backslash
    pattern = compile_text(regex.source, regex.flags)
    if pattern is None:
        found.todos.append(ToDo(f"{shown} is not a regular expression: {peer} could not use it"))
        return
    if _is_glob(regex.source):
        _add_glob(regex.source, pattern, peer, found)
        return
    texts = _find_patterns(pattern)
    if regex.is_prefix and not is_anchored(pattern):
        found.notes.append(
            f"{shown} was matched as a prefix, so it also allowed origins that go on after it; "
            "now it is matched as a whole"
        )
    found.entries.extend(texts or [_drop_flags(pattern)])


def _is_glob(source: str) -> bool:
    """Return True if a text is a pattern of corsguard, and so was meant as a glob."""
    if source.startswith("^") or "*" not in source:
        return False
    try:
        OriginPattern.parse(source)
    except OriginError:
        return False
    return True


def _add_glob(source: str, pattern: re.Pattern[str], peer: str, found: Origins) -> None:
    """Add what a glob means, and the origin without a subdomain where the peer allowed that."""
    found.entries.append(source)
    if source.endswith(":*"):
        example = source.removesuffix(":*")
        was = f"any origin that begins with {example!r}, such as {example}.evil.example"
        now = "any port and no other host"
    else:
        was, now = "no subdomain", "every subdomain"
        apex = source.replace("://*.", "://")
        if pattern.match(apex) and apex != source:
            found.entries.append(apex)
            was, now = f"{apex!r} and no subdomain", f"every subdomain, with {apex!r} beside it"
    found.notes.append(
        f"'{source}' is a glob that {peer} read as a regular expression: as that, it allowed "
        f"{was}; now it is a pattern: {now}"
    )


def _find_patterns(pattern: re.Pattern[str]) -> list[str]:
    """Return the patterns that say what a regular expression says; empty if none do.

    An alternative without a scheme matches no origin, so it is left out.
    """
    texts = expand(pattern)
    if texts is None:
        return []
    texts = [text.lower() for text in texts if "://" in text]
    found = [_read_pattern(text, texts) for text in texts]
    return [] if None in found else [each for each in found if each]


_PATTERN = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<any>{ANY}\.)?(?P<host>[^:{ANY}{DIGITS}{FEW_DIGITS}{SLASHES}]+"
    rf"|\[[0-9a-f:]+\])(?::(?P<port>[0-9]+|{ANY}|{DIGITS}|{FEW_DIGITS}))?"
)


def _read_pattern(text: str, alternatives: Collection[str]) -> str | None:
    """Return the pattern that one of the alternatives of an expression says, or None.

    `:*` is any port and none. Where an expression needs a port, that is said of local hosts only.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    port = match["port"] or ""
    if port in {ANY, DIGITS, FEW_DIGITS}:
        is_any = port != FEW_DIGITS and text.removesuffix(f":{port}") in alternatives
        if not (is_any or _is_local(match["host"])):
            return None
        port = "*"
    wildcard = "*." if match["any"] else ""
    pattern = f"{match['scheme']}://{wildcard}{match['host']}{port and ':'}{port}"
    try:
        return str(OriginPattern.parse(pattern))
    except OriginError:
        return None


def _is_local(host: str) -> bool:
    return is_loopback(host) or host == "0.0.0.0"  # noqa: S104  # nothing binds it


def _drop_flags(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """Return a pattern without IGNORECASE where that changes nothing: hosts are in lower case."""
    if pattern.flags & re.IGNORECASE and not has_letters_of_other_case(pattern):
        return re.compile(pattern.pattern, pattern.flags & ~re.IGNORECASE & ~re.UNICODE)
    return pattern


def _remove_duplicates(entries: list[Entry]) -> list[Entry]:
    """Return the entries without those that `:*`, which is any port and none, covers."""
    return [each for each in dict.fromkeys(entries) if f"{each}:*" not in entries]
