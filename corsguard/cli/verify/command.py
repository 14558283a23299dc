"""`corsguard verify`: whether a live server answers as the policies of a file say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from corsguard import Guard
from corsguard.browser.messages import SendError, Sent
from corsguard.browser.url import URL
from corsguard.cli.audit.catalogue import Evidence, Finding
from corsguard.cli.audit.progress import show_progress
from corsguard.cli.audit.runner import AuditResult, run_checks, sort_findings
from corsguard.cli.audit.server import RecordingServer
from corsguard.cli.check import load_guard
from corsguard.cli.client import SAFE_METHODS, Client
from corsguard.cli.client_options import INTERRUPTED, ClientOptions, parse_client_options
from corsguard.cli.terminal import fail
from corsguard.cli.verify.causes import Resend, find_causes
from corsguard.cli.verify.comparison import Observation
from corsguard.cli.verify.reports import REPORTS
from corsguard.cli.verify.trials import list_paths, list_trials
from corsguard.explain.trial_guard import TrialGuard

__all__ = ["run_verify", "verify_server"]

_UNKNOWN = 2

Paths = Mapping[str, bool]
"""path -> True if all origins and methods are tried there"""


def run_verify(file: str, url: URL, options: Mapping[str, Any]) -> int:
    """Compare the server at url with the policies of a file, and report.

    `options` are the parsed options of the command, name -> value. Returns 0 where nothing differs,
    1 where something does, 2 where that can't be determined, 130 after Ctrl-C. Ends the command
    with 2 and one line where the file or the server can't be used at all.
    """
    guard = load_guard(file)
    client_options = parse_client_options(url, options)
    paths = _choose_paths(guard, options["path"])
    try:
        result = verify_server(
            guard, client_options, paths, policy=file, has_unsafe=options["unsafe"]
        )
    except SendError as error:
        fail(str(error))
    REPORTS[options["format"]](result)
    if result.interrupted:
        return INTERRUPTED
    if any(found.fails for found in result.findings):
        return 1
    return 0 if result.complete else _UNKNOWN


def verify_server(
    guard: Guard,
    options: ClientOptions,
    paths: Paths,
    *,
    policy: str = "",
    has_unsafe: bool = False,
) -> AuditResult:
    """Return what differs between a live server and the policies of guard.

    `policy` is their name in the report. `has_unsafe` sends the unsafe methods that they allow.
    Raises SendError where the first request has no response.
    """
    url, limits, verify = options
    url = urlsplit(url)._replace(query="", fragment="").geturl()
    guard = TrialGuard(guard)  # no browser sent these requests, so no refusal is logged
    policies = [each for path in paths for each in guard.policies_for(path)]
    unsafe = {name for each in policies for name in each.allow_methods} if has_unsafe else set()
    observations: list[Observation] = []
    with Client(url, limits=limits, verify=verify, methods=SAFE_METHODS | unsafe) as client:
        server = RecordingServer(client.send, url)
        checks = {
            path: _build_check(guard, path, observations, is_full=is_full, has_unsafe=has_unsafe)
            for path, is_full in paths.items()
        }
        with show_progress("comparing", server, len(checks)) as show:
            run = run_checks(server, checks, show)
        found = find_causes(observations, _build_resend(server, is_over=run.interrupted))
    return AuditResult(
        url=url,
        page="",
        findings=sort_findings(found.findings),
        caveats=(*run.caveats, *found.caveats),
        requests=server.requests,
        complete=run.complete and not found.caveats,
        interrupted=run.interrupted,
        checked=run.checked,
        policy=policy,
    )


def _choose_paths(guard: Guard, given: tuple[str, ...]) -> Paths:
    """Return the paths to compare: those given, or else the routes of the policies."""
    for path in given:
        if not path.startswith("/"):
            fail(f"--path {path} does not start with /")
    paths: dict[str, bool] = {}
    seen = set()
    for path in given or list_paths(guard):
        policies = guard.policies_for(path)
        paths.setdefault(path, bool(policies) and policies not in seen)
        seen.add(policies)
    return paths


def _build_check(
    guard: Guard,
    path: str,
    observations: list[Observation],
    *,
    is_full: bool,
    has_unsafe: bool,
) -> Callable[[RecordingServer], Iterator[Finding]]:
    """Return a check of one path. It finds nothing itself: it adds to observations."""

    def check(server: RecordingServer) -> Iterator[Finding]:
        host = urlsplit(server.url).netloc
        for trial in list_trials(server.url, path, guard, is_full=is_full, has_unsafe=has_unsafe):
            evidence = server.send(trial.sent)
            headers = {"Host": host, **dict(trial.sent.headers)}
            decision = guard.decide(trial.at, trial.origin, trial.sent.method, headers, False)
            observations.append(Observation(trial, decision, evidence))
        return iter(())

    return check


def _build_resend(server: RecordingServer, *, is_over: bool) -> Resend:
    def resend(sent: Sent) -> Evidence | None:
        try:
            return None if is_over else server.send(sent)
        except SendError:
            return None

    return resend
