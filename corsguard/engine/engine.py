"""Engine: one compiled policy, a pure function from a request to a decision."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from corsguard.engine.cache import BoundedCache
from corsguard.engine.closest_origin import find_closest_origin
from corsguard.engine.decision import Decision, Kind, LazyDetail, Reason
from corsguard.engine.origin_matcher import OriginMatcher
from corsguard.engine.preflight import PreflightResponder
from corsguard.engine.request import CORSRequest, Methods, RequestHeaders
from corsguard.engine.response_headers import ResponseFields
from corsguard.engine.same_origin import is_same_origin
from corsguard.escaping import escape_text
from corsguard.origin import MAX_LENGTH
from corsguard.policy import Policy
from corsguard.policy.allow_list import AllowList
from corsguard.policy.answers import Answer
from corsguard.policy.predicates import Caller, Fault, Waiter

__all__ = ["Caller", "Engine", "Waiter"]


class Engine:
    """One policy, compiled. It has no clock, does no I/O and logs nothing.

    It caches the evaluation of the last 1,024 origins, but never what a callable answered.

    `own_origins` are the origins of the service itself, besides the one that `Host` names.
    `enforced` refuses plain http from regular expressions and callables, as credentials do.
    `others` are the other policies of a list: a response then depends on the origin even under `*`.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        own_origins: Collection[str] = (),
        enforced: bool = False,
        others: Sequence[Policy] = (),
    ) -> None:
        self.policy = policy
        self.enforced = enforced
        self.any_origin: bool = policy.allow_list.is_any
        self.guards_users: bool = policy.allow_credentials or enforced
        secure_only = self.guards_users and not policy.dangerously_allow_insecure_origins
        self.origins: OriginMatcher = OriginMatcher(policy.allow_list, secure_only=secure_only)
        # What a refused origin may be close to.
        self._lists = (policy.allow_list, *(other.allow_list for other in others))
        self._own_origins = frozenset(own_origins)
        self._evaluations: BoundedCache[str, Decision] = BoundedCache()  # origin -> evaluation
        self._fields = ResponseFields(policy, varies=bool(others) or not self.any_origin)
        self._preflights = PreflightResponder(policy, self._fields)
        # `*` allows whatever `Origin` says, and none at all.
        self.any_evaluation: Decision | None = self._allow("*") if self.any_origin else None
        no_origin = self._fields.allow("*") if self.any_origin else self._fields.vary
        self.no_origin: Decision = Decision(Kind.NOT_CORS, Reason.NOT_CORS, "", None, no_origin)

    def decide(
        self,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
    ) -> Decision:
        """Return the decision on a request. An async callable can't be awaited: it counts as False.

        `origin` is the value of `Origin`, None if it was not sent. `request_headers` are the other
        fields, names in any case, several lines of one name joined with a comma. `credentials` is
        True if the request carries a cookie, None if that is not known.
        """
        request = CORSRequest.from_headers("", origin, method, request_headers, credentials)
        return self.conclude(request, self.evaluate(origin) or self.ask(request))

    async def decide_async(
        self,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
    ) -> Decision:
        """Return the same, and await async callables, each for at most `predicate_timeout`."""
        request = CORSRequest.from_headers("", origin, method, request_headers, credentials)
        return self.conclude(request, self.evaluate(origin) or await self.ask_async(request))

    def evaluate(self, origin: str | None) -> Decision | None:
        """Return the decision on an actual request from origin, as far as its origin decides it.

        Returns None if a callable has to be asked.
        """
        # Fetch, "HTTP requests": a CORS request is one that has `Origin`.
        if origin is None:
            return self.no_origin
        if self.any_evaluation is not None:
            return self.any_evaluation
        cached = self._evaluations.get(origin)
        if cached is not None:
            return cached
        reason = self.origins.match(origin)
        if reason is None:
            return None
        is_allowed = reason is Reason.ALLOWED
        evaluation = self._allow(origin) if is_allowed else self._refuse(reason, origin)
        if len(origin) <= MAX_LENGTH:
            self._evaluations.store(origin, evaluation)
        return evaluation

    def covers(self, evaluation: Decision) -> bool:
        """Return True if this policy decides a request: it allows the origin of the evaluation.

        Under `*` that is so without an origin, too.
        """
        return self.any_origin or evaluation.reason is Reason.ALLOWED

    def conclude(
        self, request: CORSRequest, evaluation: Decision, methods: Methods = None
    ) -> Decision:
        """Return the decision on a request from the evaluation of its origin.

        `methods` are those of the URL that this policy applies to, None for all of them.
        """
        origin = request.origin
        if origin is None:
            return evaluation
        is_allowed = evaluation.reason is Reason.ALLOWED
        # Fetch, "CORS-preflight fetch": it carries no credentials and is never same-origin.
        if request.is_preflight:
            if not is_allowed:
                return self._preflights.refuse(evaluation)
            method = request.requested_method or ""
            return self._preflights.respond(evaluation, method, request.requested_headers, methods)
        if is_allowed:
            # Fetch, "CORS check", 5: with credentials the header must say so. Only the mode `cors`
            # runs that check.
            if not request.has_cookie or self.policy.allow_credentials:
                return evaluation
            if request.fetch_mode not in {None, "cors"}:
                return evaluation
        if is_same_origin(request, self._own_origins):
            return evaluation._replace(
                kind=Kind.NOT_CORS, reason=Reason.SAME_ORIGIN, lazy_detail=""
            )
        if is_allowed:
            return evaluation._replace(
                reason=Reason.CREDENTIALS_NOT_ALLOWED,
                lazy_detail=LazyDetail(escape_text, (origin,)),
            )
        return evaluation

    def ask(self, request: CORSRequest, wait: Waiter | None = None) -> Decision:
        """Return the evaluation of an origin that the callables and look-ups decide on.

        `wait` waits for what an async callable returns; without it, that counts as False.
        """
        seen, faults = request.limit_to_preflight(), list[Fault]()
        seconds = self.policy.predicate_timeout
        for predicate in self.origins.predicates:
            if predicate.ask(seen, faults, seconds, wait):
                return self._allow(seen.origin or "", tuple(faults))
        return self._refuse(Reason.ORIGIN_NOT_ALLOWED, seen.origin or "", tuple(faults))

    async def ask_async(self, request: CORSRequest, call: Caller | None = None) -> Decision:
        """Return the same, and await async callables, each for at most `predicate_timeout`.

        `call` calls those that are not async, where they must not block the event loop.
        """
        seen, faults = request.limit_to_preflight(), list[Fault]()
        seconds = self.policy.predicate_timeout
        for predicate in self.origins.predicates:
            if await predicate.ask_async(seen, faults, seconds, call):
                return self._allow(seen.origin or "", tuple(faults))
        return self._refuse(Reason.ORIGIN_NOT_ALLOWED, seen.origin or "", tuple(faults))

    def find_remembered(self, request: CORSRequest) -> Answer | None:
        """Return the fresh answer of a look-up that allows a request, or None."""
        if not self.origins.lookups:
            return None
        seen = request.limit_to_preflight()
        found = (lookup.find_allowed(seen) for lookup in self.origins.lookups)
        return next(filter(None, found), None)

    def _allow(self, origin: str, faults: tuple[Fault, ...] = ()) -> Decision:
        return Decision(Kind.ACTUAL, Reason.ALLOWED, "", None, self._fields.allow(origin), faults)

    def _refuse(self, reason: Reason, origin: str, faults: tuple[Fault, ...] = ()) -> Decision:
        detail = LazyDetail(_describe_origin, (origin, *self._lists))
        return Decision(Kind.ACTUAL, reason, detail, None, self._fields.vary, faults)


def _describe_origin(origin: str, *lists: AllowList) -> str:
    """Return a refused origin, escaped and cut, and the listed origin that is nearest to it."""
    closest = find_closest_origin(origin, *lists)
    text = escape_text(origin)
    return f"{text} (nearest listed: {closest})" if closest else text
