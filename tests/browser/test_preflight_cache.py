"""The CORS-preflight cache: what is not asked again, for how long, and in which engine."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    API,
    CREDENTIALS,
    PREFLIGHT_CACHE,
    Visit,
    allowing,
    answer,
    preflighted,
    redirect,
    told,
    wire,
)

from corsguard.browser import Answer, EngineName, Request, Sent

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
PUT: dict[str, Any] = {"method": "PUT"}
DELETE: dict[str, Any] = {"method": "DELETE"}
X_A: dict[str, Any] = {"headers": {"X-A": "1"}}
X_B: dict[str, Any] = {"headers": {"X-B": "1"}}
AUTHORIZATION: dict[str, Any] = {"headers": {"Authorization": "1"}}
UPLOAD: dict[str, Any] = {"method": "POST", "body": b"1", "upload_listener": True}


def including(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "credentials": "include"}


def preflights(
    engine: EngineName, asked: Answer, *requests: dict[str, Any], actual: Answer | None = None
) -> tuple[int, ...]:
    """How many preflights each of the requests has, where this is the answer to all of them."""
    visit = Visit(engine)
    given = actual or allowing(CREDENTIALS)

    def send(sent: Sent) -> Answer:
        return asked if sent.method == "OPTIONS" else given

    return tuple(visit.browser.play(Request(API, **each), send).preflights for each in requests)


def everywhere(found: tuple[int, ...], **but: tuple[int, ...]) -> dict[EngineName, Any]:
    """What each engine does: the same, but for these."""
    return {engine: but.get(engine, found) for engine in ALL}


@pytest.mark.parametrize(
    ("engine", "cap"),
    [("standard", 86_400), ("chromium", 7_200), ("firefox", 86_400), ("webkit", 600)],
)
def test_an_answer_holds_for_its_max_age_up_to_the_engine_s_cap(
    engine: EngineName, cap: int
) -> None:
    visit = Visit(engine)
    ok = preflighted("PUT", None, "99999999999999999999")
    first = visit.play(ok, allowing(), **PUT)
    assert told(first, PREFLIGHT_CACHE) == [f"the response is cached for {cap} s"]
    visit.now += cap - 1
    second = visit.play(allowing(), **PUT)
    assert told(second, PREFLIGHT_CACHE) == [
        "the method PUT is not safelisted: a cached preflight covers it"
    ]
    visit.now += 1
    assert visit.play(ok, allowing(), **PUT).preflights == 1
    assert visit.browser.preflights == 2


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("max_age", [None, "", "5", " 5 ", "005"])
def test_without_a_max_age_an_answer_holds_for_five_seconds(
    max_age: str | None, engine: EngineName
) -> None:
    visit = Visit(engine)
    ok = preflighted("PUT", None, max_age)
    visit.play(ok, allowing(), **PUT)
    visit.now += 4.9
    assert wire(visit.play(allowing(), **PUT)) == ["PUT"]
    visit.now += 0.1
    assert wire(visit.play(ok, allowing(), **PUT)) == ["?PUT", "PUT"]


@pytest.mark.parametrize("max_age", ["abc", "5.5", "5, 6", "+5", "'5'", "5s", "0x10", "\u0665"])
def test_a_max_age_that_can_not_be_read_is_as_none_but_in_firefox(max_age: str) -> None:
    ok = preflighted("PUT", None, max_age)
    found = {engine: preflights(engine, ok, PUT, PUT) for engine in ALL}
    assert found == everywhere((1, 0), firefox=(1, 1))


def test_two_lines_of_max_age_can_not_be_read() -> None:
    ok = preflighted("PUT", None, "600", ("Access-Control-Max-Age", "600"))
    visit = Visit()
    exchange = visit.play(ok, allowing(), **PUT)
    assert told(exchange, PREFLIGHT_CACHE) == ["the response is cached for 5 s"]


@pytest.mark.parametrize("max_age", ["-1", "-0"])
def test_a_negative_max_age_is_kept_by_the_standard_alone(max_age: str) -> None:
    ok = preflighted("PUT", None, max_age)
    found = {engine: preflights(engine, ok, PUT, PUT) for engine in ALL}
    assert found == everywhere((1, 1), standard=(1, 0))


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("max_age", ["0", "00"])
def test_a_max_age_of_0_keeps_nothing(max_age: str, engine: EngineName) -> None:
    ok = preflighted("PUT", None, max_age)
    assert preflights(engine, ok, PUT, PUT) == (1, 1)
    assert told(Visit(engine).play(ok, allowing(), **PUT), PREFLIGHT_CACHE) == [
        "the response is not cached"
    ]


@pytest.mark.parametrize("engine", ALL)
def test_an_answer_covers_every_method_and_header_that_it_lists(engine: EngineName) -> None:
    ok = preflighted("PUT, DELETE", "x-a, x-b", "600")
    assert preflights(engine, ok, {**PUT, **X_A}, DELETE, X_B, {**DELETE, **X_B}) == (1, 0, 0, 0)


def test_what_an_answer_does_not_list_is_asked_again() -> None:
    visit = Visit()
    visit.play(preflighted("PUT", "x-a", "600"), allowing(), **PUT)
    assert visit.play(preflighted("DELETE"), allowing(), **DELETE).preflights == 1
    assert visit.play(preflighted(None, "x-b"), allowing(), **X_B).preflights == 1


@pytest.mark.parametrize("other", [f"{API}?page=2", "https://other.example/items"])
def test_an_answer_holds_for_its_url_alone(other: str) -> None:
    visit = Visit()
    ok = preflighted("PUT", None, "600")
    visit.play(ok, allowing(), **PUT)
    assert visit.play(ok, allowing(), url=other, **PUT).preflights == 1


def test_a_newer_answer_shortens_what_an_older_one_said() -> None:
    visit = Visit()
    visit.play(preflighted("PUT", None, "600"), allowing(), **PUT)
    visit.play(preflighted("PUT", "x-a", "0"), allowing(), **PUT, **X_A)
    assert visit.play(preflighted("PUT"), allowing(), **PUT).preflights == 1


@pytest.mark.parametrize(("engine", "third"), list(zip(ALL, [0, 1, 0, 1], strict=True)))
def test_chromium_and_webkit_keep_the_newest_answer_only(engine: EngineName, third: int) -> None:
    visit = Visit(engine)
    visit.play(preflighted("PUT", None, "600"), allowing(), **PUT)
    visit.play(preflighted("DELETE", None, "600"), allowing(), **DELETE)
    answers = [preflighted("PUT")] * third
    assert visit.play(*answers, allowing(), **PUT).preflights == third


@pytest.mark.parametrize("engine", ALL)
def test_an_answer_without_credentials_does_not_hold_with_them(engine: EngineName) -> None:
    ok = preflighted("PUT", None, "600", CREDENTIALS)
    assert preflights(engine, ok, PUT, including(PUT)) == (1, 1)


def test_an_answer_with_credentials_holds_without_them_but_in_firefox() -> None:
    ok = preflighted("PUT", None, "600", CREDENTIALS)
    found = {engine: preflights(engine, ok, including(PUT), PUT) for engine in ALL}
    assert found == everywhere((1, 0), firefox=(1, 1))


def test_a_wildcard_that_is_kept_covers_other_names_but_in_firefox() -> None:
    methods = {e: preflights(e, preflighted("*", None, "600"), PUT, DELETE) for e in ALL}
    headers = {e: preflights(e, preflighted(None, "*", "600"), X_A, X_B) for e in ALL}
    assert methods == headers == everywhere((1, 0), firefox=(1, 1))


def test_firefox_does_not_even_keep_what_only_a_wildcard_allowed() -> None:
    assert preflights("firefox", preflighted("*", None, "600"), PUT, PUT) == (1, 1)
    assert preflights("firefox", preflighted("*, PUT", None, "600"), PUT, PUT) == (1, 0)


def test_a_wildcard_that_is_kept_covers_authorization_in_webkit_alone() -> None:
    ok = preflighted(None, "*, authorization", "600")
    found = {e: preflights(e, preflighted(None, "*", "600"), X_A, AUTHORIZATION) for e in ALL}
    assert found == everywhere((1, 1), webkit=(1, 0))
    assert preflights("standard", ok, X_A, AUTHORIZATION) == (1, 0)


@pytest.mark.parametrize("engine", ALL)
def test_a_wildcard_covers_nothing_where_credentials_are_sent(engine: EngineName) -> None:
    ok = preflighted("*", None, "600", CREDENTIALS)
    star = including({"method": "*"})
    assert preflights(engine, ok, star, star, including(PUT)) == (1, 0, 1)


@pytest.mark.parametrize(("engine", "second"), list(zip(ALL, [0, 1, 1, 0], strict=True)))
def test_a_wildcard_sent_to_a_request_with_credentials_counts_for_one_without(
    engine: EngineName, second: int
) -> None:
    ok = preflighted("PUT, *", None, "600", CREDENTIALS)
    assert preflights(engine, ok, including(PUT), DELETE) == (1, second)


def test_authorization_in_a_method_s_place_is_no_header() -> None:
    ok = preflighted("*", None, "600")
    assert preflights("standard", ok, PUT, {"method": "authorization"}) == (1, 0)


def test_a_refused_preflight_clears_what_was_kept_but_in_webkit() -> None:
    ok = preflighted("PUT", None, "600")
    found = {engine: preflights(engine, ok, PUT, DELETE, PUT) for engine in ALL}
    assert found == everywhere((1, 1, 1), webkit=(1, 1, 0))


@pytest.mark.parametrize(("engine", "again"), list(zip(ALL, [1, 0, 1, 0], strict=True)))
def test_a_refused_answer_to_the_request_clears_it_in_the_standard_and_in_firefox(
    engine: EngineName, again: int
) -> None:
    ok = preflighted("PUT", None, "600")
    found = preflights(engine, ok, PUT, PUT, PUT, actual=answer())
    assert found == (1, again, again)


def test_the_refused_answer_to_a_request_without_a_preflight_clears_it_in_firefox_alone() -> None:
    ok = preflighted("PUT", None, "600")
    found = {
        engine: preflights(engine, ok, PUT, {"credentials": "include"}, PUT, actual=allowing())
        for engine in ALL
    }
    assert found == everywhere((1, 0, 0), firefox=(1, 0, 1))


def test_what_fails_without_cors_clears_nothing() -> None:
    visit = Visit("firefox")
    visit.play(preflighted("PUT", None, "600"), allowing(), **PUT)
    policy = ("Cross-Origin-Resource-Policy", "same-origin")
    assert not visit.play(answer(policy), mode="no-cors").allowed
    assert visit.play(allowing(), **PUT).preflights == 0


def test_a_failure_behind_a_redirect_clears_the_url_that_it_happened_at() -> None:
    visit = Visit()
    other = "https://api.example.com/other"
    ok = preflighted("PUT", None, "600")
    to_other = allowing(("Location", other), status=307)
    visit.play(ok, to_other, ok, allowing(), **PUT)
    visit.play(to_other, answer(), **PUT)
    assert visit.play(to_other, ok, allowing(), **PUT).preflights == 1


def test_chromium_alone_keeps_nothing_for_a_page_without_an_origin() -> None:
    ok = preflighted("PUT", None, "600", origin="null")
    found = {}
    for engine in ALL:
        visit = Visit(engine, "null")
        actual = allowing(origin="null")
        visit.play(ok, actual, **PUT)
        left = [ok] if engine == "chromium" else []
        found[engine] = visit.play(*left, actual, **PUT).preflights
    assert found == {**dict.fromkeys(ALL, 0), "chromium": 1}


def test_an_upload_that_is_asked_again_needs_its_method_in_the_standard_alone() -> None:
    ok = preflighted("PUT", None, "600")
    found = {engine: preflights(engine, ok, UPLOAD, UPLOAD) for engine in ALL}
    assert found == everywhere((1, 0), standard=(1, 1))
    listed = preflighted("POST", None, "600")
    assert {engine: preflights(engine, listed, UPLOAD, UPLOAD)[1] for engine in ALL} == (
        dict.fromkeys(ALL, 0)
    )


def test_an_answer_that_lists_nothing_is_kept_for_an_upload() -> None:
    ok = preflighted(None, None, "600")
    found = {engine: preflights(engine, ok, UPLOAD, UPLOAD) for engine in ALL}
    assert found == everywhere((1, 0))


@pytest.mark.parametrize("refused", [{"method": "patch"}, X_A, AUTHORIZATION])
def test_webkit_alone_keeps_an_answer_that_refuses(refused: dict[str, Any]) -> None:
    ok = preflighted("PUT", None, "600")
    found = {engine: preflights(engine, ok, refused, PUT) for engine in ALL}
    assert found == everywhere((1, 1), webkit=(1, 0))


@pytest.mark.parametrize(
    "name",
    ["If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "If-Match", "If-Range"],
)
def test_chromium_and_firefox_ask_for_each_conditional_request(name: str) -> None:
    ok = preflighted("PUT", name, "600")
    request = {"headers": {name: "x"}}
    found = {engine: preflights(engine, ok, request, request, PUT) for engine in ALL}
    assert found == everywhere((1, 0, 0), chromium=(1, 1, 0), firefox=(1, 1, 0))


def test_chromium_keeps_what_was_not_looked_up_when_a_conditional_request_is_refused() -> None:
    ok = preflighted("PUT", None, "600")
    conditional = {"method": "DELETE", "headers": {"If-Match": "x"}}
    found = {engine: preflights(engine, ok, PUT, conditional, PUT) for engine in ALL}
    assert found == everywhere((1, 1, 1), chromium=(1, 1, 0), webkit=(1, 1, 0))


def test_chromium_alone_drops_what_does_not_cover_a_request_before_it_asks() -> None:
    found = {}
    for engine in ALL:
        visit = Visit(engine)
        visit.play(preflighted("PUT", None, "600"), allowing(), **PUT)
        visit.play(preflighted("DELETE", None, "0"), allowing(), **DELETE)
        left = [preflighted("PUT")] if engine in {"chromium", "webkit"} else []
        found[engine] = visit.play(*left, allowing(), **PUT).preflights
    assert found == {"standard": 0, "chromium": 1, "firefox": 0, "webkit": 1}


def test_firefox_alone_has_to_find_head_among_the_methods() -> None:
    head = {"method": "HEAD", **X_A}
    ok = preflighted(None, "x-a", "600")
    found = {engine: preflights(engine, ok, X_A, head, head) for engine in ALL}
    assert found == everywhere((1, 0, 0), firefox=(1, 1, 1))
    assert preflights("firefox", preflighted("HEAD", "x-a", "600"), X_A, head) == (1, 0)


def test_a_refusal_with_credentials_clears_what_was_kept_without_them() -> None:
    ok = preflighted("PUT", None, "600")
    found = {engine: preflights(engine, ok, PUT, including(PUT), PUT) for engine in ALL}
    assert found == everywhere((1, 1, 1))


def test_redirects_are_looked_up_by_their_own_url() -> None:
    visit = Visit()
    other = "https://api.example.com/other"
    ok = preflighted("PUT", None, "600")
    there = redirect(other, 307, "https://app.example.com")
    assert wire(visit.play(ok, there, ok, allowing(), **PUT)) == ["?PUT", "PUT", "?PUT", "PUT"]
    assert wire(visit.play(there, allowing(), **PUT)) == ["PUT", "PUT"]
