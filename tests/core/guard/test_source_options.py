from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from corsguard import Guard, PolicyError
from corsguard.sources.signature import load_signing_key, sign

A = "https://a.example"
OF_A = f'allow_origins = ["{A}"]\n'

Build = Callable[[], Guard]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(OF_A)
    return path


@pytest.fixture
def build() -> Iterator[Callable[[Build], Guard]]:
    """Return a function that builds a guard which stops following when the test ends."""
    guards: list[Guard] = []

    def keep(make: Build) -> Guard:
        guards.append(make())
        return guards[-1]

    yield keep
    for guard in guards:
        guard.unfollow()


def test_source_is_followed_from_every_form_of_configuration(
    file: Path, tmp_path: Path, build: Callable[[Build], Guard]
) -> None:
    toml = tmp_path / "corsguard.toml"
    toml.write_text(f'own_origins = ["{A}"]\n[source]\nurl = "{file}"\npoll = 60\n')
    text = tmp_path / "text.toml"
    text.write_text(f'source = "{file}"\n')
    variables = {"CORSGUARD_SOURCE": f" {file} ", "CORSGUARD_SOURCE_POLL": "0.5"}
    forms: list[Build] = [
        lambda: Guard.from_mapping({"source": str(file)}),
        lambda: Guard.from_mapping({"source": {"url": str(file), "poll": 60}}),
        lambda: Guard.from_keywords({"source": str(file)}),
        lambda: Guard.from_file(toml),
        lambda: Guard.from_file(text),
        lambda: Guard.from_env(variables),
    ]

    for form in forms:
        guard = build(form)
        assert guard.decide("/", A, "GET", {}).allowed
        assert guard.version is not None


def test_options_beside_the_source_are_the_defaults_of_the_document(
    file: Path, build: Callable[[Build], Guard]
) -> None:
    guard = build(lambda: Guard.from_mapping({"source": str(file), "enforce": True}))

    assert (guard.enforce, guard.decide("/", A, "GET", {}).allowed) == (True, True)


def test_last_good_and_key_are_options_of_the_source(
    file: Path, tmp_path: Path, build: Callable[[Build], Guard]
) -> None:
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    file.write_text(sign(OF_A, 3, load_signing_key(key)))
    last_good = tmp_path / "last"
    source = {"url": str(file), "key": str(key), "last_good": str(last_good)}

    assert build(lambda: Guard.from_mapping({"source": source})).version == "3"
    file.unlink()
    assert build(lambda: Guard.from_mapping({"source": source})).version == "3"

    last_good.write_text(last_good.read_text().replace(A, "https://evil.example"))
    variables = {
        "CORSGUARD_SOURCE": str(file),
        "CORSGUARD_SOURCE_KEY": str(key),
        "CORSGUARD_SOURCE_LAST_GOOD": str(last_good),
    }
    with pytest.raises(PolicyError, match="source-unavailable"):
        Guard.from_env(variables)


def find_problems(make: Callable[[], object]) -> list[tuple[str, str]]:
    with pytest.raises(PolicyError) as caught:
        make()
    return [(each.code, each.field) for each in caught.value.problems]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (5, [("type-invalid", "source")]),
        ("", [("type-invalid", "source.url")]),
        ({}, [("type-invalid", "source.url")]),
        ({"url": 5}, [("type-invalid", "source.url")]),
        ({"url": "x", "last_good": 5}, [("type-invalid", "source.last_good")]),
        ({"url": "x", "key": 5}, [("type-invalid", "source.key")]),
        ({"url": "x", "poll": "5"}, [("type-invalid", "source.poll")]),
        ({"url": "x", "poll": True}, [("type-invalid", "source.poll")]),
        ({"url": "x", "poll": 0}, [("source-invalid", "source.poll")]),
        ({"url": "x", "poll": float("inf")}, [("source-invalid", "source.poll")]),
        ({"url": "x", "pol": 5}, [("unknown-field", "source.pol")]),
        ("ftp://host/policy", [("source-invalid", "source")]),
        ({"url": "x", "key": "/absent/key"}, [("source-invalid", "source")]),
        ("/absent/policy.toml", [("source-unavailable", "source")]),
    ],
)  # fmt: skip
def test_wrong_source_is_refused(source: Any, expected: list[tuple[str, str]]) -> None:
    assert find_problems(lambda: Guard.from_mapping({"source": source})) == expected


def test_problem_of_a_source_does_not_show_its_password() -> None:
    url = "redis://user:secret@localhost:1/0"
    source = {"url": url, "poll": 0, "last_good": 5}
    with pytest.raises(PolicyError) as caught:
        Guard.from_mapping({"source": source})
    with pytest.raises(PolicyError) as unavailable:
        Guard.from_mapping({"source": url})
    with pytest.raises(PolicyError) as other_type:
        Guard.from_mapping({"source": [url]})

    errors = (caught.value, unavailable.value, other_type.value)
    assert not [error for error in errors if "secret" in repr(error) or "secret" in str(error)]


@pytest.mark.parametrize(
    "policy",
    [
        {"allow_origins": [A]},
        {"routes": {"/": {"allow_origins": [A]}}},
        {"candidate": {"allow_origins": [A]}},
    ],
)
def test_policy_beside_a_source_is_refused(file: Path, policy: dict[str, object]) -> None:
    found = find_problems(lambda: Guard.from_mapping({"source": str(file), **policy}))
    assert found == [("source-with-policy", "source")]


def test_problem_of_a_variable_names_it() -> None:
    variables = {"CORSGUARD_SOURCE": "x", "CORSGUARD_SOURCE_POLL": "soon"}
    assert find_problems(lambda: Guard.from_env(variables)) == [
        ("type-invalid", "CORSGUARD_SOURCE_POLL")
    ]


def test_variable_of_the_token_is_known(file: Path, build: Callable[[Build], Guard]) -> None:
    variables = {"CORSGUARD_SOURCE": str(file), "CORSGUARD_SOURCE_TOKEN": "secret"}
    assert build(lambda: Guard.from_env(variables)).version is not None


def test_misspelt_variable_of_the_source_is_reported() -> None:
    with pytest.raises(PolicyError) as caught:
        Guard.from_env({"CORSGUARD_SOURCE_LASTGOOD": "x", "CORSGUARD_ALLOW_ORIGINS": A})

    assert [each.suggestion for each in caught.value.problems] == ["CORSGUARD_SOURCE_LAST_GOOD"]
