"""Engine: one compiled policy, a pure function from the facts of a request to a decision."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from re import Pattern
from threading import Lock

from corsguard import fetch_spec
from corsguard.engine.cache import BoundedCache
from corsguard.engine.closest_origin import find_closest_origin, sort_origins
from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.engine.headers import RequestHeaders, build_reader, parse_names
from corsguard.engine.same_origin import is_same_origin
from corsguard.escaping import escape_text
from corsguard.fork_safety import restart_in_child
from corsguard.origin import (
    MAX_LENGTH,
    Origin,
    OriginError,
    OriginPattern,
    is_insecure,
)
from corsguard.policy import Policy
from corsguard.policy.predicates import Fault, Predicate, is_async, is_true_answer, wait_for

__all__ = ["Caller", "Decision", "Engine", "Kind", "Reason", "Waiter"]

_LONGEST_REMEMBERED = 512

Answers = dict[str | None, Decision | None]
"""From an origin to the decision on a request, whatever else that request asks."""
PreflightKey = tuple[str | None, str | None, str | None]
"""The origin, the requested method and the requested headers of a preflight."""
Preflights = dict[PreflightKey, Decision]
Fields = tuple[tuple[str, str], ...]
Caller = Callable[[Predicate, str], Awaitable[object]]
"""Calls a callable of a policy with an origin where it may block, such as in a thread."""
Waiter = Callable[[Awaitable[object], float], object]
"""Returns what an awaitable gives. Raises TimeoutError after so many seconds."""


class Engine:
    """One policy, compiled. It has no clock, does no I/O and logs nothing.

    It remembers what it said on the origins that are listed by name, and on the last few others,
    but never what a callable answered.

    `own_origins` are the origins of the service itself, besides the one that `Host` tells.
    `enforced` refuses plain http from regular expressions and callables, as credentials do.
    """

    def __init__(
        self, policy: Policy, *, own_origins: Collection[str] = (), enforced: bool = False
    ) -> None:
        self.policy = policy
        self.enforced = enforced
        self._own_origins = frozenset(own_origins)
        self.any_origin = "*" in policy.allow_origins
        self.guards_users = policy.allow_credentials or enforced
        self._secure_only = self.guards_users and not policy.dangerously_allow_insecure_origins
        self._compile_headers()
        self._compile_origins()
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Make new locks; see corsguard.fork_safety."""
        self._learning = Lock()

    def decide(
        self,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
        methods: Collection[str] | None = None,
        wait: Waiter | None = None,
    ) -> Decision:
        """The answer to a request; an async callable can't be asked here, which counts as a no.

        Unless `wait` is given, which waits for what a callable returned.

        `origin` is the value of `Origin`, None where there is none; several lines of a header are
        joined with a comma. `credentials` tells whether the request carries a cookie. `methods`
        are those of the URL that this policy holds for, where another holds for the rest.
        """
        if origin is None:
            return self.no_origin
        ruling = self._ruled(origin) or self._ask(origin, wait)
        return self._conclude(ruling, origin, method, request_headers, credentials, methods)

    async def decide_async(
        self,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
        methods: Collection[str] | None = None,
        call: Caller | None = None,
    ) -> Decision:
        """The same; async callables are awaited, each for `predicate_timeout` seconds at most.

        `call` calls those that are not async, where they must not block the event loop.
        """
        if origin is None:
            return self.no_origin
        ruling = self._ruled(origin) or await self._ask_async(origin, call)
        return self._conclude(ruling, origin, method, request_headers, credentials, methods)

    def remembers(self, origin: str) -> bool:
        """Whether the decision on origin, which is not listed by name, is kept for the next one."""
        return origin in self._memory

    def refuses_plain_http(self, origin: Origin) -> bool:
        """Return True if origin is plain http, which nothing but a flag allows here."""
        return self._secure_only and is_insecure(origin)

    def may_match(self, origin: str) -> bool:
        """Return True if a regular expression matches origin, or a callable could."""
        return bool(self._predicates) or any(fullmatch(origin) for fullmatch in self._regexes)

    def _compile_origins(self) -> None:
        # From no origin and from those that are listed by name to the decision, None until it is
        # asked for. Those that a pattern allows come and go with the memory.
        self.answers: Answers = {None: self.no_origin}
        # The same for a request with a cookie: one that the policy allows, or there is more to ask.
        self.answers_to_cookies = self.answers
        if not self.policy.allow_credentials:
            self.answers_to_cookies = {None: self.no_origin}
        # From a host, for any port of it, or from "." and a host, for its subdomains, to the
        # schemes and ports that are listed with it: one look-up for each label of an origin.
        self._wide: dict[str, frozenset[tuple[str, str]]] = {}
        shared: dict[frozenset[tuple[str, str]], frozenset[tuple[str, str]]] = {}
        wide: dict[str, set[tuple[str, str]]] = {}
        self._regexes: list[Callable[[str], object]] = []
        self._predicates: list[Predicate] = []
        for entry in self.policy.allow_origins:
            if isinstance(entry, Pattern):
                self._regexes.append(entry.fullmatch)
            elif not isinstance(entry, str):
                self._predicates.append(entry)
            elif "*" in entry and entry != "*":
                pattern = OriginPattern.of(entry)
                key = f".{pattern.host}" if pattern.subdomains else pattern.host
                wide.setdefault(key, set()).add((pattern.scheme, pattern.port))
            else:
                self.answers[entry] = None
        for key, listed in wide.items():
            covered = frozenset(listed)
            self._wide[key] = shared.setdefault(covered, covered)
        self._sorted = sort_origins([e for e in self.policy.allow_origins if isinstance(e, str)])
        self._memory: dict[str, Decision] = {}
        # Apart, so that strangers don't push out what pages ask.
        self.preflights: BoundedCache[PreflightKey, Decision] = BoundedCache()
        self.refused_preflights: BoundedCache[PreflightKey, Decision] = BoundedCache()

    def _compile_headers(self) -> None:
        policy = self.policy
        self._methods = frozenset({*policy.allow_methods, *fetch_spec.SAFELISTED_METHODS})
        self._names = frozenset(name.lower() for name in policy.allow_headers)
        # With credentials a browser reads `*` literally (Fetch, "CORS-preflight fetch", 7.5 and
        # 7.7), so the answer then names what was asked for.
        self._echo_methods = "*" in policy.allow_methods and policy.allow_credentials
        self._echo_names = "*" in policy.allow_headers and policy.allow_credentials

        self._credentials: Fields = ()
        if policy.allow_credentials:
            self._credentials = ((fetch_spec.ALLOW_CREDENTIALS, "true"),)
        self._expose: Fields = ()
        if policy.expose_headers:
            self._expose = ((fetch_spec.EXPOSE_HEADERS, ", ".join(policy.expose_headers)),)
        self._allow_methods: Fields = ()
        if policy.allow_methods:
            self._allow_methods = (_safelisted_and(policy.allow_methods),)
        self._allow_headers: Fields = ()
        if policy.allow_headers:
            self._allow_headers = ((fetch_spec.ALLOW_HEADERS, ", ".join(policy.allow_headers)),)
        self._max_age: Fields = ()
        if policy.max_age is not None:
            self._max_age = ((fetch_spec.MAX_AGE, str(policy.max_age)),)

        # Fetch, "CORS protocol and HTTP caches": an answer that is the same for every origin is
        # given always, and does not vary by it.
        asked = (fetch_spec.REQUEST_METHOD, fetch_spec.REQUEST_HEADERS)
        self._vary: Fields = () if self.any_origin else (("Vary", "Origin"),)
        varying = asked if self.any_origin else ("Origin", *asked)
        self._preflight_vary: Fields = (("Vary", ", ".join(varying)),)
        self._any_ruling = self._allowed("*") if self.any_origin else None
        fields = self._any_ruling.headers if self._any_ruling else self._vary
        self.no_origin = Decision(Kind.NOT_CORS, Reason.NOT_CORS, "", None, fields)

    def _ruled(self, origin: str) -> Decision | None:
        """What is said on origin, whatever else the request asks: the decision on an actual one.

        None where the callables must be asked.
        """
        if self._any_ruling is not None:
            return self._any_ruling
        if len(origin) > MAX_LENGTH:  # not worth hashing
            return self._refused(Reason.ORIGIN_INVALID, origin)
        return self.answers.get(origin) or self._memory.get(origin) or self._judged(origin)

    def _judged(self, origin: str) -> Decision | None:
        if origin in self.answers:
            ruling = self.answers[origin] = self._allowed(origin)
            return ruling
        try:
            parsed = Origin.parse(origin)
        except OriginError:
            ruling = self._refused(Reason.ORIGIN_INVALID, origin)
        else:
            if self._covers(parsed):
                ruling = self._allowed(origin)
            elif parsed.opaque or self.refuses_plain_http(parsed):
                ruling = self._refused(Reason.ORIGIN_NOT_ALLOWED, origin)
            elif any(fullmatch(origin) for fullmatch in self._regexes):
                ruling = self._allowed(origin)
            elif self._predicates:
                return None
            else:
                ruling = self._refused(Reason.ORIGIN_NOT_ALLOWED, origin)
        self._learn(origin, ruling)
        return ruling

    def _learn(self, origin: str, ruling: Decision) -> None:
        with self._learning:
            if len(self._memory) >= BoundedCache.MOST:
                for known in self._memory:
                    self.answers.pop(known, None)
                self._memory.clear()
            self._memory[origin] = ruling
            if ruling.reason is Reason.ALLOWED:
                self.answers[origin] = ruling

    def _covers(self, origin: Origin) -> bool:
        """Whether a pattern for any port or for subdomains covers origin."""
        if not self._wide:
            return False
        host = origin.host
        ports = ((origin.scheme, str(origin.port or "")), (origin.scheme, "*"))
        at = 0
        key = host
        while True:
            listed = self._wide.get(key)
            if listed is not None and not listed.isdisjoint(ports):
                return True
            at = host.find(".", at + 1)
            if at < 0:
                return False
            key = host[at:]

    def _ask(self, origin: str, wait: Waiter | None) -> Decision:
        faults: list[Fault] = []
        for predicate in self._predicates:
            answer: object
            try:
                answer = predicate(origin)
                if wait is not None and isinstance(answer, Awaitable):
                    answer = wait(answer, self.policy.predicate_timeout)
            except Exception as error:
                answer = error
            if is_true_answer(predicate, answer, faults):
                return self._allowed(origin, faults)
        return self._refused(Reason.ORIGIN_NOT_ALLOWED, origin, faults)

    async def _ask_async(self, origin: str, call: Caller | None) -> Decision:
        faults: list[Fault] = []
        for predicate in self._predicates:
            answer: object
            try:
                if call is None or is_async(predicate):
                    answer = predicate(origin)
                    if isinstance(answer, Awaitable):
                        answer = await wait_for(answer, self.policy.predicate_timeout)
                else:
                    answer = await call(predicate, origin)
            except Exception as error:
                answer = error
            if is_true_answer(predicate, answer, faults):
                return self._allowed(origin, faults)
        return self._refused(Reason.ORIGIN_NOT_ALLOWED, origin, faults)

    def _allowed(self, origin: str, faults: Sequence[Fault] = ()) -> Decision:
        # Fetch, "CORS check": compared byte by byte, so the request's own bytes are sent back.
        allowed = (fetch_spec.ALLOW_ORIGIN, origin)
        headers = (allowed, *self._credentials, *self._expose, *self._vary)
        return Decision(Kind.ACTUAL, Reason.ALLOWED, "", None, headers, tuple(faults))

    def _refused(self, reason: Reason, origin: str, faults: Sequence[Fault] = ()) -> Decision:
        detail = escape_text(origin)
        near = find_closest_origin(origin, self._sorted)
        if near:
            detail = f"{detail} (nearest listed: {near})"
        return Decision(Kind.ACTUAL, reason, detail, None, self._vary, tuple(faults))

    def _conclude(
        self,
        decision: Decision,
        origin: str,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None,
        methods: Collection[str] | None,
    ) -> Decision:
        # Fetch, "CORS-preflight request": these three, nothing else.
        if method == "OPTIONS":
            read = build_reader(request_headers)
            requested = read("access-control-request-method")
            if requested is not None:
                asked = read("access-control-request-headers")
                return self._preflight(decision, origin, requested, asked, methods)
        if decision.reason is Reason.ALLOWED:
            if not credentials or self._credentials:
                return decision
            # The Fetch standard's CORS check fails for a request with credentials.
            read = build_reader(request_headers)
            if read("sec-fetch-mode") not in {None, "cors"}:
                return decision
            reason = Reason.CREDENTIALS_NOT_ALLOWED
            decision = decision._replace(reason=reason, detail=escape_text(origin))
        else:
            read = build_reader(request_headers)
        if is_same_origin(origin, read, self._own_origins):
            return decision._replace(kind=Kind.NOT_CORS, reason=Reason.SAME_ORIGIN, detail="")
        return decision

    def _preflight(
        self,
        ruling: Decision,
        origin: str,
        method: str,
        asked: str | None,
        methods: Collection[str] | None,
    ) -> Decision:
        """The answer to a preflight, remembered where it is no longer than what browsers send."""
        length = len(origin) + len(method) + len(asked or "")
        if methods is not None or self._predicates or length > _LONGEST_REMEMBERED:
            return self._preflight_anew(ruling, method, asked, methods)
        key = origin, method, asked
        decision = self.preflights.get(key) or self.refused_preflights.get(key)
        if decision is None:
            decision = self._preflight_anew(ruling, method, asked, methods)
            allowed = decision.reason is Reason.ALLOWED
            (self.preflights if allowed else self.refused_preflights).keep(key, decision)
        return decision

    def _preflight_anew(
        self,
        ruling: Decision,
        method: str,
        asked: str | None,
        methods: Collection[str] | None,
    ) -> Decision:
        _, reason, detail, _, fields, faults = ruling
        if reason is not Reason.ALLOWED:
            return Decision(Kind.PREFLIGHT, reason, detail, 403, self._preflight_vary, faults)
        names = parse_names(asked)
        if not self._allows_method(method):
            reason, detail = Reason.METHOD_NOT_ALLOWED, escape_text(method)
        elif names is None:
            reason, detail = Reason.HEADERS_NOT_ALLOWED, "more header names than any page sends"
        else:
            refused = next((name for name in names if not self._allows_header(name)), None)
            if refused is not None:
                reason, detail = Reason.HEADERS_NOT_ALLOWED, escape_text(refused)
        headers = (
            fields[0],
            *self._credentials,
            *self._methods_field(method, methods),
            *(_echoed_names(names) if self._echo_names else self._allow_headers),
            *self._max_age,
            *self._preflight_vary,
        )
        return Decision(Kind.PREFLIGHT, reason, detail, 204, headers, faults)

    def _allows_method(self, method: str) -> bool:
        if method in self._methods:
            return True
        # Fetch, "methods": a forbidden one never comes from a page, so `*` need not cover it.
        return (
            "*" in self._methods
            and fetch_spec.is_token(method)
            and method.upper() not in fetch_spec.FORBIDDEN_METHODS
        )

    def _allows_header(self, name: str) -> bool:
        if "*" not in self._names:
            return name in self._names
        # Fetch, "CORS non-wildcard request-header name": `*` does not cover Authorization.
        covered = name != "authorization" or self._echo_names or name in self._names
        return covered and fetch_spec.is_token(name)

    def _methods_field(self, method: str, methods: Collection[str] | None) -> Fields:
        """Allow-Methods in the answer to a preflight for method."""
        if methods is not None:
            named = [name for name in sorted(methods) if self._allows_method(name)]
            return ((fetch_spec.ALLOW_METHODS, ", ".join(named)),) if named else ()
        if self._echo_methods:
            return (_safelisted_and((method,)),) if self._allows_method(method) else ()
        return self._allow_methods


def _safelisted_and(methods: Sequence[str]) -> tuple[str, str]:
    """Allow-Methods, with the safelisted ones: an upload with a listener preflights a POST."""
    if methods == ("*",):
        return fetch_spec.ALLOW_METHODS, "*"
    return fetch_spec.ALLOW_METHODS, ", ".join(
        dict.fromkeys((*fetch_spec.SAFELISTED_METHODS, *methods))
    )


def _echoed_names(names: list[str] | None) -> Fields:
    if not names or not all(map(fetch_spec.is_token, names)):
        return ()
    return ((fetch_spec.ALLOW_HEADERS, ", ".join(names)),)
