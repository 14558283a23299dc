"""Guard: the live thing that an adapter holds: which policy holds for which path, now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from logging import DEBUG
from os import PathLike
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from corsguard.engine.csrf import is_unsafe_cross_site, refuse_unless_allowed
from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.engine.engine import Answers, Caller, Engine, Fields, PreflightKey, Waiter
from corsguard.engine.headers import HeaderList, RequestHeaders, build_reader, merge_headers
from corsguard.engine.request import CORSRequest
from corsguard.errors import (
    NO_POLICY,
    PolicyError,
    PolicyWarning,
    Problem,
    emit_warnings,
)
from corsguard.fork_safety import restart_in_child
from corsguard.guard.arguments import argument_problems
from corsguard.guard.refusal_log import RefusalLog
from corsguard.guard.snapshot import Enforce, Policies, Snapshot
from corsguard.guard.view_policies import View
from corsguard.policy import Policy, PolicyFields

if TYPE_CHECKING:
    from corsguard.guard.config import Settings

__all__ = ["Guard", "GuardFields", "Policies"]

_QUIET = (Reason.ALLOWED, Reason.NOT_CORS, Reason.NO_POLICY, Reason.SAME_ORIGIN)
"""The reasons that there is nothing to log for, the likeliest first."""
_OF_ORIGIN = frozenset({Reason.ORIGIN_INVALID, Reason.ORIGIN_NOT_ALLOWED})
_FROM_ELSEWHERE = frozenset({"cross-site", "same-site"})
_NO_POLICY = Decision(Kind.NOT_CORS, Reason.NO_POLICY, "", None, ())
_NOTHING = Snapshot(None, False, (), ())
"""What is known where nothing may be."""

Subscriber = Callable[[Decision, CORSRequest], object]


class GuardFields(PolicyFields, total=False):
    """The keyword arguments of an adapter: a policy's fields, and a guard's options."""

    routes: Mapping[str, Any]
    enforce: Enforce
    enforce_exempt: Iterable[str]
    own_origins: Iterable[str]


class Guard:
    """Which policy holds for which path, whether it is enforced, and the log of refusals.

    `policies` is one policy for every path, whatever the path looks like; or policies by route
    prefix, None for no CORS there; or None for no CORS at all.

    `enforce` answers 403 to unsafe requests that a browser sends from elsewhere and that no policy
    allows; "report" only says so. `enforce_exempt` are route prefixes that it leaves alone.
    `own_origins` are this service's own origins, where a proxy rewrites `Host`.

    Raises PolicyError with every problem found; warns with PolicyWarning of what a policy could not
    know of itself: that it is enforced. Safe to use from many threads.

    `answers` and `answers_to_cookies` are the decisions that are known already, by the origin of a
    request without or with a cookie: an adapter that finds one there need not ask `decide`, unless
    the method is OPTIONS or the view has a policy of its own.
    """

    answers: Answers
    answers_to_cookies: Answers

    def __init__(
        self,
        policies: Policies,
        *,
        enforce: Enforce = False,
        enforce_exempt: Iterable[str] = (),
        own_origins: Iterable[str] = (),
    ) -> None:
        self._open(Snapshot(policies, enforce, enforce_exempt, own_origins))
        self._warn(self._state)

    def _open(self, state: Snapshot) -> None:
        """Start with a state, without a warning."""
        self._log = RefusalLog()
        self._log_has = self._log.has
        self._subscribers: tuple[Subscriber, ...] = ()
        self._sync_only = False
        self._state = state
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Make new locks, and finish what was being replaced; see corsguard.fork_safety."""
        self._replacing = Lock()
        self._take(self._state)

    @classmethod
    def of(cls, given: Guard | Policies, fields: Mapping[str, Any] = MappingProxyType({})) -> Guard:
        """Return the guard for what an adapter was called with: a policy, or its fields.

        `given` is a Guard, a Policy, policies by route prefix, or None; `fields` are the keyword
        arguments beside it, in the one configuration shape. Raises PolicyError: for both at once,
        for neither (`no-policy`), and for whatever does not start.
        """
        guard = cls.read_arguments(given, fields)
        if not guard.policies and not guard.enforce:
            raise PolicyError([NO_POLICY])
        return guard

    @classmethod
    def read_arguments(cls, given: Guard | Policies, fields: Mapping[str, Any]) -> Guard:
        """Do the same for an adapter whose views may bring the only policies: neither is allowed.

        Raises PolicyError.
        """
        problems = argument_problems(given, fields, (cls, Policy))
        if problems:
            raise PolicyError(problems)
        if given is None and fields:
            from corsguard.guard import config

            return cls._of_settings(config.read_mapping(fields))
        return given if isinstance(given, Guard) else cls(given)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], place: str = "") -> Guard:
        """A guard of the one configuration shape: a policy's fields, or a table of `routes`.

        Raises PolicyError; warns with PolicyWarning. Both name `place` as where the mapping stands.
        """
        from corsguard.guard import config

        settings = config.read_mapping(mapping)
        return cls._of_settings(settings, lambda found: config.as_item(found).within(place))

    @classmethod
    def configured(cls, given: Any, place: str = "") -> Guard:
        """The guard of a framework's setting: a mapping in that shape, a Policy or a Guard.

        Raises PolicyError.
        """
        if isinstance(given, Guard):
            return given
        return cls(given) if isinstance(given, Policy) else cls.from_mapping(given, place)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Guard:
        """A guard of a TOML file in the same shape.

        Raises OSError where it can't be read, ValueError where it is not TOML, and PolicyError;
        warns with PolicyWarning.
        """
        from corsguard.guard import config

        return cls._of_settings(config.read_file(path), config.as_toml)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Guard:
        """A guard of one policy from `CORSGUARD_ALLOW_ORIGINS` and its like, lists by commas.

        Raises PolicyError, where an unknown `CORSGUARD_` name is a problem as well.
        """
        from corsguard.guard import config

        return cls._of_settings(config.read_environ(environ), config.as_variable_named)

    @classmethod
    def _of_settings(
        cls, settings: Settings, named: Callable[[Problem], Problem] = lambda found: found
    ) -> Guard:
        """The guard of what was read, whose problems and warnings are named as they stand there."""
        try:
            state = Snapshot(*settings[:4])
        except PolicyError as error:
            raise PolicyError(map(named, (*settings.problems, *error.problems))) from None
        if settings.problems:
            raise PolicyError(map(named, settings.problems))
        guard = cls.__new__(cls)
        cls._open(guard, state)
        emit_warnings(map(named, (*settings.warnings, *state.warnings_of_enforcement())))
        return guard

    @property
    def policies(self) -> Policies:
        """What the guard was made of, or last reconfigured with."""
        return self._state.policies

    @property
    def enforce(self) -> Enforce:
        """Whether unsafe requests from elsewhere are refused, or "report" for only saying so."""
        return self._state.enforce

    @property
    def enforce_exempt(self) -> tuple[str, ...]:
        """The route prefixes that enforcement leaves alone."""
        return self._state.enforce_exempt

    @property
    def own_origins(self) -> tuple[str, ...]:
        """The service's own origins, besides the one that `Host` tells."""
        return tuple(self._state.own_origins)

    @property
    def warnings(self) -> tuple[PolicyWarning, ...]:
        """What the policies warn of, those of views included, each with its place."""
        return tuple(map(PolicyWarning, self._state.find_warnings()))

    @property
    def has_callables(self) -> bool:
        """Whether any policy has a callable, whose answer may have to be awaited."""
        return self._state.has_callables

    @property
    def has_async_callables(self) -> bool:
        """Whether any of these is async, and can't be asked by `decide`."""
        return self._state.has_async_callables

    def policy_for(self, path: str) -> Policy | None:
        """The policy that holds for path, decoded once, as the application's router sees it."""
        _, engine = self._state.find(path)
        return engine.policy if engine else None

    def reconfigure(self, policies: Policies) -> None:
        """Replace all policies at once; the rest stays.

        A request is answered wholly by the old ones or wholly by the new ones. Raises PolicyError,
        and then the old ones stay in force; warns with PolicyWarning once the new ones are.
        """
        with self._replacing:
            state = self._state.with_policies(policies)
            self._replace(state)
        self._warn(state)

    def adopt(self, views: Iterable[tuple[str, Policy]]) -> None:
        """Compile the policies of views, each with the place that a problem of it is said to have.

        Raises PolicyError with the problems of all, and then none of them is compiled.
        """
        with self._replacing:
            self._replace(self._state.with_views(views))

    def require_sync(self) -> None:
        """Refuse async callables from now on: an adapter that can't await calls this at start-up.

        Raises PolicyError (`callable-async`) where a policy has one already.
        """
        self._state.require_sync()
        self._sync_only = True

    def _warn(self, state: Snapshot) -> None:
        emit_warnings(state.warnings_of_enforcement())

    def _replace(self, state: Snapshot) -> None:
        if self._sync_only:
            state.require_sync()
        self._take(state)

    def _take(self, state: Snapshot) -> None:
        self._state = state
        # A subscriber hears of every request, so each is decided.
        known = _NOTHING if self._subscribers else state
        self.answers = known.answers
        self.answers_to_cookies = known.answers_to_cookies
        self._refusals = known.refusals
        self._preflights = known.preflights
        self._refused_preflights = known.refused_preflights

    def asks_ahead(self, origin: str | None, method: str, request_headers: RequestHeaders) -> bool:
        """Whether the answer to a request may depend on its view before any view is called.

        That is a preflight, and under enforcement an unsafe request from elsewhere.
        """
        read = build_reader(request_headers)
        if method == "OPTIONS":
            return origin is not None and read("access-control-request-method") is not None
        state = self._state
        return bool(state.enforce) and is_unsafe_cross_site(origin, method, read, state.own_origins)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call subscriber with every refusal and every other decision that is not Kind.NOT_CORS,
        and with its CORSRequest, in the thread of the request. What it raises is logged."""
        with self._replacing:
            self._subscribers = (*self._subscribers, subscriber)
            self._take(self._state)

    def known(self, environ: Mapping[str, Any], method: str | None) -> Decision | None:
        """The answer to a request, given as a WSGI environ or Django's META, where it is known:
        for most requests. None where `decide` must be asked."""
        origin = environ.get("HTTP_ORIGIN")
        if method == "OPTIONS":
            method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
            names = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS")
            return self.known_preflight((origin, method, names))
        answers = self.answers_to_cookies if "HTTP_COOKIE" in environ else self.answers
        decision = answers.get(origin)
        if decision is not None:
            return decision
        # As known_refusal, whose call would be a tenth of all that it costs.
        if environ.get("HTTP_SEC_FETCH_SITE") in _FROM_ELSEWHERE and not self._log_has(DEBUG):
            return self._refusals.get(origin)
        return None

    def known_refusal(self, origin: str | None, site: str | None) -> Decision | None:
        """What is known already of an origin that is not among `answers`: None, or a refusal that
        has been logged. `site` is the value of `Sec-Fetch-Site`."""
        if site in _FROM_ELSEWHERE and not self._log_has(DEBUG):
            return self._refusals.get(origin)
        return None

    def known_preflight(self, asked: PreflightKey) -> Decision | None:
        """The answer to a preflight where it is known: an allowance, or a logged refusal."""
        decision = self._preflights.get(asked)
        if decision is None and not self._log_has(DEBUG):
            return self._refused_preflights.get(asked)
        return decision

    def decide(
        self,
        path: str,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
        *,
        view: View | None = None,
        methods: Collection[str] | None = None,
        wait: Waiter | None = None,
    ) -> Decision:
        """The answer to a request; see Engine.decide. The policy of a view wins over the path's,
        and `methods` are those of the URL that the path's holds for, where views have others."""
        state = self._state
        route, engine = state.find(path) if view is None else state.find_view(view)
        if engine is None:
            decision = _NO_POLICY
        else:
            methods = view.methods if view else methods
            decision = engine.decide(origin, method, request_headers, credentials, methods, wait)
        if decision.reason in _QUIET and not (
            state.enforce or self._subscribers or decision.faults
        ):
            return decision
        return self._concluded(
            state, route, engine, decision, path, origin, method, request_headers, credentials
        )

    async def decide_async(
        self,
        path: str,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
        *,
        view: View | None = None,
        methods: Collection[str] | None = None,
        call: Caller | None = None,
    ) -> Decision:
        """The same; async callables are awaited, and `call` calls the others; see Engine."""
        state = self._state
        route, engine = state.find(path) if view is None else state.find_view(view)
        if engine is None:
            decision = _NO_POLICY
        else:
            methods = view.methods if view else methods
            decision = await engine.decide_async(
                origin, method, request_headers, credentials, methods, call
            )
        if decision.reason in _QUIET and not (
            state.enforce or self._subscribers or decision.faults
        ):
            return decision
        return self._concluded(
            state, route, engine, decision, path, origin, method, request_headers, credentials
        )

    def put_on(
        self, decision: Decision, headers: HeaderList, path: str | None = None
    ) -> HeaderList:
        """Return the response's header fields with those of the decision put in.

        `path` is that of the request, for the log.
        """
        if not decision.headers:  # no policy holds here, and the application speaks for itself
            return headers
        return self.merge(decision.headers, headers, path)

    def merge(self, fields: Fields, headers: HeaderList, path: str | None = None) -> HeaderList:
        """Do the same for the fields of a decision; they are put in even where there are none."""
        result, replaced = merge_headers(fields, headers)
        if replaced:
            self._log.replaced(replaced, path)
        return result

    def _concluded(
        self,
        state: Snapshot,
        route: str | None,
        engine: Engine | None,
        decision: Decision,
        path: str,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None,
    ) -> Decision:
        """Return the decision, or the refusal that takes its place; log and publish either."""
        before = decision.reason
        if state.enforce and not state.exempt.find(path):
            read = build_reader(request_headers)
            if is_unsafe_cross_site(origin, method, read, state.own_origins):
                policy = engine.policy if engine else None
                decision = refuse_unless_allowed(
                    decision, state.enforce, policy, origin, credentials
                )
        refused = decision.reason not in _QUIET
        if refused or decision.faults or decision.kind is not Kind.NOT_CORS:
            read = build_reader(request_headers)
            asked = (read("access-control-request-method"), read("access-control-request-headers"))
            facts = CORSRequest(path, origin, method, *asked, credentials, route)
            for fault in decision.faults:
                self._log.fault(fault, route)
            if refused:
                self._log.refused(decision, before, facts, read, engine)
                self._keep(state, engine, decision, origin)
            if refused or decision.kind is not Kind.NOT_CORS:
                self._publish(decision, facts)
        return decision

    def _keep(
        self, state: Snapshot, engine: Engine | None, decision: Decision, origin: str | None
    ) -> None:
        """Keep a refusal that would be the same the next time, and is logged by now."""
        if (
            engine is None
            or engine.answers is not state.answers
            or self._subscribers
            or decision.reason not in _OF_ORIGIN
            or decision.kind is not Kind.ACTUAL
            or origin is None
            or not engine.remembers(origin)
        ):
            return
        state.refusals.keep(origin, decision)

    def _publish(self, decision: Decision, facts: CORSRequest) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(decision, facts)
            except Exception as error:
                self._log.subscriber_failed(subscriber, error)
