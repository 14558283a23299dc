"""Cross-field errors and warnings of a policy whose fields are valid by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from re import Pattern
from typing import TYPE_CHECKING

from corsguard import fetch_spec
from corsguard.errors import Problem
from corsguard.origin import OriginError, OriginPattern, is_insecure, is_loopback
from corsguard.policy.origin_entry import FLAGS_OF_ENTRIES, FlaggedEntry

if TYPE_CHECKING:
    from corsguard.policy import Policy

__all__ = ["check_combinations", "find_exposure", "find_warnings", "is_open_to_anyone"]

_OPAQUE = {
    "null": "`null` is not one origin: any site can send it from a sandboxed frame",
    "file://": (
        "`file://` is not one origin: any file on the user's disk can send it, downloads too"
    ),
}
"""Opaque origin -> why it is unsafe to allow."""
_SCHEMES_WITHOUT_ORIGIN = frozenset(
    {"about", "blob", "data", "ftp", "javascript", "mailto", "ws", "wss"}
)
"""Schemes that are in no `Origin` header: their pages have the origin `null` or another page's."""
_SOCKET_PAGE_SCHEMES = {"ws": "http", "wss": "https"}
"""Scheme of a WebSocket URL -> scheme of the pages that open it."""


def check_combinations(policy: Policy) -> Iterator[Problem]:
    """Yield the problems of fields that are valid by themselves, but not together."""
    for entry in _list_opaque_origins(policy):
        if not _lifts(policy, entry, "null"):
            name = str(entry.origin)
            yield Problem(
                "origin-null",
                "allow_origins",
                name,
                _OPAQUE[name],
                f"remove {name}; or, without credentials, set dangerously_allow_null_origin",
            )
    if not policy.allow_credentials:
        yield from _find_sold_names(policy)
        return
    if policy.allow_list.is_any:
        yield Problem(
            "wildcard-with-credentials",
            "allow_origins",
            "*",
            "browsers refuse `*` with credentials, and echoing every origin instead would let "
            "any page act as the user",
            "list the origins, or remove allow_credentials",
        )
    if "*" in policy.expose_headers:
        yield Problem(
            "expose-wildcard-with-credentials",
            "expose_headers",
            "*",
            "with credentials, browsers read `*` as the literal name of a header",
            "list the headers",
        )
    yield from find_exposure(policy)


def _find_sold_names(policy: Policy) -> Iterator[Problem]:
    """Yield the problems of labels with `*` that cover domains for sale, as `*shop.co.uk` does.

    Unlike all subdomains of such a suffix, they look like the names of one owner.
    """
    for entry in policy.allow_list.special:
        text = entry.origin
        if not isinstance(text, str) or "*" not in text or _lifts(policy, entry, "public-suffix"):
            continue
        try:
            pattern = OriginPattern.parse(text)
        except OriginError:
            continue  # a problem already
        if pattern.label and is_open_to_anyone(text):
            from corsguard.public_suffix import find_suffix

            if not find_suffix(pattern.host).private:
                yield from _find_exposed_pattern(text, pattern, insecure=False, for_anyone=True)


def _list_opaque_origins(policy: Policy) -> list[FlaggedEntry]:
    return [entry for entry in policy.allow_list.special if entry.origin in ("null", "file://")]


def _lifts(policy: Policy, entry: FlaggedEntry, flag: str) -> bool:
    """Return True if a flag of the entry or of the policy lifts a check from the entry."""
    return flag in entry.flags or getattr(policy, FLAGS_OF_ENTRIES[flag]) is True


def find_exposure(policy: Policy) -> Iterator[Problem]:
    """Yield the problems of origins that must not act as a user.

    They apply with credentials, and under `enforce`.
    """
    for entry in _list_opaque_origins(policy):
        if _lifts(policy, entry, "null"):  # else a problem already
            name = str(entry.origin)
            suggestion = f"remove {name}, or allow_credentials and enforce"
            yield Problem("origin-null", "allow_origins", name, _OPAQUE[name], suggestion)
    for entry in policy.allow_list.special:
        text = entry.origin
        allows_suffixes = _lifts(policy, entry, "public-suffix")
        if isinstance(text, Pattern):
            yield from _find_exposed_regex(text, public_suffixes=allows_suffixes)
        if not isinstance(text, str):
            continue
        for_anyone = not allows_suffixes and is_open_to_anyone(text)
        if not for_anyone and not text.startswith("http://"):
            continue  # most
        try:
            pattern = OriginPattern.parse(text)
        except OriginError:
            continue  # a problem already
        insecure = is_insecure(pattern) and not _lifts(policy, entry, "insecure")
        yield from _find_exposed_pattern(text, pattern, insecure=insecure, for_anyone=for_anyone)


def _find_exposed_pattern(
    entry: str, pattern: OriginPattern, *, insecure: bool, for_anyone: bool
) -> Iterator[Problem]:
    """Yield the problems of an entry that is insecure, or open for anyone to register."""
    from corsguard.policy.suggestions import secure_pattern  # loaded for problems only

    safe = secure_pattern(pattern) if insecure else pattern
    narrower = ""
    if for_anyone:
        safe, narrower = _narrow_pattern(safe)
    if insecure:
        yield Problem(
            "origin-insecure",
            "allow_origins",
            entry,
            f"{entry} is plain http: anyone on the network can impersonate it",
            f"{safe}, or dangerously_allow_insecure_origins",
        )
    if for_anyone:
        yield Problem(
            "origin-public-suffix",
            "allow_origins",
            entry,
            f"{entry} is too wide: {_explain_width(pattern)}",
            f"{narrower}, or dangerously_allow_public_suffixes",
        )


def _explain_width(pattern: OriginPattern) -> str:
    """Return why anyone can have a name that pattern covers."""
    if not pattern.label:
        return f"anyone can register names under {pattern.host} or below it"
    from corsguard.public_suffix import explain_naming

    why = explain_naming(pattern.host)
    return f"anyone can register names that it covers under {pattern.host}{why}"


def _narrow_pattern(pattern: OriginPattern) -> tuple[OriginPattern, str]:
    """Return a pattern that covers the names of one owner only, and the suggestion.

    Under some suffixes anyone can register names below each name: list the names then.
    """
    if pattern.label:
        return _narrow_label(pattern)
    for labels in ("your-name", "your-name.your-name"):
        narrower = pattern._replace(host=f"{labels}.{pattern.host}")
        if not is_open_to_anyone(str(narrower)):
            return narrower, str(narrower)
    one = pattern._replace(host=f"your-name.{pattern.host}", subdomains=False)
    return one, f"list each name, such as {one}"


def _narrow_label(pattern: OriginPattern) -> tuple[OriginPattern, str]:
    """Return the same for a pattern with `*` in a label."""
    from corsguard.public_suffix import find_suffix, reserve_label

    start, _, end = pattern.label.partition("*")
    narrower = None
    if reserved := reserve_label(pattern.label, pattern.host):
        narrower = pattern._replace(label=reserved)
    elif not start and end[:1].isalnum() and not find_suffix(pattern.host).private:
        narrower = pattern._replace(label="", subdomains=True, host=f"{end}.{pattern.host}")
    if narrower:
        return narrower, str(narrower)
    one = pattern._replace(label="", host=f"{start}1{end}.{pattern.host}")
    return one, f"list each name, such as {one}"


def _find_exposed_regex(pattern: Pattern[str], *, public_suffixes: bool) -> Iterator[Problem]:
    from corsguard.policy.regex_overmatch import describe_exposed_names

    if exposed := describe_exposed_names(pattern, public_suffixes=public_suffixes):
        yield Problem("regex-too-wide", "allow_origins", pattern, *exposed)


def find_warnings(policy: Policy, *, enforced: bool = False) -> Iterator[Problem]:
    """Yield what policy is accepted with, but is rarely meant.

    `enforced` says that a guard enforces the policy.
    """
    cap = fetch_spec.MAX_AGE_CAPS["Chromium"]
    if policy.max_age is not None and policy.max_age > cap:
        yield Problem(
            "max-age-capped",
            "max_age",
            policy.max_age,
            f"Chromium caches a preflight for {cap} seconds at most, not for {policy.max_age}",
            str(cap),
        )
    if policy.allow_headers == ("*",) and not policy.allow_credentials:
        yield Problem(
            "authorization-not-covered",
            "allow_headers",
            "*",
            "`*` does not cover Authorization (Fetch standard)",
            '["*", "Authorization"] if pages send it, else the names that they send',
        )
    for name in policy.allow_headers:
        if fetch_spec.is_forbidden_request_header(name.lower()):
            yield Problem(
                "header-forbidden",
                "allow_headers",
                name,
                f"{name} has no effect: only the browser sets it, so no preflight asks for it",
                f"remove {name}",
            )
    exposed = policy.allow_credentials or enforced
    for entry in policy.allow_list.special:
        if isinstance(entry.origin, str):
            yield from _find_unmatched_origin(entry.origin)
        elif isinstance(entry.origin, Pattern):
            secure_only = exposed and not _lifts(policy, entry, "insecure")
            yield from _find_unmatched_regex(entry.origin, secure_only=secure_only)


def _find_unmatched_origin(entry: str) -> Iterator[Problem]:
    """Yield the problem of an entry that is a valid origin, but that browsers never send."""
    scheme, _, rest = entry.partition("://")
    if scheme == "file" and rest:
        why, suggestion = "browsers send file:// or null for every file", f"remove {entry}"
    elif scheme in _SCHEMES_WITHOUT_ORIGIN:
        why, suggestion = f"no page has an origin with {scheme}", f"remove {entry}"
        if scheme in _SOCKET_PAGE_SCHEMES:
            page = OriginPattern.parse(entry)._replace(scheme=_SOCKET_PAGE_SCHEMES[scheme])
            suggestion = f"{page}: a WebSocket handshake has the origin of the page that opens it"
    elif "xn--" in rest and not all(map(_is_punycode, rest.partition(":")[0].split("."))):
        why, suggestion = "its host is not valid Punycode", f"remove {entry}, or correct it"
    else:
        return
    message = f"{entry} matches no request: {why}"
    yield Problem("never-matches", "allow_origins", entry, message, suggestion)


def _is_punycode(label: str) -> bool:
    """Return False for an invalid A-label (URL standard, "domain to ASCII")."""
    if not label.startswith("xn--"):
        return True
    try:
        return not label[4:].encode("ascii").decode("punycode").isascii()
    except UnicodeError:
        return False


def _find_unmatched_regex(entry: Pattern[str], *, secure_only: bool) -> Iterator[Problem]:
    from corsguard.policy.redos import may_match

    if not may_match(entry):
        yield Problem(
            "regex-matches-nothing",
            "allow_origins",
            entry,
            f"{entry.pattern!r} matches no origin: it must match a whole origin, scheme://host or "
            "scheme://host:port",
            r"write a whole origin, such as https://app\.example\.com",
        )
    elif secure_only and not may_match(entry, secure_only=True):
        yield Problem(
            "never-matches",
            "allow_origins",
            entry,
            f"{entry.pattern!r} matches no request: with credentials, and under enforce, "
            "plain http is refused unless the host is loopback",
            "https instead, or dangerously_allow_insecure_origins",
        )


def is_open_to_anyone(entry: str) -> bool:
    """Return True if anyone can register a name that a pattern of several names covers."""
    label, dot, authority = entry.partition("://")[2].partition(".")
    host = authority.partition(":")[0].removesuffix(".")  # the list has no trailing dots
    if not dot or "*" not in label or is_loopback(host):
        return False
    # The list takes 50 ms to load.
    from corsguard.public_suffix import covers_public_suffix, is_reserved

    return covers_public_suffix(host) and not is_reserved(label, host)
