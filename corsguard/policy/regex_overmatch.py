"""Problems of regular expressions that cover more owners than their author can mean."""

from __future__ import annotations

import re

from corsguard.policy.redos import is_linear
from corsguard.policy.regex_ast import UNSUPPORTED_CONSTRUCTS, has_bare_dot, list_inexact_constructs
from corsguard.policy.regex_coverage import MAX_OWNERS, Owners, measure_coverage

__all__ = ["describe_exposed_names", "describe_open_domains"]

_IDS_ADVICE = (
    "list the ids of your extensions: chrome-extension://ID, or use a callable that looks them up"
)
_ALTERNATIVE = "use a pattern such as https://*.example.com, or a callable"


def describe_open_domains(pattern: re.Pattern[str]) -> tuple[str, str] | None:
    """Return a message and a suggestion where pattern covers too many domains, else None.

    No flag allows such an expression: it was written by mistake, as where a dot is missing.
    """
    covered = measure_coverage(pattern)
    if covered is None:
        message = f"{pattern.pattern!r} is too large to count the domains that it covers"
        return message, f"{_ALTERNATIVE}, or several shorter regular expressions"
    owners = covered.registered
    if not owners.too_many:
        return _describe_unsupported(pattern)
    suggestion = "end it with the labels of a domain that is yours"
    if owners.shared:
        suggestion = f"put a dot before the labels of a domain that is yours: .{owners.shared}"
    return _describe_overmatch(pattern, owners, "domains", "which anyone can register", suggestion)


def _describe_unsupported(pattern: re.Pattern[str]) -> tuple[str, str] | None:
    """Return a message and a suggestion where a construct of pattern is unsupported, else None."""
    unreadable = " and ".join(
        name for name in list_inexact_constructs(pattern) if name in UNSUPPORTED_CONSTRUCTS
    )
    if not unreadable:
        return None
    message = f"{pattern.pattern!r} has {unreadable}, so what it covers can't be counted exactly"
    return message, f"{_ALTERNATIVE}, or write it without {unreadable}"


def describe_exposed_names(
    pattern: re.Pattern[str], *, public_suffixes: bool
) -> tuple[str, str] | None:
    """Return a message and a suggestion where anyone can take a name and act as a user, else None.

    Anyone can under private suffixes, which `public_suffixes` allows, and for the ids of
    extensions. None also where pattern has another problem.
    """
    if not isinstance(pattern.pattern, str) or not is_linear(pattern) or has_bare_dot(pattern):
        return None
    covered = measure_coverage(pattern)
    if covered is None or describe_open_domains(pattern):
        return None
    if covered.hosted.too_many and not public_suffixes:
        suggestion = "list the names that are yours, or set dangerously_allow_public_suffixes"
        return _describe_overmatch(
            pattern, covered.hosted, "names", "a name that anyone can take", suggestion
        )
    if covered.ids.too_many:
        why = "and anyone can publish an extension or an app"
        return _describe_overmatch(pattern, covered.ids, "ids", why, _IDS_ADVICE)
    return None


def _describe_overmatch(
    pattern: re.Pattern[str], owners: Owners, kind: str, why: str, suggestion: str
) -> tuple[str, str]:
    source, inexact = repr(pattern.pattern), " and ".join(list_inexact_constructs(pattern))
    if inexact:
        suggestion = f"{suggestion}; or {_ALTERNATIVE}"
    if owners.example:
        message = f"{source} also covers {owners.example}, {why}: more than {MAX_OWNERS} {kind}"
        message += f", where {inexact} can't be counted exactly" if inexact else ""
    elif inexact:
        message = (
            f"{source} has {inexact}, which can't be counted exactly: it may cover more than "
            f"{MAX_OWNERS} {kind}"
        )
    else:
        message = f"{source} covers more than {MAX_OWNERS} {kind}"
    return message, suggestion
