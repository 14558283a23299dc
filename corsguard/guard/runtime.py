"""The live part of a guard: what adapters call for each request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import NamedTuple

from corsguard.engine.csrf import is_unsafe_cross_site, refuse_unless_allowed
from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.engine.engine import Caller, Engine, Waiter
from corsguard.engine.request import CORSRequest, Methods
from corsguard.engine.response_headers import Fields, HeaderList, merge_headers
from corsguard.errors import emit_warnings
from corsguard.fork_safety import restart_in_child
from corsguard.guard.candidate import Candidate, CandidateDifference
from corsguard.guard.counts import GuardCounts
from corsguard.guard.options import PlacedViewPolicy, Policies
from corsguard.guard.refusal_log import RefusalLog
from corsguard.guard.snapshot import NO_POLICY_DECISION, AppliedPolicy, Snapshot
from corsguard.guard.view_policies import View
from corsguard.policy.answers import Answer
from corsguard.policy.predicates import Fault

__all__ = ["Case", "GuardRuntime", "Observer", "Subscriber"]

Subscriber = Callable[[Decision, CORSRequest], object]

_QUIET = (Reason.ALLOWED, Reason.NOT_CORS, Reason.NO_POLICY, Reason.SAME_ORIGIN)
"""The reasons that are not logged, the likeliest first."""


class Case(NamedTuple):
    """A request, and what applies to it."""

    snapshot: Snapshot
    applied: AppliedPolicy
    request: CORSRequest
    methods: Methods


Observer = Callable[[Case, Decision], object]


class _Pending(NamedTuple):
    """A decision that waits for the callables of a policy."""

    engine: Engine
    resume: Callable[[Decision], Decision | _Pending]
    """Takes what the callables evaluated. The next policy of a list may have to be asked then."""


class GuardRuntime:
    """The policies that apply now, and what is done about each decision: log, publish, cache.

    Safe to use from many threads, and in a process that forks. `snapshot` is replaced by one
    assignment: a request is answered wholly by the old policies or wholly by the new ones.
    """

    def __init__(self, snapshot: Snapshot, log: RefusalLog | None = None) -> None:
        self.snapshot: Snapshot = snapshot
        self.log: RefusalLog = RefusalLog() if log is None else log
        self._subscribers: tuple[Subscriber, ...] = ()
        self._observers: tuple[Observer, ...] = ()
        self._has_listeners = False  # of either kind: one look for a request without any
        self._candidate: Candidate | None = None
        self._is_sync_only = False
        self._wake: Callable[[], object] | None = None
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Make a new lock; see corsguard.fork_safety."""
        self._replacing = Lock()

    @property
    def has_callables(self) -> bool:
        """True if any policy has a callable, whose answer may have to be awaited."""
        return self.snapshot.has_callables

    @property
    def has_async_callables(self) -> bool:
        """True if any of these is async, so that `decide` can't ask it."""
        return self.snapshot.has_async_callables

    def decide(
        self,
        request: CORSRequest,
        view: View | None = None,
        methods: Methods = None,
        wait: Waiter | None = None,
    ) -> Decision:
        """Return the decision on a request, and log, publish and cache it.

        The policy of a view wins over that of the path. `methods` are those of the URL that the
        policy applies to, None for all of them: where other views on the URL have other policies,
        a preflight names none of theirs. `wait` waits for what an async callable returns; without
        it, that counts as False.
        """
        pending = self._start(request, view, methods)
        while not isinstance(pending, Decision):
            pending = pending.resume(pending.engine.ask(request, wait))
        return pending

    async def decide_async(
        self,
        request: CORSRequest,
        view: View | None = None,
        methods: Methods = None,
        call: Caller | None = None,
    ) -> Decision:
        """Return the same. Async callables are awaited, and `call` calls the others; see Engine."""
        pending = self._start(request, view, methods)
        while not isinstance(pending, Decision):
            pending = pending.resume(await pending.engine.ask_async(request, call))
        return pending

    def _start(
        self, request: CORSRequest, view: View | None, methods: Methods
    ) -> Decision | _Pending:
        """Return the decision on a request, as far as no callable has to be asked for it."""
        if (wake := self._wake) is not None:  # read once: another thread may remove it
            wake()
        snapshot = self.snapshot
        case = Case(snapshot, snapshot.find(request.path, view), request, methods)
        if not case.applied.engines:
            return self.conclude(case, None, NO_POLICY_DECISION, is_asked=False)
        return self._search(case)

    def _search(
        self, case: Case, at: int = 0, faults: tuple[Fault, ...] | None = None
    ) -> Decision | _Pending:
        """Return the decision of the first policy at a place that covers the origin, or the last.

        `at` is the index of the first one that is tried. `faults` are those of the callables that
        have been asked before, None if none has.
        """
        engines = case.applied.engines
        while True:
            engine = engines[at]
            evaluation = engine.evaluate(case.request.origin)
            if evaluation is None:
                return _Pending(engine, partial(self._resume, case, at, faults or ()))
            at += 1
            if at == len(engines) or engine.covers(evaluation):
                if faults:
                    evaluation = evaluation._replace(faults=faults)
                return self.conclude(case, engine, evaluation, is_asked=faults is not None)

    def _resume(
        self, case: Case, at: int, faults: tuple[Fault, ...], evaluation: Decision
    ) -> Decision | _Pending:
        """Continue a search with what the callables of the policy at this index evaluated."""
        engines = case.applied.engines
        faults += evaluation.faults
        if at + 1 == len(engines) or engines[at].covers(evaluation):
            evaluation = evaluation._replace(faults=faults)
            return self.conclude(case, engines[at], evaluation, is_asked=True)
        return self._search(case, at + 1, faults)

    def conclude(
        self, case: Case, engine: Engine | None, evaluation: Decision, *, is_asked: bool
    ) -> Decision:
        """Return the decision that follows from the evaluation of the origin.

        `engine` is that of the policy that decides, None for no CORS. `is_asked` is True if a
        callable was called, whose answer is not cached.
        """
        snapshot, applied, request, methods = case
        decision = engine.conclude(request, evaluation, methods) if engine else evaluation
        reason = decision.reason
        if applied.is_enforced and is_unsafe_cross_site(request, snapshot.own_origins):
            policy = engine.policy if engine else None
            decision = refuse_unless_allowed(decision, request, policy, snapshot.enforce)
        if decision.reason not in _QUIET or decision.faults or self._has_listeners:
            deciding = applied.name_deciding(engine, reason)
            request_there = request.with_route(applied.route)
            self._report(decision, reason, request_there, engine, deciding)
            self._call_observers(case, decision)
        if not is_asked:
            applied.cache.store(request, decision, methods)
        elif engine is not None and (answer := _find_answer(applied, engine, request)) is not None:
            applied.cache.store_answered(request, decision, answer, methods)
        return decision

    def _report(
        self,
        decision: Decision,
        reason: Reason,
        request: CORSRequest,
        engine: Engine | None,
        deciding: str,
    ) -> None:
        """Log a refusal and the callables that failed, and call the subscribers."""
        for fault in decision.faults:
            self.log.report_fault(fault, request.route)
        is_refused = decision.reason not in _QUIET
        if is_refused:
            self.log.report_refusal(decision, reason, request, engine, deciding)
        if is_refused or decision.kind is not Kind.NOT_CORS:
            for subscriber in self._subscribers:
                try:
                    subscriber(decision, request)
                except Exception as error:
                    self.log.report_subscriber(subscriber, error)

    def _call_observers(self, case: Case, decision: Decision) -> None:
        candidate = self._candidate
        compare = () if candidate is None else (candidate.observe,)
        for observer in (*self._observers, *compare):
            try:
                observer(case, decision)
            except Exception as error:
                self.log.report_subscriber(observer, error)

    def needs_view_first(self, request: CORSRequest) -> bool:
        """Return True if the view must be resolved before anything of the application runs.

        That is so for a preflight, and under enforcement for an unsafe cross-site request.
        """
        if request.method == "OPTIONS":
            return request.is_preflight
        snapshot = self.snapshot
        return bool(snapshot.enforce) and is_unsafe_cross_site(request, snapshot.own_origins)

    def merge(self, fields: Fields, headers: HeaderList, path: str | None = None) -> HeaderList:
        """Return a response's header fields with the decided ones put in.

        Without any, no policy applies, and the application's own stay. `path` is that of the
        request. The log says, once for each, which fields were replaced.
        """
        if not fields:
            return headers
        result, replaced = merge_headers(fields, headers)
        if replaced:
            self.log.report_replaced(replaced, path)
        return result

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call a subscriber with each decision from now on; see Guard.subscribe."""
        with self._replacing:
            # First the caches: a child that is forked in between keeps none that skip a subscriber.
            self._switch_caches(is_cached=False)
            self._subscribers = (*self._subscribers, subscriber)
            self._has_listeners = True

    def observe(self, observer: Observer) -> None:
        """Call an observer with each decision that is computed from now on, whatever it is.

        It is called with the Case and the Decision, in the thread of the request. Its errors are
        logged. Unlike a subscriber it leaves the caches on, and is not called for what they return.
        """
        with self._replacing:
            self._observers = (*self._observers, observer)
            self._has_listeners = True

    def stop_observing(self, observer: Observer) -> None:
        """Call an observer no longer. One that was never added is ignored."""
        with self._replacing:
            self._observers = tuple(each for each in self._observers if each != observer)
            self._find_listeners()

    def _find_listeners(self) -> None:
        self._has_listeners = bool(self._subscribers or self._observers or self._candidate)

    def count(self) -> GuardCounts:
        """Return the counts of this guard, which begin with the first call.

        From then on a cached decision costs about 0.4 microseconds more.
        """
        counts = self.snapshot.counts
        if counts is not None:  # without the lock, which a large policy may hold for long
            return counts
        with self._replacing:
            counts = self.snapshot.counts or GuardCounts()
            if self.snapshot.counts is None:
                # The snapshot last: a child that is forked in between begins anew.
                self._observers = (*self._observers, counts.observe)
                self._has_listeners = True
                self.snapshot = self.snapshot.count_in(counts)
            return counts

    def set_candidate(self, snapshot: Snapshot | None) -> None:
        """Evaluate the policies of a snapshot beside those in force, or none any more.

        The differences are counted from zero, unless the candidate had equal policies before.
        """
        with self._replacing:
            last = self._candidate
            parts = [] if last is None else last.snapshot.list_origin_parts()
            del last
            if snapshot is None:
                self._candidate = None
                self._restore_caches()
                self._find_listeners()
            else:
                self._switch_caches(is_cached=False)
                self._has_listeners = True
                self._candidate = Candidate(snapshot, self._candidate)
        _free(parts)

    def candidate_counts(self) -> tuple[CandidateDifference, ...]:
        """Return the requests that the candidate would decide otherwise, the most frequent first.

        Nothing without a candidate. See Guard.candidate_differences.
        """
        candidate = self._candidate
        return () if candidate is None else candidate.list_differences()

    def call_at_next_request(self, wake: Callable[[], object] | None) -> None:
        """Call wake before each decision from now on, or with None, no longer.

        Until then no decision is cached, so that none escapes.
        """
        with self._replacing:
            if wake is None:
                self._wake = None
                self._restore_caches()
            else:
                self._switch_caches(is_cached=False)
                self._wake = wake

    def _restore_caches(self) -> None:
        """Switch the caches on, unless something has to see every request."""
        if not (self._subscribers or self._candidate or self._wake):
            self._switch_caches(is_cached=True)

    def _switch_caches(self, *, is_cached: bool) -> None:
        if self.snapshot.is_cached is not is_cached:
            self.snapshot = self.snapshot.switch_caches(is_cached=is_cached)

    def reconfigure(self, policies: Policies) -> None:
        """Replace all policies at once; see Guard.reconfigure."""
        snapshot = self.swap(lambda current: current.replace_policies(policies))
        emit_warnings(snapshot.find_placement_warnings())

    def swap(self, build: Callable[[Snapshot], Snapshot]) -> Snapshot:
        """Replace the snapshot by what `build` returns for it, and return that.

        If it raises, such as a PolicyError, the snapshot stays.
        """
        with self._replacing:
            snapshot = build(self.snapshot)
            parts = self.snapshot.list_origin_parts()
            self._replace(snapshot)
        _free(parts)
        return snapshot

    def add_views(self, views: Iterable[PlacedViewPolicy]) -> None:
        """Compile the policies of views, each with the place that its problems name.

        Raises PolicyError with the problems of all, and then none of them is compiled.
        """
        with self._replacing:
            self._replace(self.snapshot.add_views(views))

    def require_sync(self) -> None:
        """Refuse async callables from now on: an adapter that can't await calls this at start-up.

        Raises PolicyError (`callable-async`) if a policy has one already.
        """
        self.snapshot.require_sync()
        self._is_sync_only = True

    def _replace(self, snapshot: Snapshot) -> None:
        if self._is_sync_only:
            snapshot.require_sync()
        self.snapshot = snapshot


def _free(parts: list[dict[str, str]]) -> None:
    """Free parts of replaced allow-lists, one by one.

    To free a million origins in one step would hold up other threads.
    """
    while parts:
        parts.pop()


def _find_answer(applied: AppliedPolicy, engine: Engine, request: CORSRequest) -> Answer | None:
    """Return the answer of a look-up that the decision of an engine depends on, and nothing else.

    None if a callable or a look-up of an earlier policy of the list was called: it may return
    something else the next time, and then decides.
    """
    answer = engine.find_remembered(request)
    if answer is None:
        return None
    earlier = applied.engines[: applied.engines.index(engine)]
    is_certain = all(each.evaluate(request.origin) is not None for each in earlier)
    return answer if is_certain else None
