"""The origins of the exchanges."""

from __future__ import annotations

import re

import pytest

from corsguard.cli.migrate.replay.origins import (
    OriginCase,
    Trust,
    list_listed,
    list_near_misses,
)

A = "https://a.shop.com"


@pytest.mark.parametrize(
    ("entry", "origins"),
    [
        (A, [A]),
        ("null", ["null"]),
        ("https://*.shop.com", ["https://app.shop.com", "https://a.b.shop.com"]),
        ("https://pr-*.shop.com", ["https://pr-app.shop.com"]),
        ("http://localhost:*", ["http://localhost", "http://localhost:3000"]),
        ("https://*.shop.com:8443", ["https://app.shop.com:8443", "https://a.b.shop.com:8443"]),
        (
            "https://*.shop.com:*",
            ["https://app.shop.com", "https://a.b.shop.com", "https://app.shop.com:3000"],
        ),
        ("https://a.shop.com/", []),
    ],
)
def test_entry_has_the_origins_that_it_covers(entry: str, origins: list[str]) -> None:
    trust = Trust.LISTED if origins == [entry] else Trust.MATCHED

    assert list_listed([entry]) == [OriginCase(origin, trust, entry) for origin in origins]


def test_any_origin_and_a_regex_as_wide_are_those_of_anyone() -> None:
    regex = re.compile("https?://.*")

    assert {case.trust for case in list_listed(["*", regex])} == {Trust.ANYONE}


def test_domain_that_a_regex_does_not_spell_out_is_a_near_miss() -> None:
    regex = re.compile(r"https://.*shop\.com")

    assert list_listed([regex]) == [
        OriginCase("https://shop.com", Trust.MATCHED, regex),
        OriginCase("https://ashop.com", Trust.NEAR, regex),
    ]


def test_few_domains_that_a_regex_matches_are_listed() -> None:
    regex = re.compile(r"https://[ab]shop\.com")

    assert list_listed([regex]) == [OriginCase("https://ashop.com", Trust.MATCHED, regex)]


def test_regex_without_a_sample_is_tried_with_an_untrusted_origin() -> None:
    regex = re.compile("nothing at all")

    assert list_listed([regex]) == [OriginCase("https://untrusted.example", Trust.UNTRUSTED, regex)]


def test_origin_that_is_listed_by_name_and_by_a_pattern_is_listed() -> None:
    name = "https://app.shop.com"
    pattern = "https://*.shop.com"

    for entries in ([name, pattern], [pattern, name]):
        found = {case.origin: case.trust for case in list_listed(entries)}
        assert found == {name: Trust.LISTED, "https://a.b.shop.com": Trust.MATCHED}


def test_near_misses_are_the_origins_of_common_mistakes() -> None:
    found = [case.origin for case in list_near_misses(list_listed([A]), [])]

    assert found == [
        f"{A}.untrusted.example",
        f"{A}-untrusted.example",
        "https://untrustedshop.com",
        "https://untrusteda.shop.com",
        "https://axshop.com",
        "https://a.shopxcom",
        "http://a.shop.com",
        f"{A}:8441",
        "https://untrusteda.shop.com.untrusted.example",
        "https://sub.a.shop.com",
    ]


def test_near_misses_of_plain_http_include_https() -> None:
    [local] = list_listed(["http://127.0.0.1:3000"])
    found = [case.origin for case in list_near_misses([local], [])]

    assert "https://127.0.0.1:3000" in found
    assert not any(origin.startswith("http://sub.") for origin in found)


def test_near_miss_that_is_listed_is_left_out() -> None:
    cases = list_listed([A, "http://a.shop.com", "null"])
    found = {case.origin for case in list_near_misses(cases, cases)}

    assert found.isdisjoint({A, "http://a.shop.com", "null"})


def test_origins_of_anyone_have_no_near_misses() -> None:
    assert list_near_misses(list_listed(["*"]), []) == []
