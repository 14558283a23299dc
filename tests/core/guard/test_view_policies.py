"""Policies of single views, different ones on one URL among them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from threading import Barrier, Thread, get_ident
from typing import Any

import pytest
from support.guards import decide, decide_async
from support.origins import ANY, EVIL, LISTED, PLAIN, A, ask, field

from corsguard import CORSRequest, Guard, Policy, PolicyError, Reason
from corsguard.guard.view_policies import (
    View,
    cors_exempt,
    cors_policy,
    find_shared_methods,
    get_policy,
    has_policy,
)

WILD = Policy(allow_origins=[A], allow_methods=["*"])


def guard(*views: Policy, enforce: bool = False) -> Guard:
    made = Guard({"/": PLAIN}, enforce=enforce)
    made.adapter.add_views(("view", policy) for policy in views)
    return made


def test_a_view_is_decorated_with_its_policy_and_stays_what_it_is() -> None:
    def view() -> str:
        return "seen"

    assert not has_policy(view)
    assert cors_policy(LISTED)(view) is view
    assert has_policy(view)
    assert get_policy(view) is LISTED
    assert cors_exempt(view) is view
    assert has_policy(view)
    assert get_policy(view) is None
    assert view() == "seen"


@pytest.mark.parametrize("wrong", [None, lambda: None, {"allow_origins": [A]}])
def test_a_view_is_decorated_with_nothing_but_a_policy(wrong: Any) -> None:
    with pytest.raises(TypeError, match="cors_policy takes a Policy"):
        cors_policy(wrong)


def test_the_policy_of_a_view_wins_over_the_one_of_its_path() -> None:
    view = View("items", LISTED)
    decision = decide(guard(LISTED), "/x", A, "OPTIONS", ask("PUT"), view=view)
    assert field(decision, "Allow-Credentials") == "true"
    exempt = decide(guard(), "/x", A, "OPTIONS", ask("PUT"), view=View("items", None))
    assert (exempt.reason, exempt.headers) == (Reason.NO_POLICY, ())


@pytest.mark.parametrize(
    ("policy", "methods", "sent"),
    [
        (LISTED, None, "GET, HEAD, POST, PUT, PATCH"),
        (LISTED, frozenset({"PUT", "GET", "DELETE"}), "GET, PUT"),
        (WILD, frozenset({"PUT", "PATCH"}), "PATCH, PUT"),
        (LISTED, frozenset({"DELETE"}), None),
    ],
)
def test_allow_methods_holds_only_the_methods_whose_view_has_the_same_policy(
    policy: Policy, methods: frozenset[str] | None, sent: str | None
) -> None:
    view, asked = View("items", policy), ("/x", A, "OPTIONS", ask("PUT"))
    decision = decide(guard(policy), *asked, view=view, methods=methods)
    assert field(decision, "Allow-Methods") == sent
    deciding = decide_async(guard(policy), *asked, view=view, methods=methods)
    assert asyncio.run(deciding) == decision


def test_allow_methods_of_the_policy_of_the_path_where_views_have_others() -> None:
    made = Guard({"/": LISTED})
    methods = frozenset({"PUT", "GET"})
    decision = decide(made, "/x", A, "OPTIONS", ask("PUT"), methods=methods)
    assert field(decision, "Allow-Methods") == "GET, PUT"
    asking = decide_async(made, "/x", A, "OPTIONS", ask("PUT"), methods=methods)
    assert asyncio.run(asking) == decision


def test_the_methods_of_a_url_that_share_a_policy() -> None:
    policies = {"GET": PLAIN, "PUT": LISTED, "PATCH": LISTED, "DELETE": None}
    assert find_shared_methods("PUT", policies) == frozenset({"PUT", "PATCH"})
    assert find_shared_methods("DELETE", policies) == frozenset({"DELETE"})
    assert find_shared_methods("GET", {"GET": PLAIN, "PUT": PLAIN}) is None


@pytest.mark.parametrize(
    ("origin", "policy", "refused"),
    [(A, LISTED, False), (EVIL, LISTED, True), (A, None, True), (A, ANY, True)],
)
def test_enforcement_asks_the_policy_of_the_view(
    origin: str, policy: Policy | None, refused: bool
) -> None:
    made = guard(LISTED, ANY, enforce=True)
    decision = decide(made, "/x", origin, "POST", {}, view=View("items", policy))
    assert (decision.status == 403) is refused
    read = decide(made, "/x", origin, "GET", {}, view=View("items", policy))
    assert read.status is None


def test_the_policies_of_views_are_checked_under_enforce() -> None:
    insecure = Policy(allow_origins=["http://a.example"])
    guard(insecure)
    with pytest.raises(PolicyError, match="origin-insecure"):
        guard(insecure, enforce=True)


def test_an_async_callable_of_a_view_is_refused_where_nothing_can_await_it() -> None:
    async def predicate(origin: str) -> bool:
        return True

    made = guard()
    made.adapter.require_sync()
    with pytest.raises(PolicyError, match="callable-async"):
        made.adapter.add_views([("view", Policy(allow_origins=[predicate]))])


def test_reconfigure_keeps_the_policies_of_views() -> None:
    made = guard(LISTED)
    made.reconfigure(None)
    assert decide(made, "/x", A, "GET", {}, view=View("items", LISTED)).allowed
    assert made.decide("/x", A, "GET", {}).reason is Reason.NO_POLICY


def test_reconfigure_keeps_the_policy_of_a_view_that_was_also_that_of_a_path() -> None:
    made = Guard({"/": LISTED})
    made.adapter.add_views([("view", LISTED)])
    made.reconfigure({"/": PLAIN})
    decision = decide(made, "/x", A, "GET", {}, view=View("items", LISTED))
    assert field(decision, "Allow-Credentials") == "true"


@pytest.fixture
def switching_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("switching_often")
def test_adopting_and_reconfiguring_at_once_lose_nothing() -> None:
    policies = [Policy(allow_origins=[A], max_age=seconds) for seconds in range(100)]
    made, ready = Guard(PLAIN), Barrier(2)

    def adopt() -> None:
        ready.wait()
        for policy in policies:
            made.adapter.add_views([("view", policy)])

    thread = Thread(target=adopt)
    thread.start()
    ready.wait()
    for policy in policies:
        made.reconfigure(policy)
        assert made.policies is policy
    thread.join()
    assert made.policies is policies[-1]
    ages = [
        field(decide(made, "/x", A, "OPTIONS", ask(), view=View("v", policy)), "Max-Age")
        for policy in policies
    ]
    assert ages == [str(seconds) for seconds in range(100)]


async def awaited(origin: str) -> bool:
    return origin == A


def test_a_guard_tells_whether_a_callable_may_have_to_be_awaited() -> None:
    assert not guard(LISTED).adapter.has_callables
    plain = guard(Policy(allow_origins=[lambda _: True])).adapter
    assert (plain.has_callables, plain.has_async_callables) == (True, False)
    assert guard(Policy(allow_origins=[awaited])).adapter.has_async_callables


def test_an_adapter_may_have_callables_that_block_called_out_of_the_event_loop() -> None:
    called: list[object] = []

    def blocking(origin: str) -> bool:
        called.append(get_ident())
        return origin == EVIL

    def in_thread(predicate: Callable[[str], object], origin: str) -> Awaitable[object]:
        return asyncio.to_thread(predicate, origin)

    made = Guard(Policy(allow_origins=[awaited, blocking]))
    for origin in (A, EVIL, "https://other.example"):
        decision = asyncio.run(decide_async(made, "/x", origin, "GET", {}, call=in_thread))
        assert decision.allowed is (origin in {A, EVIL})
    assert len(called) == 2
    assert get_ident() not in called


@pytest.mark.parametrize(
    ("origin", "method", "headers", "ahead"),
    [
        (A, "OPTIONS", ask(), True),
        (A, "OPTIONS", {}, False),
        (None, "OPTIONS", ask(), False),
        (A, "GET", {}, False),
        (EVIL, "POST", {}, True),
        (EVIL, "POST", {"Sec-Fetch-Site": "same-origin"}, False),
        (None, "POST", {}, False),
    ],
)
def test_the_view_is_looked_up_ahead_for_preflights_and_guarded_requests_only(
    origin: str | None, method: str, headers: dict[str, str], ahead: bool
) -> None:
    request = CORSRequest.from_headers("/", origin, method, headers)
    assert guard(enforce=True).adapter.needs_view_first(request) is ahead
    assert guard().adapter.needs_view_first(request) is (ahead and method == "OPTIONS")
