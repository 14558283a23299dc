"""What to say about a regular expression that covers more owners than its author can mean."""

from __future__ import annotations

import re

from corsguard.policy.redos import is_linear
from corsguard.policy.regex_ast import UNREADABLE, has_bare_dot, inexact_constructs
from corsguard.policy.regex_coverage import MOST_OWNERS, Owners, coverage

__all__ = ["exposed_names", "open_domains"]

_IDS = "list the ids of your extensions: chrome-extension://ID, or let a callable look ids up"
_INSTEAD = "use a pattern such as https://*.example.com, or a callable"


def open_domains(pattern: re.Pattern[str]) -> tuple[str, str] | None:
    """Return a message and a suggestion where pattern covers too many domains, else None.

    Nothing lifts this: such an expression was written by mistake, as where a dot is missing.
    """
    covered = coverage(pattern)
    if covered is None:
        message = f"{pattern.pattern!r} is too large to count the domains that it covers"
        return message, f"{_INSTEAD}, or several shorter regular expressions"
    owners = covered.registered
    if not owners.too_many:
        return _unreadable(pattern)
    suggestion = "end it with the labels of a domain that is yours"
    if owners.shared:
        suggestion = f"put a dot before the labels of a domain that is yours: .{owners.shared}"
    return _found(pattern, owners, "domains", "which anyone can have", suggestion)


def _unreadable(pattern: re.Pattern[str]) -> tuple[str, str] | None:
    """Return the same where pattern has a construct that no automaton reads, else None."""
    unreadable = " and ".join(name for name in inexact_constructs(pattern) if name in UNREADABLE)
    if not unreadable:
        return None
    message = f"{pattern.pattern!r} has {unreadable}, so what it covers can't be counted exactly"
    return message, f"{_INSTEAD}, or write it without {unreadable}"


def exposed_names(pattern: re.Pattern[str], *, public_suffixes: bool) -> tuple[str, str] | None:
    """Return the same where strangers can take names that pattern covers and act as a user.

    That is so under private suffixes, unless `public_suffixes` allows them, and for the ids of
    extensions. None as well where pattern has a problem anyway.
    """
    if not isinstance(pattern.pattern, str) or not is_linear(pattern) or has_bare_dot(pattern):
        return None
    covered = coverage(pattern)
    if covered is None or open_domains(pattern):
        return None
    if covered.hosted.too_many and not public_suffixes:
        suggestion = "list the names that are yours, or set dangerously_allow_public_suffixes"
        return _found(pattern, covered.hosted, "names", "a name that anyone can take", suggestion)
    if covered.ids.too_many:
        why = "and whoever publishes an extension or an app has an id"
        return _found(pattern, covered.ids, "ids", why, _IDS)
    return None


def _found(
    pattern: re.Pattern[str], owners: Owners, kind: str, why: str, suggestion: str
) -> tuple[str, str]:
    source, inexact = repr(pattern.pattern), " and ".join(inexact_constructs(pattern))
    if inexact:
        suggestion = f"{suggestion}; or {_INSTEAD}"
    if owners.example:
        message = f"{source} also covers {owners.example}, {why}: more than {MOST_OWNERS} {kind}"
        message += f", where {inexact} can't be counted exactly" if inexact else ""
    elif inexact:
        message = (
            f"{source} has {inexact}, which can't be counted exactly: it may cover more than "
            f"{MOST_OWNERS} {kind}"
        )
    else:
        message = f"{source} covers more than {MOST_OWNERS} {kind}"
    return message, suggestion
