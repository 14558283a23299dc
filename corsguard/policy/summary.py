"""A summary of a policy in one line. It needs no extra."""

from __future__ import annotations

from re import Pattern

from corsguard.policy import Policy
from corsguard.policy.origin_entry import FlaggedEntry, OriginEntry
from corsguard.policy.origin_lookup import OriginLookup

__all__ = ["summarize_policy"]


def summarize_policy(policy: Policy | None) -> str:
    """Return the origins of a policy and its other fields that are not empty; None is no CORS."""
    if policy is None:
        return "no CORS"
    parts = [", ".join(map(_format_entry, policy.allow_origins))]
    if policy.allow_credentials:
        parts.append("credentials")
    for name, values in (("methods", policy.allow_methods), ("headers", policy.allow_headers)):
        if values:
            parts.append(f"{name} {', '.join(values)}")
    return "; ".join(parts)


def _format_entry(entry: OriginEntry) -> str:
    """Return an entry as Python code, or the name of a callable."""
    if isinstance(entry, FlaggedEntry):
        return str(entry)
    if isinstance(entry, str):
        return entry
    if isinstance(entry, Pattern):
        return repr(entry)
    if isinstance(entry, OriginLookup):
        return entry.name
    return f"{getattr(entry, '__qualname__', type(entry).__qualname__)}()"
