"""A policy is immutable and normalised."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from datetime import timedelta
from http import HTTPMethod
from types import MappingProxyType
from typing import Any

import pytest

from corsguard import Policy, PolicyError

A, B = "https://a.example", "https://b.example"
REGEX = re.compile(r"https://pr-\d+\.a\.example", re.IGNORECASE)


def allow(origin: str) -> bool:
    return origin == A


FULL = Policy(
    allow_origins=[A, "https://*.a.example", "http://localhost:*", REGEX, allow],
    allow_credentials=True,
    allow_methods=["PUT", "PATCH"],
    allow_headers=["Content-Type", "X-A"],
    expose_headers=["X-Total"],
    max_age=600,
    predicate_timeout=0.5,
    dangerously_allow_insecure_origins=True,
    dangerously_allow_public_suffixes=True,
)
FIELDS: dict[str, object] = {
    "allow_origins": (A, "https://*.a.example", "http://localhost:*", REGEX, allow),
    "allow_credentials": True,
    "allow_methods": ("PUT", "PATCH"),
    "allow_headers": ("Content-Type", "X-A"),
    "expose_headers": ("X-Total",),
    "max_age": 600,
    "predicate_timeout": 0.5,
    "dangerously_allow_insecure_origins": True,
    "dangerously_allow_public_suffixes": True,
    "dangerously_allow_null_origin": False,
}
DEFAULTS: dict[str, object] = {
    "allow_origins": (A,),
    "allow_credentials": False,
    "allow_methods": (),
    "allow_headers": (),
    "expose_headers": (),
    "max_age": 7200,
    "predicate_timeout": 1.0,
    "dangerously_allow_insecure_origins": False,
    "dangerously_allow_public_suffixes": False,
    "dangerously_allow_null_origin": False,
}


def fields(policy: Policy) -> dict[str, object]:
    return {name: getattr(policy, name) for name in DEFAULTS}


def test_policy_without_options_has_the_documented_defaults() -> None:
    assert list(inspect.signature(Policy).parameters) == list(DEFAULTS)
    assert fields(Policy(allow_origins=[A])) == DEFAULTS
    assert fields(FULL) == FIELDS


def test_policy_with_positional_arguments_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        Policy([A])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="allow_origins"):
        Policy()  # type: ignore[call-arg]


def test_policy_unknown_keyword_suggests_the_field() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=[A], allow_method=["PUT"])  # type: ignore[call-arg]
    found = [(each.code, each.field, each.suggestion) for each in caught.value.problems]
    assert found == [("unknown-field", "allow_method", "allow_methods")]


@pytest.mark.parametrize("name", [*DEFAULTS, "warnings", "other"])
def test_policy_attribute_cannot_be_changed(name: str) -> None:
    policy = Policy(allow_origins=[A])
    with pytest.raises(AttributeError, match=name):
        setattr(policy, name, ("*",))
    with pytest.raises(AttributeError, match=name):
        delattr(policy, name)
    assert fields(policy) == DEFAULTS


def test_policy_does_not_change_with_the_given_list() -> None:
    origins = [A]
    policy = Policy(allow_origins=origins)
    origins.append("*")
    assert policy.allow_origins == (A,)


def test_policies_with_equal_fields_are_equal_with_one_hash() -> None:
    same = Policy.from_mapping(FIELDS)
    assert same == FULL
    assert hash(same) == hash(FULL)
    assert {same: 1}[FULL] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allow_origins", [B]),
        ("allow_credentials", False),
        ("allow_methods", ["PUT"]),
        ("allow_headers", ["X-A"]),
        ("expose_headers", []),
        ("max_age", None),
        ("predicate_timeout", 2),
        ("dangerously_allow_insecure_origins", False),
        ("dangerously_allow_public_suffixes", False),
        ("dangerously_allow_null_origin", True),
    ],
)
def test_policies_that_differ_in_one_field_are_not_equal(name: str, value: object) -> None:
    other = Policy.from_mapping({**FIELDS, name: value})
    assert other != FULL
    assert len({other, FULL}) == 2


def test_policy_is_not_equal_to_other_types() -> None:
    assert FULL != FIELDS
    assert tuple(FIELDS.values()) != FULL


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda policy: pickle.loads(pickle.dumps(policy))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_policy_copied_or_pickled_is_equal(
    duplicate: Callable[[Policy], Policy],
) -> None:
    assert duplicate(FULL) == FULL
    assert type(duplicate(FULL)) is Policy


def test_policy_repr_shows_every_field() -> None:
    assert repr(Policy(allow_origins=[A], max_age=None)) == (
        "Policy(allow_origins=('https://a.example',), allow_credentials=False, allow_methods=(), "
        "allow_headers=(), expose_headers=(), max_age=None, predicate_timeout=1.0, "
        "dangerously_allow_insecure_origins=False, dangerously_allow_public_suffixes=False, "
        "dangerously_allow_null_origin=False)"
    )


@pytest.mark.parametrize("shape", [list, tuple, set, frozenset, iter])
def test_policy_list_from_any_iterable_is_accepted(shape: Callable[[list[str]], Any]) -> None:
    policy = Policy(allow_origins=[A], allow_methods=shape(["PATCH", "PUT"]))
    assert policy.allow_methods == ("PATCH", "PUT")


def test_policy_origins_from_a_generator_are_accepted() -> None:
    policy = Policy(allow_origins=(f"https://{name}.example" for name in "ab"))
    assert policy.allow_origins == (A, B)


def test_policy_from_a_set_is_the_same_on_every_run() -> None:
    names = {f"X-{number:02}" for number in range(50)}
    assert Policy(allow_origins=[A], allow_headers=names).allow_headers == tuple(sorted(names))
    origins = Policy(allow_origins={REGEX, A, B}).allow_origins
    assert origins == (A, B, REGEX)


def test_policy_list_keeps_its_order_without_duplicates() -> None:
    policy = Policy(allow_origins=[A], allow_methods=["PUT", "PATCH", "PUT"])
    assert policy.allow_methods == ("PUT", "PATCH")


def test_policy_methods_of_the_standard_library_are_accepted() -> None:
    policy = Policy(allow_origins=[A], allow_methods=[HTTPMethod.PATCH])
    assert policy.allow_methods == ("PATCH",)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (0, 0),
        (600, 600),
        (7200, 7200),
        (None, None),
        (timedelta(minutes=10), 600),
        (timedelta(hours=2), 7200),
        (timedelta(0), 0),
        (timedelta(seconds=1.9), 1),
    ],
)
def test_max_age_accepts_seconds_a_timedelta_or_none(
    given: int | timedelta | None, kept: int | None
) -> None:
    max_age = Policy(allow_origins=[A], max_age=given).max_age
    assert max_age == kept
    assert type(max_age) is type(kept)


def test_predicate_timeout_of_an_int_becomes_a_float() -> None:
    policy = Policy(allow_origins=[A], predicate_timeout=2)
    assert type(policy.predicate_timeout) is float
    assert policy.predicate_timeout == 2.0


def test_from_mapping_accepts_every_field() -> None:
    assert Policy.from_mapping(FIELDS) == FULL
    assert Policy.from_mapping(MappingProxyType({"allow_origins": [A]})) == Policy(
        allow_origins=[A]
    )


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("allow_origin", "allow_origins"),
        ("origins", "allow_origins"),
        ("allow-credentials", "allow_credentials"),
        ("maxage", "max_age"),
        ("dangerously_allow_null", "dangerously_allow_null_origin"),
        ("", f"one of {', '.join(DEFAULTS)}"),
        (5, f"one of {', '.join(DEFAULTS)}"),
        (None, f"one of {', '.join(DEFAULTS)}"),
    ],
)
def test_unknown_field(key: Any, suggestion: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping({"allow_origins": [A], key: ["*"]})
    (problem,) = caught.value.problems
    assert (problem.code, problem.field, problem.value) == ("unknown-field", str(key), ["*"])
    assert problem.suggestion == suggestion


def test_unknown_field_is_reported_with_the_known_fields() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping({"allow_origins": ["a.example"], "alow_methods": [], "max_age": -1})
    assert [problem.code for problem in caught.value.problems] == [
        "unknown-field",
        "origin-invalid",
        "max-age-out-of-range",
    ]


@pytest.mark.parametrize("given", [None, "https://a.example", [A], 5, FULL])
def test_from_mapping_of_another_type_is_type_invalid(given: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping(given)
    (problem,) = caught.value.problems
    assert (problem.code, problem.field, problem.value) == ("type-invalid", "policy", given)
    assert problem.suggestion == '{"allow_origins": ["https://app.example.com"]}'
