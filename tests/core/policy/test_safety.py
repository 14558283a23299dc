"""Cross-field errors with credentials and under `enforce`, and warnings."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corsguard import Guard, Policy, PolicyError, PolicyWarning, Problem
from corsguard.guard.arguments import build_configured_guard

A = "https://a.example"
INSECURE = "dangerously_allow_insecure_origins"
SUFFIXES = "dangerously_allow_public_suffixes"
NULL = "dangerously_allow_null_origin"

PLUS = [
    ("http://a.example", "origin-insecure", f"https://a.example, or {INSECURE}"),
    ("http://a.example:8080", "origin-insecure", f"https://a.example:8080, or {INSECURE}"),
    ("http://*.a.example:*", "origin-insecure", f"https://*.a.example:*, or {INSECURE}"),
    ("http://192.168.0.7", "origin-insecure", f"https://192.168.0.7, or {INSECURE}"),
    ("http://[2001:db8::7]", "origin-insecure", f"https://[2001:db8::7], or {INSECURE}"),
    ("http://0.0.0.0:8000", "origin-insecure", f"http://localhost:8000, or {INSECURE}"),
    ("http://a.example.", "origin-insecure", f"https://a.example., or {INSECURE}"),
    ("http://127.a.example", "origin-insecure", f"https://127.a.example, or {INSECURE}"),
    ("http://notlocalhost", "origin-insecure", f"https://notlocalhost, or {INSECURE}"),
    (
        "https://*.github.io",
        "origin-public-suffix",
        f"https://*.your-name.github.io, or {SUFFIXES}",
    ),
    (
        "https://*.github.io.",
        "origin-public-suffix",
        f"https://*.your-name.github.io., or {SUFFIXES}",
    ),
    ("https://*.co.uk", "origin-public-suffix", f"https://*.your-name.co.uk, or {SUFFIXES}"),
    ("https://*.com:*", "origin-public-suffix", f"https://*.your-name.com:*, or {SUFFIXES}"),
    (
        "https://*.elb.amazonaws.com:8443",
        "origin-public-suffix",
        # your-name.elb.amazonaws.com is a public suffix again.
        f"https://*.your-name.your-name.elb.amazonaws.com:8443, or {SUFFIXES}",
    ),
    (
        "https://*.xn--p1ai",
        "origin-public-suffix",
        f"https://*.your-name.xn--p1ai, or {SUFFIXES}",
    ),
    # No public suffix itself, but one lies below it: xn--vler-qoa.xn--stfold-9xa.no.
    (
        "https://*.xn--stfold-9xa.no",
        "origin-public-suffix",
        f"https://*.your-name.xn--stfold-9xa.no, or {SUFFIXES}",
    ),
]
FLAGS = {"origin-insecure": INSECURE, "origin-public-suffix": SUFFIXES}
HARMLESS = [
    "http://localhost",
    "http://localhost:*",
    "http://*.localhost:3000",
    "http://127.0.0.1:8000",
    "http://[::1]:*",
    "https://github.io",
    "https://*.corsguard-project.github.io",
    "https://*.example.co.uk",
    "https://*.xn--a.example",
    "https://*.localhost",
    "app://localhost",
    "app://.",
    "https://a.example.",
    "http://localhost.:3000",
]


def policy(*origins: str, **fields: Any) -> Policy:
    return Policy(allow_origins=origins, **fields)


def problems(make: Any, *given: Any, **fields: Any) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        make(*given, **fields)
    found = caught.value.problems
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize(("origin", "code", "suggestion"), PLUS)
def test_exposure_with_credentials_is_refused(origin: str, code: str, suggestion: str) -> None:
    (problem,) = problems(policy, A, origin, allow_credentials=True)
    assert problem[:3] == (code, "allow_origins", origin)
    assert problem.suggestion == suggestion


def test_suffix_in_upper_case_is_the_same_suffix() -> None:
    for host in ("GitHub.io", "AmazonAWS.com"):  # a suffix, and a name above suffixes
        (problem,) = problems(policy, f"app://*.{host}", allow_credentials=True)
        assert problem.code == "origin-public-suffix"


@pytest.mark.parametrize("enforce", [True, "report"])
@pytest.mark.parametrize(("origin", "code", "suggestion"), PLUS)
def test_exposure_under_enforce_is_refused(
    origin: str, code: str, suggestion: str, enforce: Any
) -> None:
    (problem,) = problems(Guard, policy(A, origin), enforce=enforce)
    assert problem[:3] == (code, "allow_origins", origin)
    assert problem.suggestion == suggestion


@pytest.mark.parametrize(("origin", "code", "suggestion"), PLUS)
def test_exposure_without_credentials_is_accepted(origin: str, code: str, suggestion: str) -> None:
    given = policy(origin)
    assert given.allow_origins == (origin,)
    assert Guard(given).policy_for("/") == given


@pytest.mark.parametrize(("origin", "code", "suggestion"), PLUS)
def test_exposure_is_accepted_with_its_own_flag_only(
    origin: str, code: str, suggestion: str
) -> None:
    own = {FLAGS[code]: True}
    given = policy(origin, allow_credentials=True, **own)
    assert Guard(given, enforce=True).policy_for("/") == given
    others = {flag: True for flag in (INSECURE, SUFFIXES, NULL) if flag not in own}
    (problem,) = problems(policy, origin, allow_credentials=True, **others)
    assert problem.code == code


def test_exposure_of_one_origin_reports_both_problems() -> None:
    found = problems(policy, "http://*.github.io", allow_credentials=True)
    assert [problem.code for problem in found] == ["origin-insecure", "origin-public-suffix"]


@pytest.mark.parametrize("origin", ["http://A.example", "https://*.github.io/"])
def test_exposure_of_an_invalid_origin_is_not_reported(origin: str) -> None:
    (problem,) = problems(policy, origin, allow_credentials=True)
    assert problem.code == "origin-invalid"


@pytest.mark.parametrize("origin", HARMLESS)
def test_loopback_and_owned_names_are_accepted(origin: str) -> None:
    given = policy(origin, allow_credentials=True)
    assert Guard(given, enforce=True).policy_for("/") == given


OPAQUE = {
    "null": "`null` is not one origin: any site can send it from a sandboxed frame",
    "file://": "`file://` is not one origin: any file on the user's disk can send it, "
    "downloads too",
}


@pytest.mark.parametrize("origin", OPAQUE)
def test_origin_null_without_its_flag_is_refused(origin: str) -> None:
    suggestion = f"remove {origin}; or, without credentials, set {NULL}"
    for credentials in (False, True):
        (problem,) = problems(policy, A, origin, allow_credentials=credentials)
        assert problem[:3] == ("origin-null", "allow_origins", origin)
        assert problem.message == OPAQUE[origin]
        assert problem.suggestion == suggestion


@pytest.mark.parametrize("origin", OPAQUE)
def test_origin_null_with_its_flag_is_refused_when_exposed(
    origin: str,
) -> None:
    given = policy(origin, dangerously_allow_null_origin=True)
    assert given.allow_origins == (origin,)
    with_credentials = problems(
        policy, origin, allow_credentials=True, dangerously_allow_null_origin=True
    )
    for found in (
        with_credentials,
        problems(Guard, given, enforce=True),
        problems(Guard, given, enforce="report"),
    ):
        assert [(each.code, each.field, each.suggestion) for each in found] == [
            ("origin-null", "allow_origins", f"remove {origin}, or allow_credentials and enforce")
        ]


def test_wildcard_with_credentials() -> None:
    (problem,) = problems(policy, "*", allow_credentials=True)
    assert problem[:3] == ("wildcard-with-credentials", "allow_origins", "*")
    assert problem.suggestion == "list the origins, or remove allow_credentials"


def test_wildcard_with_credentials_is_refused_with_every_flag() -> None:
    flags = dict.fromkeys((INSECURE, SUFFIXES, NULL), True)
    (problem,) = problems(policy, "*", allow_credentials=True, **flags)
    assert problem.code == "wildcard-with-credentials"


def test_expose_wildcard_with_credentials() -> None:
    (problem,) = problems(policy, A, expose_headers=["*"], allow_credentials=True)
    assert problem[:3] == ("expose-wildcard-with-credentials", "expose_headers", "*")
    assert problem.suggestion == "list the headers"
    assert policy(A, expose_headers=["*"]).expose_headers == ("*",)


def test_wildcard_names_with_credentials_are_accepted() -> None:
    given = policy(A, allow_methods=["*"], allow_headers=["*"], allow_credentials=True)
    assert (given.allow_methods, given.allow_headers) == (("*",), ("*",))


@pytest.mark.parametrize("max_age", [7201, 86400])
def test_max_age_over_the_cap_of_chromium_warns(max_age: int) -> None:
    with pytest.warns(PolicyWarning) as caught:
        given = policy(A, max_age=max_age)
    (warning,) = [each.message for each in caught]
    assert isinstance(warning, PolicyWarning)
    assert warning.problem[:3] == ("max-age-capped", "max_age", max_age)
    assert str(warning) == (
        f"max_age: Chromium caches a preflight for 7200 seconds at most, not for {max_age}. "
        "Use 7200 [max-age-capped]"
    )
    assert [str(each) for each in given.warnings] == [str(warning)]


def test_wildcard_headers_without_authorization_warn() -> None:
    with pytest.warns(PolicyWarning) as caught:
        policy(A, allow_headers=["*"])
    (warning,) = [each.message for each in caught]
    assert isinstance(warning, PolicyWarning)
    assert warning.problem[:3] == ("authorization-not-covered", "allow_headers", "*")
    assert warning.problem.suggestion.startswith('["*", "Authorization"]')


def test_policy_with_several_warnings_emits_all() -> None:
    with pytest.warns(PolicyWarning) as caught:
        policy(A, allow_headers=["*"], max_age=86400)
    assert len(caught) == 2


LONG = {"allow_origins": [A], "max_age": 86400}
TOML = f'[routes."/a"]\nallow_origins = ["{A}"]\nmax_age = 86400\n'


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda _: Policy(allow_origins=[A], max_age=86400), "max_age"),
        (lambda _: Policy.from_mapping(LONG), "max_age"),
        (lambda _: Guard.from_mapping(LONG), "max_age"),
        (lambda _: Guard.from_mapping({"routes": {"/a": LONG}}), 'routes."/a".max_age'),
        (lambda _: build_configured_guard(LONG, "CORSGUARD"), "CORSGUARD.max_age"),
        (Guard.from_file, 'routes."/a".max_age'),
        (
            lambda _: Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": A, "CORSGUARD_MAX_AGE": "86400"}),
            "CORSGUARD_MAX_AGE",
        ),
    ],
)
def test_warning_names_its_place_and_the_calling_line(
    make: Callable[[Any], object], field: str, tmp_path: Path
) -> None:
    path = tmp_path / "corsguard.toml"
    path.write_text(TOML, encoding="utf-8")
    with pytest.warns(PolicyWarning) as caught:
        make(path)
    [warning] = caught
    assert warning.filename == __file__
    assert str(warning.message).startswith(f"{field}: Chromium caches a preflight")


def test_warning_of_each_route_is_shown_by_default() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        Guard.from_mapping({"routes": {"/a": LONG, "/b": LONG}})
    fields = [str(warning.message).partition(":")[0] for warning in caught]
    assert fields == ['routes."/a".max_age', 'routes."/b".max_age']


@pytest.mark.filterwarnings("ignore::corsguard.PolicyWarning")
def test_warning_of_a_policy_in_several_places_is_emitted_once() -> None:
    capped = Policy(allow_origins=[A], max_age=86_400)
    guard = Guard({"/a": capped, "/b": capped, "/c": Policy(allow_origins=[A])})
    guard.adapter.add_views([("view", capped)])
    assert [warning.problem.field for warning in guard.warnings] == ['routes."/a".max_age']


def test_warning_of_a_built_policy_is_not_emitted_again() -> None:
    with pytest.warns(PolicyWarning):
        made = Policy(allow_origins=[A], max_age=86400)
    guard = Guard.from_mapping({"routes": {"/a": made, "/off": False}})
    assert [str(warning) for warning in guard.warnings] == [
        f'routes."/a".{warning}' for warning in made.warnings
    ]


def test_guard_warnings_include_its_views() -> None:
    with pytest.warns(PolicyWarning):
        made = Policy(allow_origins=[A], max_age=86400)
    guard = Guard(made)
    guard.adapter.add_views([('view "/a"', Policy.read(LONG))])
    fields = [warning.problem.field for warning in guard.warnings]
    assert fields == ["max_age", 'view "/a".max_age']


@pytest.mark.parametrize(
    "fields",
    [
        {"max_age": 7200},
        {"max_age": 0},
        {"max_age": None},
        {"allow_headers": ["*", "Authorization"]},
        {"allow_headers": ["authorization", "*"]},
        {"allow_headers": ["*"], "allow_credentials": True},
        {"allow_headers": ["X-A"]},
        {"allow_methods": ["*"]},
        {"expose_headers": ["*"]},
    ],
)
def test_policy_without_mistakes_emits_no_warning(fields: dict[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        given = policy(A, **fields)
    assert caught == []
    assert given.warnings == ()


@pytest.mark.parametrize(
    ("pattern", "suggestion"),
    [
        ("https://*.github.io", "https://*.your-name.github.io"),
        ("https://*.github.io.", "https://*.your-name.github.io."),
        # Whatever is below it, anyone can have a name below that.
        ("https://*.nip.io", "list each name, such as https://your-name.nip.io"),
    ],
)
def test_origin_public_suffix_suggests_an_accepted_pattern(pattern: str, suggestion: str) -> None:
    (problem,) = problems(Policy, allow_origins=[pattern], allow_credentials=True)
    assert problem.code == "origin-public-suffix"
    assert problem.suggestion == f"{suggestion}, or dangerously_allow_public_suffixes"
