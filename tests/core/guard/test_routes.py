"""The policy that applies to a path, and the validation of route prefixes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsguard import Guard, Policy, PolicyError, Problem
from corsguard.guard.routes import Routes, validate_prefixes

ROOT = Policy(allow_origins=["https://root.example"])
API = Policy(allow_origins=["https://api.example"])
ADMIN = Policy(allow_origins=["https://admin.example"])

WHOLE = {"/api": API, "/": ROOT, "/api/admin": ADMIN, "/api/none": None}


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        # whole segments
        ("/api", API),
        ("/api/", API),
        ("/api/x", API),
        ("/api/x/", API),
        ("/apix", ROOT),
        ("/api.json", ROOT),
        ("/ap", ROOT),
        ("/x/api", ROOT),
        # the longest wins, whatever the order
        ("/api/admin", ADMIN),
        ("/api/admin/users/7", ADMIN),
        ("/api/administrator", API),
        ("/api/none", None),
        ("/api/none/x", None),
        # case-sensitive, decoded once
        ("/API", ROOT),
        ("/api/Admin", API),
        ("/api%2Fadmin", ROOT),
        ("/api/%61dmin", API),
        ("/api/%2e%2e/x", API),
        # empty is /
        ("", ROOT),
        ("/", ROOT),
        ("/é", ROOT),
        ("/api/é ü", API),
        ("/api/a\u200db\xa0\x85", API),
        ("/api/...", API),
        ("/api/.well-known", API),
        ("/api/x..", API),
        # a `.`, `..` or empty inner segment, or a backslash, matches nothing, not even /
        ("/api/.", None),
        ("/api/..", None),
        ("/api/../x", None),
        ("/../api", None),
        ("/./api", None),
        ("/..", None),
        ("/.", None),
        ("//", None),
        ("//api", None),
        ("/api//", None),
        ("/api//admin", None),
        ("/api\\admin", None),
        ("/api/..\\x", None),
        ("\\", None),
        # nor does a control character, or what was no UTF-8
        ("/api/admin\n", None),
        ("/api/\0admin", None),
        ("/api/admin\x7f", None),
        ("/api/é\r", None),
        ("/api/adm\ufffdin", None),
        # no path at all
        ("*", None),
        ("api", None),
        ("https://a.example/api", None),
    ],
)
def test_policy_for_a_path_is_the_longest_match(path: str, policy: Policy | None) -> None:
    for routes in (WHOLE, dict(reversed(WHOLE.items()))):
        assert Guard(routes).policy_for(path) == policy
    slashed = {prefix.rstrip("/") + "/": entry for prefix, entry in WHOLE.items()}
    assert Guard(slashed).policy_for(path) == policy


@pytest.mark.parametrize("path", ["/", "", "/x", "//", "/a/../b", "/a\\b", "*", "x"])
def test_single_policy_applies_to_noncanonical_paths(path: str) -> None:
    assert Guard(API).policy_for(path) == API


@pytest.mark.parametrize("path", ["/", "", "/x", "/apix", "/ap", "/a", "/other/api"])
def test_path_without_a_route_has_no_policy(path: str) -> None:
    assert Guard({"/api": API}).policy_for(path) is None
    assert Guard({}).policy_for(path) is None
    assert Guard(None).policy_for(path) is None


def problems(routes: Any) -> list[Problem]:
    with pytest.raises(PolicyError) as caught:
        Guard(routes)
    return list(caught.value.problems)


@pytest.mark.parametrize("prefix", ["/api/*", "api", "/a/../b", "/a%20b", "", " ", "/a\\b", "/<x>"])
def test_prefix_that_is_not_literal_is_route_invalid(prefix: str) -> None:
    (problem,) = problems({"/x": API, prefix: API})
    assert problem[:3] == ("route-invalid", "routes", prefix)
    assert problem.message == f"{prefix!r} is not a literal path prefix, such as /api"
    (exempt,) = validate_prefixes("enforce_exempt", [prefix])
    assert exempt == problem._replace(field="enforce_exempt")


@pytest.mark.parametrize(
    ("first", "second"), [("/api", "/api/"), ("/api/", "/api"), ("/a/b", "/a/b/")]
)
def test_same_prefix_twice_is_route_duplicate(first: str, second: str) -> None:
    (problem,) = problems({first: API, "/other": ROOT, second: None})
    assert problem[:3] == ("route-duplicate", "routes", second)
    assert problem.suggestion == f"keep {first}"


def test_prefix_can_be_invalid_and_duplicate() -> None:
    assert [problem.code for problem in problems({"/": ROOT, "": API})] == [
        "route-invalid",
        "route-duplicate",
    ]


@pytest.mark.parametrize("prefix", [5, None, ("/api",)])
def test_prefix_of_another_type_is_type_invalid(prefix: object) -> None:
    (problem,) = problems({"/": ROOT, prefix: API})
    assert problem[:3] == ("type-invalid", "routes", prefix)
    assert problem.suggestion == "a str such as '/api'"


@pytest.mark.parametrize("prefix", ["/é", "/a b", "/a:b", "/a.b", "/.well-known", "/~x", "/a+b;c"])
def test_literal_prefix_matches_the_paths_below_it(prefix: str) -> None:
    guard = Guard({prefix: API})
    assert guard.policy_for(prefix) == API
    assert guard.policy_for(f"{prefix}/x") == API
    assert guard.policy_for(f"{prefix}x") is None


SEGMENTS = ["a", "b", "ab", "abc", "é", "a b"]
PREFIXES = st.lists(st.sampled_from(SEGMENTS), max_size=4).flatmap(
    lambda segments: st.sampled_from(["", "/"] if segments else ["/"]).map(
        lambda end: "".join(f"/{segment}" for segment in segments) + end
    )
)
TABLES = st.lists(PREFIXES, max_size=8, unique_by=lambda prefix: prefix.rstrip("/"))
PATHS = st.one_of(
    st.lists(st.sampled_from([*SEGMENTS, *SEGMENTS, "", ".", "..", "a\\b", "."]), max_size=6).map(
        lambda segments: "/" + "/".join(segments)
    ),
    st.lists(st.sampled_from(SEGMENTS), max_size=6).map("/".join),
    PREFIXES,
    st.text("/ab.\\é", max_size=8),
)


def reference(prefixes: Iterable[str], path: str) -> str | None:
    """What a route covers, word by word."""
    absolute, *segments = (path or "/").split("/")
    if absolute or any(segment in {".", ".."} or "\\" in segment for segment in segments):
        return None
    if "" in segments[:-1]:
        return None
    covering = {}
    for prefix in prefixes:
        own = [segment for segment in prefix.split("/") if segment]
        if own == segments[: len(own)]:
            covering[len(own)] = prefix
    return covering[max(covering)] if covering else None


@given(TABLES, PATHS)
def test_routes_find_the_longest_prefix_of_whole_segments(prefixes: list[str], path: str) -> None:
    assert validate_prefixes("routes", prefixes) == []
    table = {prefix: f"entry of {prefix}" for prefix in prefixes}
    expected = reference(prefixes, path)
    found = Routes(table).find(path)
    assert found == (None if expected is None else (expected, table[expected]))
