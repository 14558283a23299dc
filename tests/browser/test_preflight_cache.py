"""The CORS-preflight cache: its entries, their lifetime, and the engines' quirks."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    API,
    CREDENTIALS,
    PREFLIGHT_CACHE,
    Visit,
    allow,
    allow_preflight,
    answer,
    list_sent,
    list_texts,
    redirect,
)

from corsguard.browser import Answer, EngineName, Request, Sent

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
PUT: dict[str, Any] = {"method": "PUT"}
DELETE: dict[str, Any] = {"method": "DELETE"}
X_A: dict[str, Any] = {"headers": {"X-A": "1"}}
X_B: dict[str, Any] = {"headers": {"X-B": "1"}}
AUTHORIZATION: dict[str, Any] = {"headers": {"Authorization": "1"}}
UPLOAD: dict[str, Any] = {"method": "POST", "body": b"1", "upload_listener": True}


def include_credentials(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "credentials": "include"}


def count_preflights(
    engine: EngineName, preflight: Answer, *requests: dict[str, Any], actual: Answer | None = None
) -> tuple[int, ...]:
    """Count the preflights of each request, where all of them get this response."""
    visit = Visit(engine)
    given = actual or allow(CREDENTIALS)

    def send(sent: Sent) -> Answer:
        return preflight if sent.method == "OPTIONS" else given

    return tuple(visit.browser.play(Request(API, **each), send).preflights for each in requests)


def expect_everywhere(found: tuple[int, ...], **but: tuple[int, ...]) -> dict[EngineName, Any]:
    """Return engine -> found, with the exceptions of `but`."""
    return {engine: but.get(engine, found) for engine in ALL}


@pytest.mark.parametrize(
    ("engine", "cap"),
    [("standard", 86_400), ("chromium", 7_200), ("firefox", 86_400), ("webkit", 600)],
)
def test_max_age_is_capped_by_the_engine(engine: EngineName, cap: int) -> None:
    visit = Visit(engine)
    ok = allow_preflight("PUT", None, "99999999999999999999")
    first = visit.play(ok, allow(), **PUT)
    assert list_texts(first, PREFLIGHT_CACHE) == [f"the response is cached for {cap} s"]
    visit.now += cap - 1
    second = visit.play(allow(), **PUT)
    assert list_texts(second, PREFLIGHT_CACHE) == [
        "the method PUT is not safelisted: a cached preflight covers it"
    ]
    visit.now += 1
    assert visit.play(ok, allow(), **PUT).preflights == 1
    assert visit.browser.preflights == 2


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("max_age", [None, "", "5", " 5 ", "005"])
def test_missing_max_age_caches_for_five_seconds(max_age: str | None, engine: EngineName) -> None:
    visit = Visit(engine)
    ok = allow_preflight("PUT", None, max_age)
    visit.play(ok, allow(), **PUT)
    visit.now += 4.9
    assert list_sent(visit.play(allow(), **PUT)) == ["PUT"]
    visit.now += 0.1
    assert list_sent(visit.play(ok, allow(), **PUT)) == ["?PUT", "PUT"]


@pytest.mark.parametrize("max_age", ["abc", "5.5", "5, 6", "+5", "'5'", "5s", "0x10", "\u0665"])
def test_invalid_max_age_counts_as_missing_except_in_firefox(max_age: str) -> None:
    ok = allow_preflight("PUT", None, max_age)
    found = {engine: count_preflights(engine, ok, PUT, PUT) for engine in ALL}
    assert found == expect_everywhere((1, 0), firefox=(1, 1))


def test_two_max_age_lines_are_invalid() -> None:
    ok = allow_preflight("PUT", None, "600", ("Access-Control-Max-Age", "600"))
    visit = Visit()
    exchange = visit.play(ok, allow(), **PUT)
    assert list_texts(exchange, PREFLIGHT_CACHE) == ["the response is cached for 5 s"]


@pytest.mark.parametrize("max_age", ["-1", "-0"])
def test_negative_max_age_is_cached_in_standard_only(max_age: str) -> None:
    ok = allow_preflight("PUT", None, max_age)
    found = {engine: count_preflights(engine, ok, PUT, PUT) for engine in ALL}
    assert found == expect_everywhere((1, 1), standard=(1, 0))


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("max_age", ["0", "00"])
def test_max_age_0_caches_nothing(max_age: str, engine: EngineName) -> None:
    ok = allow_preflight("PUT", None, max_age)
    assert count_preflights(engine, ok, PUT, PUT) == (1, 1)
    assert list_texts(Visit(engine).play(ok, allow(), **PUT), PREFLIGHT_CACHE) == [
        "the response is not cached"
    ]


@pytest.mark.parametrize("engine", ALL)
def test_entry_covers_listed_methods_and_headers(engine: EngineName) -> None:
    ok = allow_preflight("PUT, DELETE", "x-a, x-b", "600")
    assert count_preflights(engine, ok, {**PUT, **X_A}, DELETE, X_B, {**DELETE, **X_B}) == (
        1,
        0,
        0,
        0,
    )


def test_entry_does_not_cover_unlisted_names() -> None:
    visit = Visit()
    visit.play(allow_preflight("PUT", "x-a", "600"), allow(), **PUT)
    assert visit.play(allow_preflight("DELETE"), allow(), **DELETE).preflights == 1
    assert visit.play(allow_preflight(None, "x-b"), allow(), **X_B).preflights == 1


@pytest.mark.parametrize("other", [f"{API}?page=2", "https://other.example/items"])
def test_entry_applies_to_its_url_only(other: str) -> None:
    visit = Visit()
    ok = allow_preflight("PUT", None, "600")
    visit.play(ok, allow(), **PUT)
    assert visit.play(ok, allow(), url=other, **PUT).preflights == 1


def test_newer_response_shortens_older_entries() -> None:
    visit = Visit()
    visit.play(allow_preflight("PUT", None, "600"), allow(), **PUT)
    visit.play(allow_preflight("PUT", "x-a", "0"), allow(), **PUT, **X_A)
    assert visit.play(allow_preflight("PUT"), allow(), **PUT).preflights == 1


@pytest.mark.parametrize(("engine", "third"), list(zip(ALL, [0, 1, 0, 1], strict=True)))
def test_newest_response_replaces_all_in_chromium_and_webkit(
    engine: EngineName, third: int
) -> None:
    visit = Visit(engine)
    visit.play(allow_preflight("PUT", None, "600"), allow(), **PUT)
    visit.play(allow_preflight("DELETE", None, "600"), allow(), **DELETE)
    answers = [allow_preflight("PUT")] * third
    assert visit.play(*answers, allow(), **PUT).preflights == third


@pytest.mark.parametrize("engine", ALL)
def test_entry_without_credentials_excludes_credentials(engine: EngineName) -> None:
    ok = allow_preflight("PUT", None, "600", CREDENTIALS)
    assert count_preflights(engine, ok, PUT, include_credentials(PUT)) == (1, 1)


def test_entry_with_credentials_covers_none_except_in_firefox() -> None:
    ok = allow_preflight("PUT", None, "600", CREDENTIALS)
    found = {engine: count_preflights(engine, ok, include_credentials(PUT), PUT) for engine in ALL}
    assert found == expect_everywhere((1, 0), firefox=(1, 1))


def test_cached_wildcard_covers_names_except_in_firefox() -> None:
    methods = {e: count_preflights(e, allow_preflight("*", None, "600"), PUT, DELETE) for e in ALL}
    headers = {e: count_preflights(e, allow_preflight(None, "*", "600"), X_A, X_B) for e in ALL}
    assert methods == headers == expect_everywhere((1, 0), firefox=(1, 1))


def test_firefox_caches_nothing_of_a_wildcard() -> None:
    assert count_preflights("firefox", allow_preflight("*", None, "600"), PUT, PUT) == (1, 1)
    assert count_preflights("firefox", allow_preflight("*, PUT", None, "600"), PUT, PUT) == (1, 0)


def test_cached_wildcard_covers_authorization_in_webkit_only() -> None:
    ok = allow_preflight(None, "*, authorization", "600")
    found = {
        e: count_preflights(e, allow_preflight(None, "*", "600"), X_A, AUTHORIZATION) for e in ALL
    }
    assert found == expect_everywhere((1, 1), webkit=(1, 0))
    assert count_preflights("standard", ok, X_A, AUTHORIZATION) == (1, 0)


@pytest.mark.parametrize("engine", ALL)
def test_cached_wildcard_is_literal_with_credentials(engine: EngineName) -> None:
    ok = allow_preflight("*", None, "600", CREDENTIALS)
    star = include_credentials({"method": "*"})
    assert count_preflights(engine, ok, star, star, include_credentials(PUT)) == (1, 0, 1)


@pytest.mark.parametrize(("engine", "second"), list(zip(ALL, [0, 1, 1, 0], strict=True)))
def test_wildcard_cached_with_credentials_covers_without(engine: EngineName, second: int) -> None:
    ok = allow_preflight("PUT, *", None, "600", CREDENTIALS)
    assert count_preflights(engine, ok, include_credentials(PUT), DELETE) == (1, second)


def test_method_named_authorization_is_not_a_header() -> None:
    ok = allow_preflight("*", None, "600")
    assert count_preflights("standard", ok, PUT, {"method": "authorization"}) == (1, 0)


def test_refused_preflight_clears_entries_except_in_webkit() -> None:
    ok = allow_preflight("PUT", None, "600")
    found = {engine: count_preflights(engine, ok, PUT, DELETE, PUT) for engine in ALL}
    assert found == expect_everywhere((1, 1, 1), webkit=(1, 1, 0))


@pytest.mark.parametrize(("engine", "again"), list(zip(ALL, [1, 0, 1, 0], strict=True)))
def test_refused_response_clears_in_standard_and_firefox(engine: EngineName, again: int) -> None:
    ok = allow_preflight("PUT", None, "600")
    found = count_preflights(engine, ok, PUT, PUT, PUT, actual=answer())
    assert found == (1, again, again)


def test_refused_simple_request_clears_in_firefox_only() -> None:
    ok = allow_preflight("PUT", None, "600")
    found = {
        engine: count_preflights(engine, ok, PUT, {"credentials": "include"}, PUT, actual=allow())
        for engine in ALL
    }
    assert found == expect_everywhere((1, 0, 0), firefox=(1, 0, 1))


def test_failure_outside_cors_clears_nothing() -> None:
    visit = Visit("firefox")
    visit.play(allow_preflight("PUT", None, "600"), allow(), **PUT)
    policy = ("Cross-Origin-Resource-Policy", "same-origin")
    assert not visit.play(answer(policy), mode="no-cors").allowed
    assert visit.play(allow(), **PUT).preflights == 0


def test_failure_after_redirect_clears_the_last_url() -> None:
    visit = Visit()
    other = "https://api.example.com/other"
    ok = allow_preflight("PUT", None, "600")
    to_other = allow(("Location", other), status=307)
    visit.play(ok, to_other, ok, allow(), **PUT)
    visit.play(to_other, answer(), **PUT)
    assert visit.play(to_other, ok, allow(), **PUT).preflights == 1


def test_opaque_origin_is_not_cached_in_chromium_only() -> None:
    ok = allow_preflight("PUT", None, "600", origin="null")
    found = {}
    for engine in ALL:
        visit = Visit(engine, "null")
        actual = allow(origin="null")
        visit.play(ok, actual, **PUT)
        left = [ok] if engine == "chromium" else []
        found[engine] = visit.play(*left, actual, **PUT).preflights
    assert found == {**dict.fromkeys(ALL, 0), "chromium": 1}


def test_cached_upload_needs_its_method_in_standard_only() -> None:
    ok = allow_preflight("PUT", None, "600")
    found = {engine: count_preflights(engine, ok, UPLOAD, UPLOAD) for engine in ALL}
    assert found == expect_everywhere((1, 0), standard=(1, 1))
    listed = allow_preflight("POST", None, "600")
    assert {engine: count_preflights(engine, listed, UPLOAD, UPLOAD)[1] for engine in ALL} == (
        dict.fromkeys(ALL, 0)
    )


def test_empty_lists_are_cached_for_an_upload() -> None:
    ok = allow_preflight(None, None, "600")
    found = {engine: count_preflights(engine, ok, UPLOAD, UPLOAD) for engine in ALL}
    assert found == expect_everywhere((1, 0))


@pytest.mark.parametrize("refused", [{"method": "patch"}, X_A, AUTHORIZATION])
def test_refused_preflight_is_cached_in_webkit_only(refused: dict[str, Any]) -> None:
    ok = allow_preflight("PUT", None, "600")
    found = {engine: count_preflights(engine, ok, refused, PUT) for engine in ALL}
    assert found == expect_everywhere((1, 1), webkit=(1, 0))


@pytest.mark.parametrize(
    "name",
    ["If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "If-Match", "If-Range"],
)
def test_conditional_request_skips_cache_in_two_engines(name: str) -> None:
    ok = allow_preflight("PUT", name, "600")
    request = {"headers": {name: "x"}}
    found = {engine: count_preflights(engine, ok, request, request, PUT) for engine in ALL}
    assert found == expect_everywhere((1, 0, 0), chromium=(1, 1, 0), firefox=(1, 1, 0))


def test_refused_conditional_request_keeps_chromium_entries() -> None:
    ok = allow_preflight("PUT", None, "600")
    conditional = {"method": "DELETE", "headers": {"If-Match": "x"}}
    found = {engine: count_preflights(engine, ok, PUT, conditional, PUT) for engine in ALL}
    assert found == expect_everywhere((1, 1, 1), chromium=(1, 1, 0), webkit=(1, 1, 0))


def test_uncovering_entries_are_dropped_in_chromium_only() -> None:
    found = {}
    for engine in ALL:
        visit = Visit(engine)
        visit.play(allow_preflight("PUT", None, "600"), allow(), **PUT)
        visit.play(allow_preflight("DELETE", None, "0"), allow(), **DELETE)
        left = [allow_preflight("PUT")] if engine in {"chromium", "webkit"} else []
        found[engine] = visit.play(*left, allow(), **PUT).preflights
    assert found == {"standard": 0, "chromium": 1, "firefox": 0, "webkit": 1}


def test_head_needs_a_cached_method_in_firefox_only() -> None:
    head = {"method": "HEAD", **X_A}
    ok = allow_preflight(None, "x-a", "600")
    found = {engine: count_preflights(engine, ok, X_A, head, head) for engine in ALL}
    assert found == expect_everywhere((1, 0, 0), firefox=(1, 1, 1))
    assert count_preflights("firefox", allow_preflight("HEAD", "x-a", "600"), X_A, head) == (1, 0)


def test_refusal_with_credentials_clears_entries_without() -> None:
    ok = allow_preflight("PUT", None, "600")
    found = {
        engine: count_preflights(engine, ok, PUT, include_credentials(PUT), PUT) for engine in ALL
    }
    assert found == expect_everywhere((1, 1, 1))


def test_redirect_is_looked_up_by_its_url() -> None:
    visit = Visit()
    other = "https://api.example.com/other"
    ok = allow_preflight("PUT", None, "600")
    there = redirect(other, 307, "https://app.example.com")
    assert list_sent(visit.play(ok, there, ok, allow(), **PUT)) == ["?PUT", "PUT", "?PUT", "PUT"]
    assert list_sent(visit.play(there, allow(), **PUT)) == ["PUT", "PUT"]
