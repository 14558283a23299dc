"""What is dangerous in a policy whose fields are right by themselves, and what is rarely meant."""

from __future__ import annotations

from collections.abc import Iterator
from re import Pattern
from typing import TYPE_CHECKING

from corsguard import fetch
from corsguard.origin import OriginError, OriginPattern, is_insecure, is_loopback
from corsguard.problem import Problem

if TYPE_CHECKING:
    from corsguard.policy import Policy

__all__ = ["cautions", "combinations", "exposure", "is_open_to_anyone"]

_NULL_IS_ANYONE = "any page of any site can be `null`: a sandboxed frame is enough"


def combinations(policy: Policy) -> Iterator[Problem]:
    """What is wrong with fields of policy that are right by themselves."""
    if "null" in policy.allow_origins and not policy.dangerously_allow_null_origin:
        yield Problem(
            "origin-null",
            "allow_origins",
            "null",
            _NULL_IS_ANYONE,
            "remove null; without credentials, dangerously_allow_null_origin lets it start",
        )
    if not policy.allow_credentials:
        return
    if "*" in policy.allow_origins:
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
            "with credentials, browsers read `*` as the name of a header",
            "list the headers",
        )
    yield from exposure(policy)


def exposure(policy: Policy) -> Iterator[Problem]:
    """The origins of policy that must not act as a user: with credentials, and under enforce."""
    for entry in policy.allow_origins:
        if entry == "null" and policy.dangerously_allow_null_origin:
            suggestion = "remove null, or allow_credentials and enforce"
            yield Problem("origin-null", "allow_origins", entry, _NULL_IS_ANYONE, suggestion)
        if isinstance(entry, Pattern):
            yield from _exposed_by(entry, policy)
        if not isinstance(entry, str):
            continue
        for_anyone = not policy.dangerously_allow_public_suffixes and is_open_to_anyone(entry)
        if not for_anyone and not entry.startswith("http://"):
            continue  # by far the most; spares parsing a long list a second time
        try:
            pattern = OriginPattern.parse(entry)
        except OriginError:
            continue  # a problem already
        if is_insecure(pattern) and not policy.dangerously_allow_insecure_origins:
            yield Problem(
                "origin-insecure",
                "allow_origins",
                entry,
                f"{entry} is plain http: anyone on the network can pose as it",
                f"{_over_https(pattern)}, or dangerously_allow_insecure_origins",
            )
        if for_anyone:
            yield Problem(
                "origin-public-suffix",
                "allow_origins",
                entry,
                f"anyone can have a name under {pattern.host}, or below one that is under it",
                f"{pattern._replace(host='your-name.' + pattern.host)}, or "
                "dangerously_allow_public_suffixes",
            )


def _exposed_by(pattern: Pattern[str], policy: Policy) -> Iterator[Problem]:
    from corsguard.too_wide import exposed_names

    allowed = policy.dangerously_allow_public_suffixes
    if exposed := exposed_names(pattern, public_suffixes=allowed):
        yield Problem("regex-too-wide", "allow_origins", pattern, *exposed)


def cautions(policy: Policy) -> Iterator[Problem]:
    """What lets policy start, but is rarely meant."""
    cap = fetch.MAX_AGE_CAPS["Chromium"]
    if policy.max_age is not None and policy.max_age > cap:
        yield Problem(
            "max-age-capped",
            "max_age",
            policy.max_age,
            f"Chromium keeps the answer to a preflight for {cap} seconds at most",
            str(cap),
        )
    if policy.allow_headers == ("*",) and not policy.allow_credentials:
        yield Problem(
            "authorization-not-covered",
            "allow_headers",
            "*",
            "under the Fetch standard `*` does not cover Authorization",
            '["*", "Authorization"] if pages send it, else the names that they send',
        )
    yield from _in_vain(policy)


def _in_vain(policy: Policy) -> Iterator[Problem]:
    for entry in policy.allow_origins:
        if isinstance(entry, Pattern):
            from corsguard.ambiguity import may_match

            if not may_match(entry):
                yield Problem(
                    "regex-matches-nothing",
                    "allow_origins",
                    entry,
                    f"{entry.pattern!r} matches no origin: it has to match all of one, which is "
                    "scheme://host or scheme://host:port",
                    r"write out all of an origin, such as https://app\.example\.com",
                )


def is_open_to_anyone(entry: str) -> bool:
    """Whether an entry, if it is a pattern at all, has subdomains that anyone can have."""
    _, subdomains, authority = entry.partition("://*.")
    host = authority.partition(":")[0]
    if not subdomains or is_loopback(host):
        return False
    from corsguard.suffix import holds_public_suffix  # the list takes 50 ms to load

    return holds_public_suffix(host)


def _over_https(pattern: OriginPattern) -> OriginPattern:
    port = "" if pattern.port == "443" else pattern.port
    return pattern._replace(scheme="https", port=port)
