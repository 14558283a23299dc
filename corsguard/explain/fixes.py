"""The smallest change of a configuration that allows a blocked request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from corsguard.browser.exchange import BlockReason, Exchange, Refusal
from corsguard.browser.messages import Headers, Send
from corsguard.engine.decision import Kind
from corsguard.errors import PolicyError, Problem
from corsguard.escaping import escape_text
from corsguard.explain.callables import describe_callable_decision
from corsguard.explain.changes import Change, list_changes
from corsguard.explain.near_miss import NearMiss, find_near_miss
from corsguard.explain.place import Place, PlaceKey
from corsguard.explain.trial_guard import TrialGuard
from corsguard.fetch_spec import ALLOW_ORIGIN
from corsguard.guard import Guard
from corsguard.guard.options import name_place
from corsguard.policy import Policy
from corsguard.policy.origin_entry import OriginEntry
from corsguard.policy.validation import VALIDATORS
from corsguard.policy.warning_filter import ignore_policy_warnings

__all__ = ["Explanation", "Play", "Transport", "explain_request"]

Transport = Callable[[Guard], Send]
"""guard -> send: how a server answers under the policies of that guard."""
Play = Callable[[Send], Exchange]
"""send -> exchange: what a browser does with the request, each time with empty caches."""


_EntryKey = tuple[PlaceKey, int | None]
"""A place, and the position of the policy in the list there; None without a list."""
_BLOCKED_ORIGINS = frozenset({BlockReason.ALLOW_ORIGIN_MISSING, BlockReason.ALLOW_ORIGIN_WILDCARD})


class Explanation(NamedTuple):
    """What happens to a request, and the changes that would allow it."""

    exchange: Exchange
    changes: tuple[Change, ...] = ()
    """All of them are needed. Empty where the request is allowed, or no change would do."""
    problems: tuple[Problem, ...] = ()
    """Why the policies with the necessary changes would be rejected."""
    near_miss: NearMiss | None = None
    fixed_exchange: Exchange | None = None
    """What happens with all the changes made. None where there are none."""
    decided_by: str = ""
    """A sentence on the callable that decided about the origin. Empty where none did."""
    decided_in: str = ""
    """A sentence on which policy of a list decided. Empty without a list."""


def explain_request(guard: Guard, transport: Transport, play: Play) -> Explanation:
    """Play a request, and find the changes that would allow it.

    Each change is tested before it is suggested. Where a callable decides about the origin, no
    longer list would change its decision, so none is suggested.
    """
    trial = TrialGuard(guard)
    exchange = play(transport(trial))
    decided_by = _describe_decider(trial, exchange) if exchange.hops else ""
    decided_in = _describe_policy(trial, exchange) if exchange.hops else ""
    explanation = _find_fix(trial, exchange, transport, play)
    return explanation._replace(decided_by=decided_by, decided_in=decided_in)


def _find_fix(trial: TrialGuard, first: Exchange, transport: Transport, play: Play) -> Explanation:
    """Change what the refusal asks for, and play again, until the request is allowed."""
    exchange = first
    near_miss = _find_near_miss(first, trial.place)
    before: dict[_EntryKey, Place] = {}
    after: dict[_EntryKey, Policy] = {}
    while (refusal := exchange.refusal) is not None:
        place = trial.place
        if place is None:  # the request was never sent
            return Explanation(first)
        if _is_decided_by_callable(trial, exchange):
            return Explanation(first, near_miss=near_miss)
        if place.policies and refusal.reason in _BLOCKED_ORIGINS:
            place = _choose_policy(trial, place, exchange, transport, play)
        fields = _list_needed_fields(refusal, _get_origin(exchange), place.policy)
        try:
            policy = _replace_fields(place.policy, fields)
            if policy is None or policy == place.policy:  # no policy decides this refusal
                return Explanation(first, near_miss=near_miss)
            trial = trial.with_policy(place, policy)
        except PolicyError as error:
            return Explanation(first, problems=error.problems, near_miss=near_miss)
        key = place.key, place.position
        before.setdefault(key, place)
        after[key] = policy
        exchange = play(transport(trial))
    changes = [change for key in after for change in list_changes(before[key], after[key])]
    fixed_exchange = exchange if changes else None
    return Explanation(first, tuple(changes), near_miss=near_miss, fixed_exchange=fixed_exchange)


def _choose_policy(
    trial: TrialGuard, place: Place, exchange: Exchange, transport: Transport, play: Play
) -> Place:
    """Return the place of the policy of a list that the origin of a request should be added to.

    That is the first one where nothing else has to change, or else the first of all. Those with
    credentials come first only if the request is known to need them. A policy of `*` is not among
    them, unless it is the only one.
    """
    refusal, origin = exchange.refusal, _get_origin(exchange)
    sends_cookies = bool(refusal and refusal.reason is BlockReason.ALLOW_ORIGIN_WILDCARD)
    listed = [policy for policy in place.policies if not policy.allow_list.is_any]
    listed.sort(key=lambda policy: policy.allow_credentials is not sends_cookies)
    places = [place._replace(policy=policy) for policy in listed]
    for each in places:
        fields = {"allow_origins": (*_read_fields(each.policy)["allow_origins"], origin)}
        with suppress(PolicyError):
            policy = _replace_fields(each.policy, fields)
            if policy and play(transport(trial.with_policy(each, policy))).refusal is None:
                return each
    return places[0] if places else place


def _describe_decider(trial: TrialGuard, exchange: Exchange) -> str:
    return describe_callable_decision(trial.place, trial.decision, _get_origin(exchange))


def _describe_policy(trial: TrialGuard, exchange: Exchange) -> str:
    """Return a sentence on the policy of a list that decided; empty without a list."""
    place, decision = trial.place, trial.decision
    if place is None or decision is None or not place.policies:
        return ""
    if decision.kind is Kind.NOT_CORS:
        return ""
    origin = escape_text(_get_origin(exchange))
    if ALLOW_ORIGIN in dict(decision.headers):
        return f"{place.entry} is the first policy that covers {origin}"
    return f"no policy of {place.holder or name_place(place.name) or 'the list'} covers {origin}"


def _is_decided_by_callable(trial: TrialGuard, exchange: Exchange) -> bool:
    """Return True if it was a callable that did not allow the origin."""
    refusal = exchange.refusal
    is_missing = refusal is not None and refusal.reason is BlockReason.ALLOW_ORIGIN_MISSING
    return is_missing and bool(_describe_decider(trial, exchange))


def _list_needed_fields(refusal: Refusal, origin: str, policy: Policy | None) -> dict[str, object]:
    """Return field -> value for what must change; empty where no policy decides the refusal."""
    held: Mapping[str, tuple[OriginEntry, ...]] = _read_fields(policy)
    match refusal.reason:
        case BlockReason.ALLOW_ORIGIN_WILDCARD if "*" in held.get("allow_origins", ("*",)):
            # Browsers refuse `*` with credentials, and so does Policy.
            return {"allow_origins": (origin,), "allow_credentials": True}
        case BlockReason.ALLOW_ORIGIN_MISSING | BlockReason.ALLOW_ORIGIN_WILDCARD:
            return {"allow_origins": (*held.get("allow_origins", ()), origin)}
        case BlockReason.ALLOW_CREDENTIALS_NOT_TRUE:
            return {"allow_credentials": True}
        case BlockReason.METHOD_NOT_ALLOWED:
            return {"allow_methods": (*held.get("allow_methods", ()), refusal.detail)}
        case BlockReason.HEADER_NOT_ALLOWED:
            return {"allow_headers": (*held.get("allow_headers", ()), refusal.detail.title())}
        case _:
            return {}


def _get_origin(exchange: Exchange) -> str:
    """Return the `Origin` of the last request of an exchange; empty where it has none."""
    return Headers(exchange.hops[-1].sent.headers).get("origin", "")


def _read_fields(policy: Policy | None) -> dict[str, Any]:
    return {field: getattr(policy, field) for field in VALIDATORS} if policy else {}


def _replace_fields(policy: Policy | None, fields: Mapping[str, object]) -> Policy | None:
    """Return a policy with other values of fields; the same one where fields is empty."""
    if not fields:
        return policy
    with ignore_policy_warnings():  # it is only a trial
        return Policy.from_mapping({**_read_fields(policy), **fields})


def _find_near_miss(exchange: Exchange, place: Place | None) -> NearMiss | None:
    if not exchange.refusal or exchange.refusal.reason is not BlockReason.ALLOW_ORIGIN_MISSING:
        return None
    if place is None or place.policy is None:
        return None
    return find_near_miss(_get_origin(exchange), place.policies or (place.policy,))
