"""Per-view policies: the decorators, their look-up, and several policies on one URL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial, wraps
from threading import Barrier, Thread, get_ident
from typing import Any

import pytest
from support.engine_requests import ANY, EVIL, LISTED, PLAIN, A, build_preflight, find_header
from support.guards import decide, decide_async

from corsguard import CORSRequest, Guard, Policy, PolicyError, Reason
from corsguard.guard.view_policies import (
    View,
    cors_exempt,
    cors_policy,
    find_decorated_layer,
    find_shared_methods,
    get_policy,
    has_policy,
    iter_layers,
)

PUBLIC = Policy(allow_origins=["*"])
WILD = Policy(allow_origins=[A], allow_methods=["*"])


def guard(*views: Policy, enforce: bool = False) -> Guard:
    """Build a guard with per-view policies."""
    made = Guard({"/": PLAIN}, enforce=enforce)
    made.adapter.add_views(("view", policy) for policy in views)
    return made


def test_decorators_return_the_view_with_its_policy() -> None:
    def view() -> str:
        return "called"

    assert not has_policy(view)
    assert cors_policy(LISTED)(view) is view
    assert has_policy(view)
    assert get_policy(view) is LISTED
    assert cors_exempt(view) is view
    assert has_policy(view)
    assert get_policy(view) is None
    assert view() == "called"


@pytest.mark.parametrize("wrong", [None, lambda: None, {"allow_origins": [A]}])
def test_cors_policy_with_another_type_raises_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="cors_policy takes a Policy"):
        cors_policy(wrong)


def test_cors_policy_accepts_the_fields_of_a_policy() -> None:
    @cors_policy(allow_origins=["*"])
    def view() -> str:
        raise NotImplementedError

    assert get_policy(view) == PUBLIC


def test_decorator_applies_inside_static_and_class_methods() -> None:
    class Views:
        @cors_exempt
        @staticmethod
        def static() -> str:
            return "static"

        @cors_exempt
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

    for each in (Views.static, Views.of_class):
        assert find_decorated_layer(each) is not None
    assert (Views.static(), Views.of_class()) == ("static", "Views")


class Controller:
    def get(self) -> str:
        return "called"


def test_decorator_of_a_bound_method_leaves_its_class_unchanged() -> None:
    decorated = cors_exempt(Controller().get)
    assert has_policy(decorated)
    assert not has_policy(Controller.get)
    assert decorated() == "called"
    assert decorated.__name__ == "get"
    assert has_policy(cors_exempt)


def test_iter_layers_yields_the_outermost_first() -> None:
    inner = cors_policy(PUBLIC)(lambda: "called")
    outer = partial(partial(inner))
    assert list(iter_layers(outer))[-1] is inner
    assert find_decorated_layer(outer) is inner
    assert outer() == "called"


def test_iter_layers_of_a_view_that_wraps_itself_ends() -> None:
    def view() -> str:
        raise NotImplementedError

    view.__wrapped__ = view  # type: ignore[attr-defined]
    assert list(iter_layers(view)) == [view]


def test_decorated_layer_is_the_decorated_object_and_not_a_copy() -> None:
    @cors_policy(PUBLIC)
    def view() -> str:
        return "called"

    @wraps(view)
    def copy() -> str:
        return view()

    assert find_decorated_layer(copy) is view
    cors_exempt(view)
    assert get_policy(copy) == PUBLIC
    assert get_policy(find_decorated_layer(copy)) is None
    assert copy() == "called"


def test_decorated_layer_of_a_view_decorated_after_wrapping() -> None:
    def view() -> str:
        return "called"

    @wraps(view)
    def outer() -> str:
        return view()

    assert find_decorated_layer(outer) is None
    cors_exempt(view)
    assert find_decorated_layer(outer) is view
    assert outer() == "called"


def test_view_policy_wins_over_the_policy_of_the_path() -> None:
    view = View("items", LISTED)
    decision = decide(guard(LISTED), "/x", A, "OPTIONS", build_preflight("PUT"), view=view)
    assert find_header(decision, "Allow-Credentials") == "true"
    exempt = decide(guard(), "/x", A, "OPTIONS", build_preflight("PUT"), view=View("items", None))
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
def test_allow_methods_lists_only_methods_with_the_same_policy(
    policy: Policy, methods: frozenset[str] | None, sent: str | None
) -> None:
    view, asked = View("items", policy), ("/x", A, "OPTIONS", build_preflight("PUT"))
    decision = decide(guard(policy), *asked, view=view, methods=methods)
    assert find_header(decision, "Allow-Methods") == sent
    deciding = decide_async(guard(policy), *asked, view=view, methods=methods)
    assert asyncio.run(deciding) == decision


def test_allow_methods_of_the_path_skips_methods_of_views() -> None:
    made = Guard({"/": LISTED})
    methods = frozenset({"PUT", "GET"})
    decision = decide(made, "/x", A, "OPTIONS", build_preflight("PUT"), methods=methods)
    assert find_header(decision, "Allow-Methods") == "GET, PUT"
    asking = decide_async(made, "/x", A, "OPTIONS", build_preflight("PUT"), methods=methods)
    assert asyncio.run(asking) == decision


def test_find_shared_methods_compares_policies() -> None:
    policies = {"GET": PLAIN, "PUT": LISTED, "PATCH": LISTED, "DELETE": None}
    assert find_shared_methods("PUT", policies) == frozenset({"PUT", "PATCH"})
    assert find_shared_methods("DELETE", policies) == frozenset({"DELETE"})
    assert find_shared_methods("GET", {"GET": PLAIN, "PUT": PLAIN}) is None


@pytest.mark.parametrize(
    ("origin", "policy", "refused"),
    [(A, LISTED, False), (EVIL, LISTED, True), (A, None, True), (A, ANY, True)],
)
def test_enforcement_applies_the_view_policy(
    origin: str, policy: Policy | None, refused: bool
) -> None:
    made = guard(LISTED, ANY, enforce=True)
    decision = decide(made, "/x", origin, "POST", {}, view=View("items", policy))
    assert (decision.status == 403) is refused
    read = decide(made, "/x", origin, "GET", {}, view=View("items", policy))
    assert read.status is None


def test_add_views_validates_policies_under_enforce() -> None:
    insecure = Policy(allow_origins=["http://a.example"])
    guard(insecure)
    with pytest.raises(PolicyError, match="origin-insecure"):
        guard(insecure, enforce=True)


def test_add_views_after_require_sync_rejects_async_callables() -> None:
    async def predicate(origin: str) -> bool:
        return True

    made = guard()
    made.adapter.require_sync()
    with pytest.raises(PolicyError, match="callable-async"):
        made.adapter.add_views([("view", Policy(allow_origins=[predicate]))])


def test_reconfigure_keeps_view_policies() -> None:
    made = guard(LISTED)
    made.reconfigure(None)
    assert decide(made, "/x", A, "GET", {}, view=View("items", LISTED)).allowed
    assert made.decide("/x", A, "GET", {}).reason is Reason.NO_POLICY


def test_reconfigure_keeps_a_view_policy_that_a_path_shared() -> None:
    made = Guard({"/": LISTED})
    made.adapter.add_views([("view", LISTED)])
    made.reconfigure({"/": PLAIN})
    decision = decide(made, "/x", A, "GET", {}, view=View("items", LISTED))
    assert find_header(decision, "Allow-Credentials") == "true"


@pytest.fixture
def frequent_thread_switches() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("frequent_thread_switches")
def test_add_views_during_reconfigure_loses_no_policy() -> None:
    policies = [Policy(allow_origins=[A], max_age=seconds) for seconds in range(100)]
    made, ready = Guard(PLAIN), Barrier(2)

    def add_views() -> None:
        ready.wait()
        for policy in policies:
            made.adapter.add_views([("view", policy)])

    thread = Thread(target=add_views)
    thread.start()
    ready.wait()
    for policy in policies:
        made.reconfigure(policy)
        assert made.policies is policy
    thread.join()
    assert made.policies is policies[-1]
    ages = [
        find_header(
            decide(made, "/x", A, "OPTIONS", build_preflight(), view=View("v", policy)), "Max-Age"
        )
        for policy in policies
    ]
    assert ages == [str(seconds) for seconds in range(100)]


async def awaited(origin: str) -> bool:
    return origin == A


def test_guard_has_callables_and_has_async_callables() -> None:
    assert not guard(LISTED).adapter.has_callables
    plain = guard(Policy(allow_origins=[lambda _: True])).adapter
    assert (plain.has_callables, plain.has_async_callables) == (True, False)
    assert guard(Policy(allow_origins=[awaited])).adapter.has_async_callables


def test_decide_async_calls_blocking_callables_in_a_thread() -> None:
    called: list[object] = []

    def blocking(origin: str) -> bool:
        called.append(get_ident())
        return origin == EVIL

    def in_thread(ask: Callable[[], object], _seconds: float) -> Awaitable[object]:
        return asyncio.to_thread(ask)

    made = Guard(Policy(allow_origins=[awaited, blocking]))
    for origin in (A, EVIL, "https://other.example"):
        decision = asyncio.run(decide_async(made, "/x", origin, "GET", {}, call=in_thread))
        assert decision.allowed is (origin in {A, EVIL})
    assert len(called) == 2
    assert get_ident() not in called


@pytest.mark.parametrize(
    ("origin", "method", "headers", "view_first"),
    [
        (A, "OPTIONS", build_preflight(), True),
        (A, "OPTIONS", {}, False),
        (None, "OPTIONS", build_preflight(), False),
        (A, "GET", {}, False),
        (EVIL, "POST", {}, True),
        (EVIL, "POST", {"Sec-Fetch-Site": "same-origin"}, False),
        (None, "POST", {}, False),
    ],
)
def test_needs_view_first_for_preflights_and_enforced_requests(
    origin: str | None, method: str, headers: dict[str, str], view_first: bool
) -> None:
    request = CORSRequest.from_headers("/", origin, method, headers)
    assert guard(enforce=True).adapter.needs_view_first(request) is view_first
    assert guard().adapter.needs_view_first(request) is (view_first and method == "OPTIONS")


class Router:
    routes: tuple[object, ...] = ()

    def __call__(self) -> None:
        raise NotImplementedError


class Blueprint:
    deferred_functions: tuple[object, ...] = ()


@pytest.mark.parametrize("other", [Router(), Blueprint()])
def test_router_or_application_is_not_decorated_in_silence(other: Any) -> None:
    with pytest.raises(TypeError, match="is not a view: decorate its views, or give it a policy"):
        cors_exempt(other)
    with pytest.raises(TypeError, match=r"by set_policy of CORSGuard"):
        cors_policy(allow_origins=["https://a.example"])(other)
