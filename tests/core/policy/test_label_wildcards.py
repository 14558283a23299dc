"""A wildcard inside the first label: what it covers, and where it is too wide."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engine_requests import decide_actual

from corsguard import Guard, Policy, PolicyError
from corsguard.policy.allow_list import AllowList

PREVIEWS = Policy(
    allow_origins=[
        "https://pr-*.example.com",
        "https://*-docs.example.com:8443",
        "https://a*b.example.com:*",
        "http://dev-*.localhost:3000",
        "app://v*.Shop.app",
    ]
)


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://pr-1.example.com", True),
        ("https://pr-a-b--c.example.com", True),
        ("https://pr--.example.com", True),
        (f"https://pr-{'x' * 60}.example.com", True),
        (f"https://pr-{'x' * 61}.example.com", False),  # a label of 64 characters
        ("https://pr-.example.com", False),
        ("https://pr-a_b.example.com", False),
        ("https://pr-1.pr-2.example.com", False),
        ("https://x.pr-1.example.com", False),
        ("https://pr-1.example.com.evil.example", False),
        ("https://pr-1.evil.example", False),
        ("https://xpr-1.example.com", False),
        ("https://pr-1.example.com:8443", False),
        ("http://pr-1.example.com", False),
        ("https://pr-*.example.com", False),
        ("https://PR-1.example.com", False),
        ("https://api-docs.example.com:8443", True),
        ("https://api-docs.example.com", False),
        ("https://-docs.example.com:8443", False),
        ("https://axb.example.com", True),
        ("https://axb.example.com:1", True),
        ("https://ab.example.com", False),
        ("http://dev-7.localhost:3000", True),
        ("http://dev-7.localhost", False),
        ("app://v2.Shop.app", True),
        ("app://vA.Shop.app", False),
    ],
)
def test_wildcard_covers_characters_of_one_label(origin: str, is_allowed: bool) -> None:
    assert decide_actual(PREVIEWS, origin).allowed is is_allowed


CHARACTERS = st.text("ab-", max_size=3)


@settings(derandomize=True)
@given(before=CHARACTERS, after=CHARACTERS, label=st.text("ab-_", min_size=1, max_size=7))
def test_wildcard_stands_for_one_or_more_characters(before: str, after: str, label: str) -> None:
    policy = Policy(allow_origins=[f"https://x{before}*{after}.example.com"])
    middle = f"x{label}".removeprefix(f"x{before}").removesuffix(after)
    is_covered = (
        f"x{label}".startswith(f"x{before}")
        and label.endswith(after)
        and len(label) > len(before) + len(after)
        and "_" not in middle
    )
    decision = decide_actual(policy, f"https://x{label}.example.com")
    assert decision.allowed is is_covered


def test_many_patterns_of_one_length_cost_one_look_up() -> None:
    listed = AllowList([f"https://team{number:04}-*.example.com" for number in range(5_000)])
    (by_lengths,) = listed._labels.values()
    assert list(by_lengths) == [(9, 0)]
    assert decide_actual(
        Policy(allow_origins=listed.entries), "https://team0042-x.example.com"
    ).allowed


def find_problems(entry: str, **fields: bool) -> list[tuple[str, str, str]]:
    try:
        Policy(allow_origins=[entry], **fields)  # type: ignore[arg-type]
    except PolicyError as error:
        return [(each.code, each.message, each.suggestion) for each in error.problems]
    return []


FLAG = "or dangerously_allow_public_suffixes"


def test_names_that_anyone_can_register_need_the_flag_with_credentials() -> None:
    entry = "https://shop-*-team.vercel.app"
    assert find_problems(entry) == []
    assert find_problems(entry, allow_credentials=True) == [
        (
            "origin-public-suffix",
            f"{entry} is too wide: anyone can register names that it covers under vercel.app; "
            "Vercel does not reserve PROJECT-*-TEAM: anyone can name a project so",
            f"list each name, such as https://shop-1-team.vercel.app, {FLAG}",
        )
    ]
    assert (
        find_problems(entry, allow_credentials=True, dangerously_allow_public_suffixes=True) == []
    )


@pytest.mark.parametrize(
    "entry",
    [
        "https://*--shop.netlify.app",
        "https://deploy-preview-*--shop.netlify.app",
        "https://pr-*.shop.pages.dev",
        "https://pr-*.example.com",
        "http://dev-*.localhost:*",
    ],
)
def test_names_of_one_owner_need_no_flag(entry: str) -> None:
    assert find_problems(entry, allow_credentials=True) == []


@pytest.mark.parametrize(
    ("entry", "suggestion"),
    [
        ("https://*-shop.netlify.app", "https://*--shop.netlify.app"),
        ("https://pr-*-shop.netlify.app", "https://pr-*--shop.netlify.app"),
        ("https://*a--b--shop.netlify.app", "https://*--a--b--shop.netlify.app"),
        ("https://shop--*.netlify.app", "list each name, such as https://shop--1.netlify.app"),
        ("https://*---shop.netlify.app", "https://*--shop.netlify.app"),
        ("https://*shop.pages.dev", "list each name, such as https://1shop.pages.dev"),
    ],
)
def test_names_of_several_owners_are_narrowed(entry: str, suggestion: str) -> None:
    ((code, _, suggested),) = find_problems(entry, allow_credentials=True)
    assert (code, suggested) == ("origin-public-suffix", f"{suggestion}, {FLAG}")


@pytest.mark.parametrize("allow_credentials", [False, True])
def test_domains_for_sale_are_a_problem_in_any_case(allow_credentials: bool) -> None:
    found = find_problems("https://*shop.co.uk", allow_credentials=allow_credentials)
    assert [(code, suggestion) for code, _, suggestion in found] == [
        ("origin-public-suffix", f"https://*.shop.co.uk, {FLAG}")
    ]
    assert find_problems("https://*shop.co.uk", dangerously_allow_public_suffixes=True) == []


def test_wildcard_in_a_top_level_name_is_no_pattern() -> None:
    ((code, message, suggestion),) = find_problems("https://*example.com")
    assert (code, suggestion) == ("origin-invalid", "https://*.example.com")
    assert "its `*` covers domains of other owners" in message


def test_near_miss_names_the_pattern() -> None:
    guard = Guard(PREVIEWS)
    detail = guard.decide("/", "http://pr-1.example.com", "GET", {}).detail
    assert detail == "http://pr-1.example.com (nearest listed: https://pr-*.example.com)"


def test_insecure_label_pattern_is_named() -> None:
    ((code, _, suggestion),) = find_problems("http://pr-*.example.com", allow_credentials=True)
    assert (code, suggestion) == (
        "origin-insecure",
        "https://pr-*.example.com, or dangerously_allow_insecure_origins",
    )
