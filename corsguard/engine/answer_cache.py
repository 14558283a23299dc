"""The caches of policies with an OriginLookup: a decision counts while an answer is fresh."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from corsguard.engine.cache import BoundedCache, CacheLimits, DecisionCache, EnforcedCache
from corsguard.engine.decision import Decision, Reason
from corsguard.engine.request import CORSRequest, Headers, Methods, read_path
from corsguard.policy.answers import Answer
from corsguard.policy.origin_lookup import OriginLookup

__all__ = ["AnswerCache", "PlaceCache", "select_cache"]

_MAX_LENGTH = 512
"""Characters of the host and the path of a place that is cached."""
_ITEMS_AT_PLACE = 8

_Place = tuple[str | None, str]
"""The host and the path of a request."""


class AnsweredDecision(Decision):
    """A decision that counts as long as the answer of a look-up does."""

    answer: Answer

    @classmethod
    def build(cls, decision: Decision, answer: Answer) -> AnsweredDecision:
        """Return a decision that depends on an answer."""
        answered = cls(*decision)
        answered.answer = answer
        return answered


class AnswerCache(DecisionCache):
    """A DecisionCache that also keeps what the fresh answer of a look-up allows.

    A decision holds its answer, so one that is forgotten or outdated ends every decision at once.
    """

    _base: type[DecisionCache] = DecisionCache  # called without super(), which would add 10 %

    def lookup(
        self,
        environ: Mapping[str, Any],
        method: str,
        methods: Methods = None,
        path: str | None = None,  # noqa: ARG002  # an answer does not depend on it
    ) -> Decision | None:
        """Return the decision on a request; see DecisionCache."""
        decision = self._base.lookup(self, environ, method, methods)
        if type(decision) is AnsweredDecision:
            answer: Answer = decision.answer
            if answer.fresh_until <= answer.clock():
                return None
        return decision

    def lookup_headers(
        self, headers: Headers, method: str, methods: Methods = None, path: str | None = None
    ) -> Decision | None:
        """Return the decision on a request; see DecisionCache."""
        decision = self._base.lookup_headers(self, headers, method, methods, path)
        if type(decision) is AnsweredDecision:
            answer: Answer = decision.answer
            if answer.fresh_until <= answer.clock():
                return None
        return decision

    def store_answered(
        self, request: CORSRequest, decision: Decision, answer: Answer, methods: Methods = None
    ) -> None:
        """Keep a decision that depends on the request and the answer of a look-up."""
        if decision.reason is Reason.ALLOWED and not decision.faults:
            self.store(request, AnsweredDecision.build(decision, answer), methods)


class EnforcedAnswerCache(AnswerCache, EnforcedCache):
    """The same under enforcement."""

    _base = EnforcedCache


class PlaceCache(AnswerCache):
    """The same where an answer depends on the host and the path: with a cache for each of them."""

    def __init__(self, no_origin: Decision, *, limits: CacheLimits, **options: Any) -> None:
        super().__init__(no_origin, limits=limits, **options)
        at_place = CacheLimits(_ITEMS_AT_PLACE, _ITEMS_AT_PLACE)
        without = {"limits": at_place, "default": None, "cookieless_default": None}
        self._options: dict[str, Any] = {**options, **without}
        # Host and path -> the decisions there that depend on an answer.
        self._by_place: BoundedCache[_Place, DecisionCache] = BoundedCache(limits.items)

    def lookup(
        self,
        environ: Mapping[str, Any],
        method: str,
        methods: Methods = None,
        path: str | None = None,
    ) -> Decision | None:
        """Return the decision on a request; see DecisionCache."""
        if path is None:
            sent: str = environ.get("PATH_INFO", "")
            path = sent if sent.isascii() else read_path(environ)
        cache = self._by_place.get((environ.get("HTTP_HOST"), path))
        if cache is not None:
            decision = cache.lookup(environ, method, methods)
            if type(decision) is AnsweredDecision:
                answer: Answer = decision.answer
                if answer.fresh_until > answer.clock():
                    return decision
        return self._base.lookup(self, environ, method, methods)

    def lookup_headers(
        self, headers: Headers, method: str, methods: Methods = None, path: str | None = None
    ) -> Decision | None:
        """Return the decision on a request; see DecisionCache. Without a path few are found."""
        if path is not None:
            host: str | None = None
            for name, value in headers:
                if name == b"host":
                    sent = value.decode("latin-1")
                    host = sent if host is None else f"{host},{sent}"  # as collect_fields
            cache = self._by_place.get((host, path))
            if cache is not None:
                decision = cache.lookup_headers(headers, method, methods)
                if type(decision) is AnsweredDecision:
                    answer: Answer = decision.answer
                    if answer.fresh_until > answer.clock():
                        return decision
        return self._base.lookup_headers(self, headers, method, methods)

    def store_answered(
        self, request: CORSRequest, decision: Decision, answer: Answer, methods: Methods = None
    ) -> None:
        """Keep a decision for the host and the path of its request."""
        place = request.host, request.path
        if (
            decision.reason is not Reason.ALLOWED
            or decision.faults
            or len(request.host or "") + len(request.path) > _MAX_LENGTH
        ):
            return
        cache = self._by_place.get(place)
        if cache is None:
            cache = self._base(self._no_origin, **self._options)
            self._by_place.store(place, cache)
        cache.store(request, AnsweredDecision.build(decision, answer), methods)


class EnforcedPlaceCache(PlaceCache, EnforcedAnswerCache):
    """The same under enforcement."""

    _base = EnforcedCache


def select_cache(lookups: Collection[OriginLookup], *, is_enforced: bool) -> type[DecisionCache]:
    """Return the class of the cache for a policy with some look-ups, or without any."""
    if not lookups:
        return EnforcedCache if is_enforced else DecisionCache
    if any(lookup.takes_request for lookup in lookups):
        return EnforcedPlaceCache if is_enforced else PlaceCache
    return EnforcedAnswerCache if is_enforced else AnswerCache
