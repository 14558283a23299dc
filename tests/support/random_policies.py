"""Hypothesis strategies for policies, requests and engines."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from corsguard import Guard, Policies, Policy, PolicyError, PolicyWarning
from corsguard.browser import Request

APP = "https://app.example.com"
API = "https://api.example.com"
PAGES = [
    "null",
    APP,
    "http://app.example.com",
    "https://a.b.example.com",
    "http://localhost:3000",
    "app://1.2.3",
]
PATTERNS = [
    APP,
    "https://*.example.com",
    "https://a*.example.com",
    "http://localhost:*",
    "http://app.example.com",
]
NAMES = ["Content-Type", "Authorization", "X-Trace", "Range"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "patch", "DELETE", "OPTIONS", "QUERY"]


def draw_list(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=len(values))


def build_policy(fields: Mapping[str, Any]) -> Policy | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)
        try:
            return Policy(**fields)
        except PolicyError:
            return None


POLICIES = st.fixed_dictionaries(
    {
        "allow_origins": st.just(["*"]) | draw_list(PATTERNS),
        "allow_credentials": st.booleans(),
        "allow_methods": st.just(["*"]) | draw_list(["PUT", "PATCH", "DELETE"]),
        "allow_headers": st.sampled_from([["*"], ["*", "Authorization"]]) | draw_list(NAMES),
        "expose_headers": st.just(["*"]) | draw_list(["X-Total"]),
    }
).map(build_policy)


def cast_policy(policy: Policy | None) -> Policy:
    assert policy is not None
    return policy


def cut_unreachable(policies: list[Policy]) -> list[Policy]:
    """Return policies without those after the first of `*`."""
    covering = [at for at, policy in enumerate(policies) if "*" in policy.allow_origins]
    return policies[: covering[0] + 1] if covering else policies


VALID: st.SearchStrategy[Policy] = POLICIES.filter(bool).map(cast_policy)
LISTS = st.lists(VALID, min_size=1, max_size=3).map(cut_unreachable)
ROUTES = st.dictionaries(
    st.sampled_from(["/", "/api", "/api/items/"]), POLICIES | LISTS, max_size=3
)
REQUESTS = st.builds(
    Request,
    url=st.sampled_from(["/", "/api", "/api/items", "/api//items", "/a%20b", "/%2e%2e"]).map(
        lambda path: f"{API}{path}"
    ),
    method=st.sampled_from(METHODS),
    headers=st.dictionaries(
        st.sampled_from([*NAMES, "Accept"]), st.sampled_from(["1", "a/b"]), max_size=3
    ),
    credentials=st.sampled_from(["omit", "same-origin", "include"]),
    mode=st.sampled_from([*["cors"] * 8, "no-cors", "same-origin"]),
    upload_listener=st.booleans(),
)
ENGINES = st.sampled_from(["standard", "chromium", "firefox", "webkit"])


def build_guard(policies: Policies, enforce: bool) -> Guard:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)
        try:
            return Guard(policies, enforce=enforce)
        except PolicyError:
            return Guard(policies)


GUARDS: st.SearchStrategy[Guard] = st.builds(build_guard, POLICIES | LISTS | ROUTES, st.booleans())
