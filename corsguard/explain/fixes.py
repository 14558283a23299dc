"""The smallest change of a configuration that lets a blocked request through, if there is one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from json import dumps
from typing import Any, NamedTuple

from corsguard.browser.exchange import BlockReason, Exchange, Refusal
from corsguard.browser.messages import Headers, Send
from corsguard.engine.closest_origin import find_closest_origin
from corsguard.errors import PolicyError, PolicyWarning, Problem
from corsguard.explain.callables import callable_name, decided_by_callable
from corsguard.explain.trial_guard import Place, Rehearsal
from corsguard.guard import Guard
from corsguard.origin import Origin, OriginPattern
from corsguard.policy import Policy
from corsguard.policy.validation import VALIDATORS, OriginEntry, list_values

__all__ = ["Change", "Explanation", "Nearest", "explain_request"]

Transport = Callable[[Guard], Send]
"""How a server answers by the policies of a guard."""
Play = Callable[[Send], Exchange]
"""What a browser does, each time as if it were new."""
_Key = tuple[str, str, int]


class Change(NamedTuple):
    """One field of one policy with another value."""

    place: Place
    field: str
    value: tuple[OriginEntry, ...] | bool
    exposes: str
    """What it opens, and to whom, in one sentence."""

    @property
    def as_toml(self) -> str:
        """The line of a configuration file."""
        return f"{self.field} = {self._shown}"

    @property
    def as_python(self) -> str:
        """The argument of a Policy."""
        return f"{self.field}={self._in_python},"

    @property
    def as_item(self) -> str:
        """The item of a mapping in the shape of a configuration file."""
        return f'"{self.field}": {self._in_python},'

    @property
    def table(self) -> str:
        """The header of the table in a configuration file that the line goes into; may be empty."""
        if self.place.kind == "route":
            return f"[routes.{dumps(self.place.name, ensure_ascii=False)}]"
        return ""

    @property
    def _in_python(self) -> str:
        return str(self.value) if isinstance(self.value, bool) else self._shown

    @property
    def _shown(self) -> str:
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return list_values(self.value)


class Nearest(NamedTuple):
    """A listed origin that the page's is one slip away from, or two."""

    listed: str
    differs: str
    """In what: the scheme, the port, `www.`, or being a subdomain; two of them joined by "and"."""

    @property
    def is_one_slip(self) -> bool:
        return " and " not in self.differs


class _Explanation(NamedTuple):
    exchange: Exchange
    changes: tuple[Change, ...] = ()
    """All of them are needed; none where the request is allowed, and where none would do."""
    problems: tuple[Problem, ...] = ()
    """Why the changes that it takes are refused, where they are."""
    nearest: Nearest | None = None
    mended: Exchange | None = None
    """What happens with all the changes made; None where there are none."""


class Explanation(_Explanation):
    """What happened to a request, and what would let it through."""

    decided = ""
    """Which callable decided about the origin, in a sentence; empty where none was asked."""


def explain_request(guard: Guard, stage: Transport, play: Play) -> Explanation:
    """Play a request, and find what would allow it: each change is tried before it is proposed.

    Where a callable decides about the origin, no longer list would change what it says.
    """
    rehearsal = Rehearsal(guard)
    first = play(stage(rehearsal))
    decided = _decided(rehearsal, first)
    explanation = _explained(rehearsal, first, stage, play)
    explanation.decided = decided
    return explanation


def _decided(rehearsal: Rehearsal, exchange: Exchange) -> str:
    return decided_by_callable(rehearsal, _origin(exchange)) if exchange.hops else ""


def _is_decided(rehearsal: Rehearsal, exchange: Exchange) -> bool:
    """Return True if it was a callable that did not allow the origin."""
    refusal = exchange.refusal
    missing = refusal is not None and refusal.reason is BlockReason.ALLOW_ORIGIN_MISSING
    return missing and bool(_decided(rehearsal, exchange))


def _explained(rehearsal: Rehearsal, first: Exchange, stage: Transport, play: Play) -> Explanation:
    exchange = first
    nearest = _nearest(first, rehearsal.place)
    before: dict[_Key, Place] = {}
    after: dict[_Key, Policy] = {}
    while (refusal := exchange.refusal) is not None:
        place = rehearsal.place
        if place is None:  # the request was never sent
            return Explanation(first)
        if _is_decided(rehearsal, exchange):
            return Explanation(first, nearest=nearest)
        wanted = _wanted(refusal, _origin(exchange), place.policy)
        try:
            policy = _with(place.policy, wanted)
            if policy is None or policy == place.policy:  # no policy has a say in it
                return Explanation(first, nearest=nearest)
            rehearsal = rehearsal.with_policy(place, policy)
        except PolicyError as error:
            return Explanation(first, problems=error.problems, nearest=nearest)
        before.setdefault(place.key, place)
        after[place.key] = policy
        exchange = play(stage(rehearsal))
    changes = [change for key in after for change in _changes(before[key], after[key])]
    mended = exchange if changes else None
    return Explanation(first, tuple(changes), nearest=nearest, mended=mended)


def _wanted(refusal: Refusal, origin: str, policy: Policy | None) -> dict[str, object]:
    """The fields that must change for a refusal to go; empty where no policy has a say in it."""
    held: Mapping[str, tuple[OriginEntry, ...]] = _fields(policy)
    match refusal.reason:
        case BlockReason.ALLOW_ORIGIN_MISSING:
            return {"allow_origins": (*held.get("allow_origins", ()), origin)}
        case BlockReason.ALLOW_ORIGIN_WILDCARD:
            # Browsers refuse `*` with credentials, and so does Policy.
            return {"allow_origins": (origin,), "allow_credentials": True}
        case BlockReason.ALLOW_CREDENTIALS_NOT_TRUE:
            return {"allow_credentials": True}
        case BlockReason.METHOD_NOT_ALLOWED:
            return {"allow_methods": (*held.get("allow_methods", ()), refusal.detail)}
        case BlockReason.HEADER_NOT_ALLOWED:
            return {"allow_headers": (*held.get("allow_headers", ()), refusal.detail.title())}
    return {}


def _origin(exchange: Exchange) -> str:
    """What the last request says of where it comes from."""
    return Headers(exchange.hops[-1].sent.headers).get("origin", "")


def _fields(policy: Policy | None) -> dict[str, Any]:
    return {field: getattr(policy, field) for field in VALIDATORS} if policy else {}


def _with(policy: Policy | None, wanted: Mapping[str, object]) -> Policy | None:
    """Policy with other fields, or a new one; as it is where nothing is wanted."""
    if not wanted:
        return policy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)  # it is only tried
        return Policy.from_mapping({**_fields(policy), **wanted})


def _changes(place: Place, policy: Policy) -> Iterator[Change]:
    """What turns the policy of a place into another, field by field."""
    for field in ("allow_origins", "allow_credentials", "allow_methods", "allow_headers"):
        value = getattr(policy, field)
        held = getattr(place.policy, field, type(value)())
        if value != held:
            added = () if value is True else [str(entry) for entry in value if entry not in held]
            words = _words(place, policy)
            exposes = _EXPOSES[field].format(added=", ".join(added), where=_where(place), **words)
            yield Change(place, field, value, exposes)


_EXPOSES = {
    "allow_origins": "pages of {added} may read the answers of {where}{and_send}{as_user}"
    "{unrefused}{instead}",
    "allow_credentials": "requests to {where} carry the cookies of the user, and {who} may act "
    "and read in the name of the user",
    "allow_methods": "{who} may send {added} to {where}",
    "allow_headers": "{who} may send {added} to {where}",
}


def _words(place: Place, policy: Policy) -> dict[str, str]:
    held = place.policy.allow_origins if place.policy else ()
    others = len(policy.allow_origins) - 1
    only = policy.allow_origins[0]
    instead = ""
    if "*" in held and "*" not in policy.allow_origins:
        instead = "; no other page may any more: list the others that need it"
    elif place.kind == "view" and place.policy is None:
        instead = "; until now it is exempt from CORS"
    elif place.closed_by is not None:
        instead = f"; until now the route {place.closed_by} says that no page may"
    return {
        "and_send": _and_send(place.policy),
        "unrefused": "; `enforce` no longer refuses their unsafe requests, such as a POST"
        if place.enforced
        else "",
        "as_user": " as the user who is signed in" if policy.allow_credentials else "",
        "instead": instead,
        "who": "any page"
        if only == "*"
        else _pages(only) + (f" and of {others} more listed" if others else ""),
    }


def _pages(entry: OriginEntry) -> str:
    return f"pages that {callable_name(entry)} allows" if callable(entry) else f"pages of {entry}"


def _and_send(held: Policy | None) -> str:
    """What an origin may send that is added to a policy, besides what any page may."""
    if held is None:
        return ""
    methods = _named(held.allow_methods, "any method")
    headers = _named(held.allow_headers, "any header")
    sent = " with ".join(filter(None, (methods, headers)))
    return f", and send {sent} there" if sent else ""


def _named(names: Sequence[str], wildcard: str) -> str:
    return ", ".join(wildcard if name == "*" else name for name in names)


def _where(place: Place) -> str:
    if place.kind == "view":
        return place.holder
    if place.kind == "everywhere" or place.name == "/":
        return "every path"
    return f"{place.name} and every path below it"


def _nearest(exchange: Exchange, place: Place | None) -> Nearest | None:
    if not exchange.refusal or exchange.refusal.reason is not BlockReason.ALLOW_ORIGIN_MISSING:
        return None
    if place is None or place.policy is None:
        return None
    origin = _origin(exchange)
    patterns = sorted(entry for entry in place.policy.allow_origins if isinstance(entry, str))
    near = find_closest_origin(origin, patterns)
    if near is None:
        return None
    return Nearest(near, _difference(Origin.parse(origin), OriginPattern.parse(near)))


def _difference(origin: Origin, near: OriginPattern) -> str:
    """In what an origin differs from the pattern that is nearest to it."""
    parts = []
    if origin.scheme != near.scheme:
        parts.append("the scheme")
    if near.subdomains and origin.host == near.host:
        parts.append("being a subdomain")
    elif not near.subdomains and origin.host != near.host:
        parts.append("`www.`")
    if near.port not in {"*", str(origin.port or "")}:
        parts.append("the port")
    return " and ".join(parts)
