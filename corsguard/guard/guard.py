"""Guard: the policy of each path, whether it is enforced, and the log of refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from corsguard.engine.csrf import Enforce
from corsguard.engine.decision import Decision
from corsguard.engine.request import CORSRequest, RequestHeaders
from corsguard.errors import PolicyError, PolicyWarning, Problem, emit_warnings
from corsguard.guard.candidate import CandidateDifference
from corsguard.guard.options import Options, Policies
from corsguard.guard.runtime import GuardRuntime, Subscriber
from corsguard.guard.snapshot import Snapshot
from corsguard.policy import Policy, PolicyFields

if TYPE_CHECKING:
    from corsguard.guard.config import Settings
    from corsguard.sources.follower import Follower, PolicyChange, SourceHealth
    from corsguard.sources.signature import VerifyingKey
    from corsguard.sources.source import PolicySource

__all__ = ["Guard", "GuardFields"]


class GuardFields(PolicyFields, total=False):
    """The keyword arguments of an adapter: a policy's fields, and a guard's options."""

    routes: Mapping[str, Any]
    enforce: Enforce
    enforce_exempt: Iterable[str]
    own_origins: Iterable[str]
    source: str | Mapping[str, Any]


class Guard:
    """The policies of a service by path, which decide its requests.

    `policies` is one policy for every path, whatever the path looks like; or policies by route
    prefix, None for no CORS there; or None for no CORS at all. In place of a policy, a list of them
    may be anywhere: the first that covers the origin of a request decides.

    `enforce=True` answers 403 to unsafe requests that a browser sends from another site and that no
    policy allows; "report" only logs them. `enforce_exempt` are route prefixes to which enforcement
    does not apply. `own_origins` are this service's own origins, where a proxy rewrites `Host`.

    `adapter` is the interface for adapters.

    Raises PolicyError with every problem found. Warns with PolicyWarning of dangers that depend on
    enforcement, which a policy alone can't detect. Safe to use from many threads.
    """

    adapter: GuardRuntime
    _follower: Follower | None = None

    def __init__(
        self,
        policies: Policies,
        *,
        enforce: Enforce = False,
        enforce_exempt: Iterable[str] = (),
        own_origins: Iterable[str] = (),
    ) -> None:
        snapshot = Snapshot(policies, Options(enforce, enforce_exempt, own_origins))
        self.adapter = GuardRuntime(snapshot)
        emit_warnings(snapshot.find_placement_warnings())

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], place: str = "") -> Guard:
        """Build a guard from the one configuration shape: a policy's fields, or a table `routes`.

        Raises PolicyError, and warns with PolicyWarning. Both name `place` as where the mapping is.
        """
        from corsguard.guard import config

        settings = config.read_mapping(mapping)
        return cls._from_settings(settings, lambda found: config.as_item(found).within(place))

    @classmethod
    def from_keywords(cls, fields: Mapping[str, Any]) -> Guard:
        """Build a guard from the keyword arguments of an adapter, in the same shape.

        Raises PolicyError, and warns with PolicyWarning.
        """
        from corsguard.guard import config

        return cls._from_settings(config.read_mapping(fields))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Guard:
        """Build a guard from a TOML file in the same shape.

        Raises OSError if the file can't be read, ValueError if it is not TOML, and PolicyError;
        warns with PolicyWarning.
        """
        from corsguard.guard import config

        return cls._from_settings(config.read_file(path), config.as_toml)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Guard:
        """Build a guard of one policy from the variables `CORSGUARD_ALLOW_ORIGINS` and so on.

        Lists are separated by commas. Raises PolicyError, also for an unknown `CORSGUARD_` name.
        """
        from corsguard.guard import config

        return cls._from_settings(config.read_environ(environ), config.name_variable)

    @classmethod
    def _from_settings(
        cls, settings: Settings, rename: Callable[[Problem], Problem] = lambda found: found
    ) -> Guard:
        """Build a guard from settings; `rename` rewords their problems and warnings."""
        from corsguard.guard.source_options import follow_source

        try:
            snapshot, candidate = settings.compile()
        except PolicyError as error:
            raise PolicyError(map(rename, error.problems)) from None
        guard = cls.__new__(cls)
        guard.adapter = GuardRuntime(snapshot)
        guard.adapter.set_candidate(candidate)
        if settings.source is not None:
            follow_source(guard.follow, settings.source)
        emit_warnings(map(rename, (*settings.warnings, *snapshot.find_placement_warnings())))
        return guard

    @property
    def policies(self) -> Policies:
        """The policies that the guard was built from, or last reconfigured with."""
        return self.adapter.snapshot.policies

    @property
    def enforce(self) -> Enforce:
        """True if unsafe cross-site requests are refused; "report" if they are only logged."""
        return self.adapter.snapshot.enforce

    @property
    def enforce_exempt(self) -> tuple[str, ...]:
        """The route prefixes to which enforcement does not apply."""
        return self.adapter.snapshot.enforce_exempt

    @property
    def own_origins(self) -> tuple[str, ...]:
        """The service's own origins, besides the one that `Host` names."""
        return self.adapter.snapshot.own_origins

    @property
    def warnings(self) -> tuple[PolicyWarning, ...]:
        """The warnings of all policies, per-view policies included, each with its place."""
        return tuple(map(PolicyWarning, self.adapter.snapshot.find_warnings()))

    def policy_for(self, path: str) -> Policy | None:
        """Return the policy that applies to a path, decoded once, as the router sees it.

        Of a list of policies that is the first; see `policies_for`.
        """
        return next(iter(self.policies_for(path)), None)

    def policies_for(self, path: str) -> tuple[Policy, ...]:
        """Return the policies that apply to a path, in order; none for no CORS.

        The first of them that covers the origin of a request decides.
        """
        return tuple(engine.policy for engine in self.adapter.snapshot.find(path).engines)

    def decide(
        self,
        path: str,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
    ) -> Decision:
        """Return the decision on a request at a path; see Engine.decide for the rest."""
        request = CORSRequest.from_headers(path, origin, method, request_headers, credentials)
        return self.adapter.decide(request)

    async def decide_async(
        self,
        path: str,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
    ) -> Decision:
        """Return the decision as `decide` does; await async callables up to `predicate_timeout`."""
        request = CORSRequest.from_headers(path, origin, method, request_headers, credentials)
        return await self.adapter.decide_async(request)

    def reconfigure(self, policies: Policies) -> None:
        """Replace all policies at once; the options stay.

        Every request is decided either by the old policies or by the new ones. Raises PolicyError
        and keeps the old ones in force if a new one is not valid. Warns with PolicyWarning once the
        new ones are in force.

        Raises RuntimeError if the guard follows a source, whose next document would replace them.
        """
        if self._follower is not None:
            raise RuntimeError(
                "this guard follows a source: publish there, or call unfollow() first"
            )
        self.adapter.reconfigure(policies)

    def follow(
        self,
        source: PolicySource | str,
        *,
        last_good: str | PathLike[str] | None = None,
        poll: float = 5.0,
        key: VerifyingKey | str | PathLike[str] | None = None,
    ) -> None:
        """Take the policies and options from a source, now and whenever it has another document.

        `source` is a PolicySource, or the URL of one, such as `redis://localhost:6379/0`. A
        document replaces all policies at once, and all options that it sets. One that is not valid
        is logged, and the last good one stays in force. The policies of views stay.

        `last_good` is a file that keeps the newest good document, with which a process starts while
        the source is down. `poll` is how many seconds pass between two looks at the source, which
        may report changes earlier. With a `key`, or the path of its file, documents that it has not
        signed are refused.

        Each process has its own threads, from its first request on, also after a fork.

        Raises PolicyError if the document is not valid, or (`source-unavailable`) if there is none,
        RuntimeError if the guard follows a source already, and ValueError or SourceError for a URL
        or a key that can't be used.
        """
        if self._follower is not None:
            raise RuntimeError("this guard follows a source already: call unfollow() first")
        from corsguard.sources.follower import Follower
        from corsguard.sources.last_good import LastGood
        from corsguard.sources.signature import load_verifying_key

        if not poll > 0:
            raise ValueError(f"poll: {poll} is not a number of seconds above 0")
        follower = Follower(
            self.adapter,
            _open(source, is_signed=key is not None) if isinstance(source, str) else source,
            last_good=None if last_good is None else LastGood(last_good),
            poll=poll,
            key=load_verifying_key(key) if isinstance(key, (str, PathLike)) else key,
        )
        try:
            follower.start_up()
        except BaseException:
            follower.close()
            raise
        self._follower = follower

    def unfollow(self) -> None:
        """Stop following the source. The policies in force stay."""
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.close()

    @property
    def version(self) -> str | None:
        """The version of the document in force; None if the guard follows no source."""
        return None if self._follower is None else self._follower.version

    @property
    def followed_since(self) -> float | None:
        """Seconds since the epoch at which that version came into force in this process."""
        return None if self._follower is None else self._follower.since

    def check_health(self) -> SourceHealth:
        """Return whether the policy in force is the newest one of the source, and if not, why.

        For probes and alerts. A guard that is not current still decides every request.
        """
        from corsguard.sources.follower import SourceHealth

        if self._follower is None:
            return SourceHealth(True, None, None, "", 0)
        return self._follower.check_health()

    def subscribe_changes(self, subscriber: Callable[[PolicyChange], object]) -> None:
        """Call subscriber with each PolicyChange: a new version, or why there is none.

        In the thread that follows the source. Its errors are logged. Raises RuntimeError if the
        guard follows no source.
        """
        if self._follower is None:
            raise RuntimeError("this guard follows no source: call follow() first")
        self._follower.subscribe(subscriber)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call subscriber with every refusal and every other decision that is not Kind.NOT_CORS.

        It gets the Decision and the CORSRequest, in the thread of the request. Its errors are
        logged. With a subscriber no decision is cached.
        """
        self.adapter.subscribe(subscriber)

    def try_candidate(self, policies: Policies) -> None:
        """Evaluate other policies beside those in force, and count what they would change.

        No response changes. Takes what `reconfigure` takes, under the options of this guard; None
        ends it. `candidate_differences` counts the requests that would be decided otherwise, and
        each is logged once at INFO. Meanwhile no decision is cached, which costs about
        10 microseconds a request. Requests that a per-view policy decides are left out.

        Raises PolicyError if a policy is not valid or has an async callable; the earlier candidate
        stays then.
        """
        if policies is None:
            self.adapter.set_candidate(None)
            return
        options = Options(self.enforce, self.enforce_exempt, self.own_origins)
        snapshot = Snapshot(policies, options)
        snapshot.require_sync()
        self.adapter.set_candidate(snapshot)

    @property
    def candidate_differences(self) -> tuple[CandidateDifference, ...]:
        """The requests that the candidate would decide otherwise, the most frequent first.

        By verdict (`would-allow`, `would-refuse`), origin and path: at most 1,000, then the others
        of each verdict together. In this process, and since the candidate was set.
        """
        return self.adapter.candidate_counts()


def _open(url: str, *, is_signed: bool) -> PolicySource:
    from corsguard.sources.open import open_source

    return open_source(url, is_signed=is_signed)
