"""The policy that allows nothing: each way of configuration has a form for it, and it starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from corsguard import Guard, Policy, PolicyError, Problem, Reason
from corsguard.guard.arguments import build_configured_guard, build_guard
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

A = "https://a.example"
FORMS = ('{"/": None}', '[routes] "/" = false', "CORSGUARD_ALLOW_ORIGINS=none")


def problems(make: Callable[[], object]) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        make()
    return caught.value.problems


def allows_nothing(guard: Guard) -> bool:
    reasons = {
        guard.decide(path, A, method, {"Access-Control-Request-Method": "PUT"}).reason
        for path in ("/", "/api", "/a//b")
        for method in ("GET", "OPTIONS")
    }
    return reasons == {Reason.NO_POLICY}


@pytest.mark.parametrize(
    "guard",
    [
        lambda: Guard({"/": None}),
        lambda: build_guard({"/": None}),
        lambda: build_guard(None, {"routes": {"/": None}}),
        lambda: Guard.from_mapping({"routes": {"/": False}}),
        lambda: build_configured_guard({"routes": {"/": None}}),
        lambda: Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": "none"}),
        lambda: build_guard(Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": " None\n"})),
        lambda: Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": "NONE", "CORSGUARD_MAX_AGE": "86400"}),
        lambda: WSGIMiddleware(lambda *_: [], {"/": None}).guard,
        lambda: ASGIMiddleware(None, {"/": None}).guard,  # type: ignore[arg-type]  # not called
    ],
)
def test_routes_none_builds_a_guard_that_allows_nothing(guard: Callable[[], Guard]) -> None:
    assert allows_nothing(guard())


def test_routes_false_in_a_file_allows_nothing(tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text('[routes]\n"/" = false\n', encoding="utf-8")
    assert allows_nothing(build_guard(Guard.from_file(file)))


def test_allow_nothing_with_enforce_refuses() -> None:
    guard = Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": "none", "CORSGUARD_ENFORCE": "true"})
    assert guard.decide("/", A, "POST", {}).reason is Reason.CROSS_ORIGIN_REFUSED


@pytest.mark.parametrize(
    "make",
    [
        lambda: Policy(allow_origins=[]),
        lambda: Policy.from_mapping({"allow_origins": []}),
        lambda: Guard.from_mapping({"routes": {"/": {"max_age": 5}}}),
        lambda: Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": ""}),
        lambda: build_guard(None),
        lambda: build_guard(Guard({})),
        lambda: Guard.from_mapping({}),
        lambda: Guard.from_env({}),
        lambda: WSGIMiddleware(lambda *_: []),
    ],
)
def test_no_policy_suggests_how_to_allow_nothing(make: Callable[[], object]) -> None:
    (problem,) = problems(make)
    assert problem.code in {"no-origins", "no-policy"}
    for form in FORMS:
        assert form in problem.message


def test_no_policy_in_a_file_suggests_how_to_allow_nothing(tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.touch()
    (problem,) = problems(lambda: Guard.from_file(file))
    assert problem.suggestion == 'allow_origins = ["https://app.example.com"]'
    assert FORMS[1] in problem.message


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        {"allow_origins": []},
        {"routes": {"/": {"allow_origins": []}}},
        {"allow_origins": ["none"]},
    ],
)
def test_mapping_without_origins_suggests_routes_none(mapping: dict[str, object]) -> None:
    def message_of(make: Callable[[], object]) -> str:
        (problem,) = problems(make)
        return problem.message + problem.suggestion

    assert 'write {"routes": {"/": None}} in Python' in message_of(
        lambda: Guard.from_mapping(mapping)
    )
    assert 'write {"routes": {"/": None}} in Python' in message_of(
        lambda: build_configured_guard(mapping)
    )
    assert 'write {"/": None} in Python' in message_of(lambda: build_guard(None, mapping))


@pytest.mark.parametrize(
    ("mapping", "suggestion"),
    [
        ({"/": None}, '{"routes": {"/": None}}'),
        ({"/api": False}, '{"routes": {"/api": None}}'),
        ({"/": Policy(allow_origins=[A])}, '{"routes": {"/": ...}}'),
    ],
)
def test_mapping_with_a_path_as_key_is_an_unknown_field(
    mapping: dict[str, object], suggestion: str
) -> None:
    (problem,) = problems(lambda: Guard.from_mapping(mapping))
    assert (problem.code, problem.suggestion) == ("unknown-field", suggestion)


def test_route_false_outside_routes_suggests_routes(
    tmp_path: Path,
) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text('"/" = false\n', encoding="utf-8")
    (problem,) = problems(lambda: Guard.from_file(file))
    assert (problem.code, problem.suggestion) == ("unknown-field", FORMS[1])


@pytest.mark.parametrize("text", ["none,https://a.example", "https://a.example, None", "none,none"])
def test_environment_none_with_other_origins_is_a_problem(text: str) -> None:
    found = problems(lambda: Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": text}))
    assert {problem.code for problem in found} == {"origin-invalid"}
    assert {problem.field for problem in found} == {"CORSGUARD_ALLOW_ORIGINS"}
    suggestion = f"remove it; to allow nothing, write {FORMS[2]}"
    assert {problem.suggestion for problem in found} == {suggestion}


def test_origin_none_in_a_python_list_is_invalid() -> None:
    (problem,) = problems(lambda: Policy(allow_origins=["none"]))
    assert problem.code == "origin-invalid"
    assert FORMS[0] in problem.suggestion
    (problem, other) = problems(lambda: Policy(allow_origins="none"))
    assert (problem.code, problem.suggestion) == ("not-a-list", '["https://app.example.com"]')
    assert FORMS[0] in other.suggestion


def test_environment_none_validates_the_other_variables() -> None:
    environ = {
        "CORSGUARD_ALLOW_ORIGINS": "none",
        "CORSGUARD_MAX_AGE": "ten",
        "CORSGUARD_ALLOW_METHOD": "PUT",
    }
    found = problems(lambda: Guard.from_env(environ))
    assert [problem.code for problem in found] == ["unknown-field", "type-invalid"]
