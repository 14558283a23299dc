"""Decorated objects, and those that no URL leads to."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial, partialmethod, wraps
from typing import Any

import pytest

from corsguard import Policy
from corsguard.guard.decorated_views import (
    find_hidden,
    find_unreachable,
    find_unreached,
    is_remembered,
)
from corsguard.guard.view_policies import (
    cors_exempt,
    cors_policy,
    find_decorated_layer,
    get_policy,
    iter_layers,
)

PUBLIC = Policy(allow_origins=["*"])
HERE = {__name__}

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_of_other_tests() -> None:
    gc.collect()


def view() -> Callable[[], str]:
    def made() -> str:
        return "made"

    return made


def test_an_object_that_is_not_reached_is_a_problem_with_its_place() -> None:
    exempt, public = cors_exempt(view()), cors_policy(PUBLIC)(view())
    found = find_unreachable([], HERE)
    assert [problem.code for problem in found] == ["view-policy-unreachable"] * 2
    assert found[0].field == 'view "view.<locals>.made"'
    assert f"({__file__}:{view.__code__.co_firstlineno + 1})" in found[0].message
    assert len(find_unreachable([], HERE, exempt=True)) == 1
    assert find_unreachable([exempt, public], HERE) == []
    assert find_unreachable([], {"another"}) == []


def test_an_object_that_is_gone_is_forgotten() -> None:
    exempt = cors_exempt(view())
    assert is_remembered(exempt)
    del exempt
    gc.collect()
    assert find_unreachable([], HERE) == []


def test_an_object_without_weak_references_keeps_its_policy() -> None:
    class Slotted:
        __slots__ = ("corsguard_policy",)

        def __call__(self) -> str:
            return "called"

    slotted = cors_exempt(Slotted())
    assert get_policy(slotted) is None
    assert not is_remembered(slotted)
    assert find_decorated_layer(slotted) is slotted
    assert slotted() == "called"


def test_the_place_of_a_partial_object_is_that_of_its_function() -> None:
    made = cors_exempt(partial(wraps(view)(partial(view))))
    (problem,) = find_unreachable([], HERE)
    assert f"{__file__}:" in problem.message
    assert made()() == "made"


class Controller:
    def act(self) -> str:
        return "acted"


def test_a_method_that_a_class_decorates_at_a_request_is_no_lost_one() -> None:
    bound = cors_exempt(Controller().act)
    assert any(each is bound for each in find_unreached([]))
    assert not any(each is bound for each in find_unreached([Controller]))


def test_a_wrapper_that_holds_an_exempt_view_hides_it() -> None:
    exempt, public = cors_exempt(view()), cors_policy(PUBLIC)(view())

    def wrapper() -> tuple[str, str]:
        return exempt(), public()

    (problem,) = find_hidden([wrapper], [])
    assert "view.<locals>.made" in problem.message
    assert find_hidden([wrapper], [exempt]) == []
    assert find_hidden([view], []) == []


def in_closure(exempt: Function) -> Function:
    held = {"views": [exempt]}
    return lambda: held["views"][0]()


def in_defaults(exempt: Function) -> Function:
    return lambda view=exempt, *, again=(exempt,): view() or again


class Attributes:
    def __init__(self, exempt: Function) -> None:
        self.views = (exempt,)

    def __call__(self) -> str:
        return str(self.views[0]())


class Slots:
    __slots__ = "view"

    def __init__(self, exempt: Function) -> None:
        self.view = exempt

    def __call__(self) -> str:
        return str(self.view())


def in_a_partial_method(exempt: Function) -> Function:
    class Views:
        get = partialmethod(exempt)

    made: Function = Views.get
    return made


@pytest.mark.parametrize(
    "wrapper", [in_closure, in_defaults, Attributes, Slots, in_a_partial_method]
)
def test_a_wrapper_hides_an_exempt_view_wherever_it_holds_it(
    wrapper: Callable[[Function], Function],
) -> None:
    exempt = cors_exempt(view())
    assert len(find_hidden([wrapper(exempt)], [])) == 1
    assert find_hidden([wrapper(exempt)], [exempt]) == []


class Proxy:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("working outside of a request")

    def __call__(self) -> None: ...


def test_a_proxy_that_needs_a_request_is_passed_over() -> None:
    exempt, proxy = cors_exempt(view()), Proxy()
    assert len(find_hidden([lambda: (proxy, exempt)], [])) == 1


def test_a_large_container_is_data() -> None:
    exempt = cors_exempt(view())
    held = [exempt] * 101
    assert find_hidden([lambda: held], []) == []


def test_a_cell_that_is_not_assigned_yet_is_passed_over() -> None:
    exempt = cors_exempt(view())

    def wrapper() -> Any:
        return later

    assert len(find_hidden([wrapper, partial(exempt)], [])) == 1
    later = wrapper
    assert wrapper() is later


def test_a_copied_mark_gives_way_to_the_object_that_was_decorated() -> None:
    made = cors_policy(PUBLIC)(view())

    @wraps(made)
    def copy() -> str:
        return made()

    assert find_decorated_layer(copy) is made
    cors_exempt(made)
    assert get_policy(copy) == PUBLIC
    assert get_policy(find_decorated_layer(copy)) is None
    assert copy() == "made"


def test_a_view_that_wraps_itself_has_one_layer() -> None:
    made: Any = view()
    made.__wrapped__ = made
    assert list(iter_layers(made)) == [made]
    assert find_unreachable([], HERE) == []


def test_static_and_class_methods_are_decorated_inside() -> None:
    class Holder:
        @cors_exempt
        @staticmethod
        def static() -> str:
            return "static"

        @cors_exempt
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

    for each in (Holder.static, Holder.of_class):
        assert find_decorated_layer(each) is not None
    assert (Holder.static(), Holder.of_class()) == ("static", "Holder")
