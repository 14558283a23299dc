"""Warnings for entries of a policy that match no request."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.engine_requests import decide_actual

from corsguard import Guard, OriginEntry, Policy, PolicyWarning
from corsguard.explain.trial_guard import TrialGuard

WITH_CREDENTIALS = {"allow_credentials": True}
INSECURE = {"dangerously_allow_insecure_origins": True}


def warned_of(entry: OriginEntry, **fields: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        policy = Policy(allow_origins=["https://a.example", entry], **fields)
    assert [str(each.message) for each in caught] == list(map(str, policy.warnings))
    return [f"{each.problem.code}: {each.problem.suggestion}" for each in policy.warnings]


@pytest.mark.parametrize(
    ("entry", "suggestion"),
    [
        ("file://host", "remove file://host"),
        ("file://*.host", "remove file://*.host"),
        ("https://xn--f", "remove https://xn--f, or correct it"),
        ("https://a.xn--99999.example:8443", None),
        ("https://*.xn--f", "remove https://*.xn--f, or correct it"),
        ("https://xn--", None),
        ("https://xn--abc-", None),
        ("wss://a.example", "https://a.example: a WebSocket handshake has the origin of"),
        ("ws://localhost:*", "http://localhost:*: a WebSocket handshake has the origin of"),
        ("data://x", "remove data://x"),
        ("javascript://x", "remove javascript://x"),
        ("ftp://a.example", "remove ftp://a.example"),
    ],
)
def test_never_matches_for_an_origin_browsers_never_send(
    entry: str, suggestion: str | None
) -> None:
    (warning,) = warned_of(entry)
    assert warning.startswith(f"never-matches: {suggestion or 'remove '}")


@pytest.mark.parametrize(
    "entry",
    [
        r"http://10\.0\.0\.\d+",
        r"http://192\.168\.\d+\.\d+(:\d+)?",
        r"http://[a-z]+\.corp\.example",
        r"http://\[fd00::[0-9a-f]+\]",
        r"http://127\.corp\.example",
    ],
)
def test_never_matches_for_an_http_regex_with_credentials(entry: str) -> None:
    regex = re.compile(entry)
    (warning,) = warned_of(regex, **WITH_CREDENTIALS)
    assert warning == "never-matches: https instead, or dangerously_allow_insecure_origins"
    assert warned_of(regex) == []
    assert warned_of(regex, **WITH_CREDENTIALS, **INSECURE) == []


def said_by(make: Callable[[], object]) -> list[tuple[str, str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
    assert {Path(each.filename) for each in caught} <= {Path(__file__)}
    said = [each.message.problem for each in caught if isinstance(each.message, PolicyWarning)]
    return [(problem.code, problem.field) for problem in said]


def test_never_matches_under_enforce_is_emitted_once() -> None:
    regex, other = re.compile(r"http://10\.0\.0\.\d+"), re.compile(r"http://10\.0\.1\.\d+")
    plain, hook = Policy(allow_origins=[regex]), Policy(allow_origins=[other])
    routes = {"/": plain, "/hook": hook}
    fields = {prefix: {"allow_origins": policy.allow_origins} for prefix, policy in routes.items()}
    options: dict[str, Any] = {"enforce": True, "enforce_exempt": ["/hook"]}
    found = [("never-matches", 'routes."/".allow_origins')]
    made: list[Guard] = []
    assert said_by(lambda: made.append(Guard(routes, **options))) == found
    assert [warning.problem[:2] for warning in made[0].warnings] == found
    assert said_by(lambda: made[0].reconfigure(plain)) == [("never-matches", "allow_origins")]
    assert said_by(lambda: made[0].reconfigure({"/hook": hook})) == []
    assert said_by(lambda: made[0].adapter.add_views([("view", plain)])) == []
    assert said_by(lambda: made[0].reconfigure(None)) == []
    assert said_by(lambda: Guard(routes)) == []
    for table in (routes, fields):
        assert said_by(lambda: Guard.from_mapping({"routes": table, **options})) == found  # noqa: B023
    alone = {"allow_origins": [regex], "enforce": "report"}
    place = [("never-matches", "CORSGUARD.allow_origins")]
    assert said_by(lambda: Guard.from_mapping(alone, "CORSGUARD")) == place


def test_guard_does_not_repeat_the_warning_of_its_policy() -> None:
    with pytest.warns(PolicyWarning, match="max-age-capped"):
        policy = Policy(allow_origins=["https://a.example"], max_age=86_400)
    assert said_by(lambda: Guard(policy, enforce=True)) == []
    assert said_by(
        lambda: Guard.from_mapping(
            {"allow_origins": ["https://a.example"], "max_age": 86_400, "enforce": True}
        )
    ) == [("max-age-capped", "max_age")]


def test_trial_guard_does_not_repeat_warnings() -> None:
    regex = re.compile(r"http://10\.0\.0\.\d+")
    with pytest.warns(PolicyWarning, match="never-matches"):
        guard = Guard(Policy(allow_origins=[regex]), enforce=True)
    assert said_by(lambda: TrialGuard(guard)) == []


@pytest.mark.parametrize(
    "entry",
    [
        r"https://a\.\.b",
        r"https://256\.1\.1\.1",
        r"https://example\.com:443",
        r"http://localhost:80",
        r"https://example\.com:0443",
        r"https://example\.com:65536",
        r"https://[a-z]{64}\.example\.com",
        r"https://\.example\.com",
        r"https://1\.2\.3\.4\.",
    ],
)
def test_never_matches_for_a_regex_of_no_valid_origin(entry: str) -> None:
    (warning,) = warned_of(re.compile(entry))
    assert warning.startswith("regex-matches-nothing: ")


def test_never_matches_origin_is_never_allowed() -> None:
    regex = re.compile(r"http://10\.0\.0\.\d+")
    with pytest.warns(PolicyWarning, match="never-matches"):
        policy = Policy(allow_origins=[regex], allow_credentials=True)
    assert not decide_actual(policy, "http://10.0.0.7").allowed


@pytest.mark.parametrize(
    "entry",
    [
        "file://",
        "app://.",
        "https://a.example.",
        "https://xn--rsum-bpad.example",
        "https://xn--i-7iq.ws",
        "https://xn.example",
        "https://a-xn--f.example",
        re.compile(r"https://example\.com(?::443)?"),
        re.compile(r"https?://localhost:(?:80|443)"),
        re.compile(r"https://[a-z]{63}\.example\.com\."),
        re.compile(r"https?://10\.0\.0\.\d+"),
        re.compile(r"http://localhost:\d+"),
        re.compile(r"http://127\.0\.0\.1:\d+|http://10\.0\.0\.\d+"),
        re.compile(r"http://(?:10\.0\.0\.1|\[::1\]):\d+"),
        re.compile(r"http://[a-z]+\.localhost"),
        re.compile(r"httpx?://app\.a\.example"),
    ],
    ids=str,
)
def test_origin_that_browsers_send_emits_no_warning(entry: OriginEntry) -> None:
    fields = {"dangerously_allow_null_origin": True} if entry == "file://" else WITH_CREDENTIALS
    assert warned_of(entry, **fields) == []
