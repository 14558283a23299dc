"""The decorated objects that no URL leads to, and those that a view hides."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest

from corsguard import Policy
from corsguard.guard.decorated_views import (
    find_hidden,
    find_unreachable,
    has_exempt,
    iter_callables,
    mark_reached,
)
from corsguard.guard.view_policies import (
    cors_exempt,
    cors_policy,
    find_decorated_layer,
    has_policy,
    iter_layers,
)

PUBLIC = Policy(allow_origins=["*"])
HERE = {__name__}
Called = Callable[..., str]


@pytest.fixture(autouse=True)
def nothing_of_other_tests() -> None:
    gc.collect()


def answer() -> str:
    return "answered"


def with_wraps(view: Called) -> Called:
    @wraps(view)
    def inner() -> str:
        return view()

    return inner


def without_wraps(view: Called) -> Called:
    def inner() -> str:
        return view()

    return inner


class Holder:
    """A callable that has the view as an attribute."""

    __slots__ = ("__weakref__", "view")

    def __init__(self, view: Called) -> None:
        self.view = view

    def __call__(self) -> str:
        return self.view()


class Keeper:
    def __init__(self, view: Called) -> None:
        self.view = view

    def __call__(self) -> str:
        return self.view()

    def get(self) -> str:
        return self.view()


def exempt_view() -> Called:
    return cors_exempt(lambda: answer())


def codes(found: list[Any]) -> list[str]:
    return [problem.code for problem in found]


def test_a_decorated_view_that_is_not_reached_is_a_problem_with_its_place() -> None:
    @cors_exempt
    def lost() -> str:
        raise NotImplementedError

    (problem,) = find_unreachable([], HERE)
    line = lost.__code__.co_firstlineno
    assert problem.code == "view-policy-unreachable"
    assert problem.field.endswith('lost"')
    assert f"{Path(__file__).name}:{line}" in problem.message
    assert "functools.wraps" in problem.suggestion
    assert find_unreachable([lost], HERE) == []


def test_what_another_module_decorates_belongs_to_another_application() -> None:
    lost = exempt_view()
    assert find_unreachable([], {"somewhere.else"}) == []
    assert codes(find_unreachable([], HERE)) == ["view-policy-unreachable"]
    assert has_policy(lost)


def test_a_view_that_was_reached_once_stays_reached() -> None:
    view = exempt_view()
    mark_reached([view, object()])
    assert find_unreachable([], HERE) == []


def test_only_exempt_views_are_looked_at_where_they_alone_fail_open() -> None:
    lost = cors_policy(PUBLIC)(lambda: answer())
    assert codes(find_unreachable([], HERE)) == ["view-policy-unreachable"]
    assert find_unreachable([], HERE, exempt=True) == []
    assert has_policy(lost)


def test_an_object_that_is_gone_is_no_problem() -> None:
    lost = exempt_view()
    del lost
    gc.collect()
    assert find_unreachable([], HERE) == []


def test_a_decorated_object_without_source_names_its_module() -> None:
    scope: dict[str, Any] = {"__name__": __name__, "cors_exempt": cors_exempt}
    exec("view = cors_exempt(lambda: '')", scope)
    (problem,) = find_unreachable([], HERE)
    assert f"module {__name__}" in problem.message


def test_the_place_of_a_partial_is_that_of_its_function() -> None:
    lost = cors_exempt(partial(answer))
    (problem,) = find_unreachable([], {"functools", *HERE})
    assert f"{Path(__file__).name}:{answer.__code__.co_firstlineno}" in problem.message
    assert find_decorated_layer(lost) is lost


def test_what_takes_no_weak_reference_is_not_remembered() -> None:
    class Slotted:
        __slots__ = ("corsguard_policy",)  # and none for weak references

    cors_exempt(Slotted())  # type: ignore[type-var]
    assert find_unreachable([], HERE) == []


def test_a_view_that_a_wrapper_hides_is_found_inside_it() -> None:
    lost = exempt_view()
    for wrapper in (
        without_wraps(lost),
        without_wraps(without_wraps(lost)),
        partial(without_wraps(lost)),
        partial(lambda view: view(), lost),
        partial(lambda view: view(), view=lost),
        Keeper(lost),
        Keeper(lost).get,
        without_wraps(Keeper(lost)),
        partial(lambda view: view.__func__(), staticmethod(lost)),
    ):
        assert codes(find_hidden([wrapper], [])) == ["view-policy-unreachable"], wrapper
        assert find_hidden([wrapper], [lost]) == []


def test_a_view_that_hides_nothing_exempt_is_no_problem() -> None:
    public = cors_policy(PUBLIC)(lambda: answer())
    assert find_hidden([without_wraps(public)], []) == []
    lost = exempt_view()
    assert find_hidden([answer, Holder(answer), Keeper], []) == []
    assert has_policy(lost)


class Application:
    """A callable that knows everything, as Flask's application does."""

    def __init__(self, *views: Called) -> None:
        self.name = "application"
        self.extensions = {"views": [*views]}

    def __call__(self) -> str:
        raise NotImplementedError


def test_what_a_view_merely_knows_is_not_hidden_by_it() -> None:
    lost = exempt_view()
    assert find_hidden([without_wraps(Application(lost))], []) == []
    assert codes(find_hidden([Application(lost)], [])) == ["view-policy-unreachable"]
    mark_reached([lost])  # by another application
    assert find_hidden([without_wraps(lost)], []) == []


class Proxy:
    """An object that evaluates what it stands for when it is asked for anything."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("the database is not up yet")

    def __call__(self) -> str:
        raise NotImplementedError


def test_a_proxy_is_not_evaluated() -> None:
    lost, proxy = exempt_view(), Proxy()
    found = find_hidden([lambda: (proxy, lost), proxy, partial(proxy)], [])
    assert codes(found) == ["view-policy-unreachable"]
    assert list(iter_callables(Keeper(proxy))) == [proxy]
    assert list(iter_callables(Application())) == [{"views": []}]  # no text


def test_exempt_views_are_noticed() -> None:
    lost = exempt_view()
    assert has_exempt()
    assert has_policy(lost)


def test_a_closure_that_is_not_filled_yet_hides_nothing() -> None:
    def view() -> str:
        return later()

    lost = exempt_view()
    assert find_hidden([view], []) == []
    later = lost
    assert codes(find_hidden([view], [])) == ["view-policy-unreachable"]


def test_layers_are_followed_from_the_outermost_to_the_innermost() -> None:
    inner = cors_policy(PUBLIC)(lambda: answer())
    assert list(iter_layers(partial(inner)))[1:] == [inner]
    assert find_decorated_layer(partial(partial(inner))) is inner
    outer = with_wraps(answer)
    cors_exempt(answer)
    try:
        assert find_decorated_layer(outer) is answer
    finally:
        del answer.corsguard_policy  # type: ignore[attr-defined]
    assert find_decorated_layer(outer) is None


def test_layers_that_lead_back_to_themselves_end() -> None:
    def view() -> str:
        raise NotImplementedError

    view.__wrapped__ = view  # type: ignore[attr-defined]
    assert list(iter_layers(view)) == [view]


def test_a_bound_method_is_decorated_without_changing_its_class() -> None:
    method = Keeper(answer).get
    decorated = cors_exempt(method)
    assert has_policy(decorated)
    assert not has_policy(Keeper.get)
    assert decorated() == "answered"
    assert decorated.__name__ == "get"
    assert has_policy(cors_exempt)


def test_the_fields_of_a_policy_are_keywords_of_the_decorator() -> None:
    @cors_policy(allow_origins=["*"])
    def view() -> str:
        raise NotImplementedError

    assert view.corsguard_policy == PUBLIC  # type: ignore[attr-defined]
