"""Decorated views that no URL leads to, or that a wrapper hides."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial, partialmethod, wraps
from pathlib import Path
from typing import Any

import pytest

from corsguard import Policy
from corsguard.guard.callable_contents import iter_callables
from corsguard.guard.decorated_views import (
    find_hidden,
    find_unreachable,
    find_unreached,
    has_exempt,
    is_registered,
    mark_reached,
)
from corsguard.guard.view_policies import (
    cors_exempt,
    cors_policy,
    find_decorated_layer,
    get_policy,
    has_policy,
)

PUBLIC = Policy(allow_origins=["*"])
HERE = {__name__}
Called = Callable[..., str]


@pytest.fixture(autouse=True)
def views_of_other_tests_are_gone() -> None:
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


class Slots:
    __slots__ = ("__weakref__", "view")

    def __init__(self, view: Called) -> None:
        self.view = view

    def __call__(self) -> str:
        return self.view()


class OneSlot(Slots):
    __slots__ = "other"


class Attribute:
    def __init__(self, view: Called) -> None:
        self.view = view

    def __call__(self) -> str:
        return self.view()

    def get(self) -> str:
        return self.view()


class Application:
    """A callable that refers to all views, as Flask's application does."""

    def __init__(self, *views: Called) -> None:
        self.name = "application"
        self.extensions = {"views": [*views]}

    def __call__(self) -> str:
        raise NotImplementedError


class Proxy:
    """An object that fails at the look-up of any attribute."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("the database is not up yet")

    def __call__(self) -> str:
        raise NotImplementedError


def exempt_view() -> Called:
    return cors_exempt(lambda: answer())


def codes(found: list[Any]) -> list[str]:
    return [problem.code for problem in found]


def test_find_unreachable_reports_the_place_of_each_view() -> None:
    @cors_exempt
    def exempt() -> str:
        raise NotImplementedError

    public = cors_policy(PUBLIC)(lambda: answer())
    problem, other = find_unreachable([], HERE)
    assert problem.code == other.code == "view-policy-unreachable"
    assert problem.field.endswith('exempt"')
    assert f"{Path(__file__).name}:{exempt.__code__.co_firstlineno}" in problem.message
    assert "functools.wraps" in problem.suggestion
    assert find_unreachable([exempt, public], HERE) == []


def test_find_unreachable_ignores_other_modules() -> None:
    hidden = exempt_view()
    assert find_unreachable([], {"somewhere.else"}) == []
    assert codes(find_unreachable([], HERE)) == ["view-policy-unreachable"]
    assert has_policy(hidden)


def test_find_unreachable_skips_views_that_were_reached_before() -> None:
    view = exempt_view()
    mark_reached([view, object()])
    assert find_unreachable([], HERE) == []


def test_find_unreachable_exempt_skips_views_with_a_policy() -> None:
    hidden = cors_policy(PUBLIC)(lambda: answer())
    assert codes(find_unreachable([], HERE)) == ["view-policy-unreachable"]
    assert find_unreachable([], HERE, exempt=True) == []
    assert has_policy(hidden)


def test_find_unreachable_skips_dead_objects() -> None:
    view = exempt_view()
    assert is_registered(view)
    del view
    gc.collect()
    assert find_unreachable([], HERE) == []


def test_find_unreachable_without_source_names_the_module() -> None:
    scope: dict[str, Any] = {"__name__": __name__, "cors_exempt": cors_exempt}
    exec("view = cors_exempt(lambda: '')", scope)
    (problem,) = find_unreachable([], HERE)
    assert f"module {__name__}" in problem.message


def test_find_unreachable_locates_the_function_of_a_partial() -> None:
    hidden = cors_exempt(partial(answer))
    nested = cors_exempt(partial(wraps(answer)(partial(answer))))
    place = f"{Path(__file__).name}:{answer.__code__.co_firstlineno}"
    found = find_unreachable([], {"functools", *HERE})
    assert [place in problem.message for problem in found] == [True, True]
    assert find_decorated_layer(hidden) is hidden
    assert nested() == "answered"


def test_find_unreached_skips_methods_decorated_per_request() -> None:
    bound = cors_exempt(Attribute(answer).get)
    assert any(each is bound for each in find_unreached([]))
    assert not any(each is bound for each in find_unreached([Attribute]))


def test_object_without_weak_references_keeps_its_policy() -> None:
    class Slotted:
        __slots__ = ("corsguard_policy",)

        def __call__(self) -> str:
            return "called"

    slotted = cors_exempt(Slotted())
    assert get_policy(slotted) is None
    assert not is_registered(slotted)
    assert find_decorated_layer(slotted) is slotted
    assert find_unreachable([], HERE) == []
    assert slotted() == "called"


def in_closure(view: Called) -> Called:
    contents = {"views": [view]}
    return lambda: contents["views"][0]()


def in_defaults(view: Called) -> Called:
    return lambda first=view, *, others=(view,): first() + others[0]()


def in_partial_method(view: Called) -> Called:
    class Views:
        get = partialmethod(view)

    wrapper: Called = Views.get
    return wrapper


@pytest.mark.parametrize(
    "wrap",
    [
        without_wraps,
        in_closure,
        in_defaults,
        in_partial_method,
        Attribute,
        Slots,
        OneSlot,
        Application,
        lambda view: without_wraps(without_wraps(view)),
        lambda view: partial(without_wraps(view)),
        lambda view: partial(lambda inner: inner(), view),
        lambda view: partial(lambda inner: inner(), inner=view),
        lambda view: Attribute(view).get,
        lambda view: without_wraps(Attribute(view)),
        lambda view: partial(lambda inner: inner.__func__(), staticmethod(view)),
    ],
)
def test_find_hidden_finds_an_exempt_view_in_a_wrapper(
    wrap: Callable[[Called], Called],
) -> None:
    view = exempt_view()
    wrapper = wrap(view)
    assert codes(find_hidden([wrapper], [])) == ["view-policy-unreachable"]
    assert find_hidden([wrapper], [view]) == []


def test_find_hidden_without_an_exempt_view_finds_nothing() -> None:
    public = cors_policy(PUBLIC)(lambda: answer())
    assert find_hidden([without_wraps(public)], []) == []
    exempt = exempt_view()
    assert find_hidden([answer, Slots(answer), Attribute], []) == []
    assert has_policy(exempt)


def test_find_hidden_does_not_search_an_application_in_a_closure() -> None:
    exempt = exempt_view()
    assert find_hidden([without_wraps(Application(exempt))], []) == []


def test_find_hidden_skips_views_that_were_reached_before() -> None:
    exempt = exempt_view()
    mark_reached([exempt])
    assert find_hidden([without_wraps(exempt)], []) == []


def test_find_hidden_does_not_search_large_containers() -> None:
    data = [exempt_view()] * 101
    assert find_hidden([lambda: data], []) == []


def test_find_hidden_does_not_evaluate_a_proxy() -> None:
    exempt, proxy = exempt_view(), Proxy()
    found = find_hidden([lambda: (proxy, exempt), proxy, partial(proxy)], [])
    assert codes(found) == ["view-policy-unreachable"]
    assert list(iter_callables(Attribute(proxy))) == [proxy]
    assert list(iter_callables(Application())) == [{"views": []}]  # not the text


def test_find_hidden_skips_an_empty_closure_cell() -> None:
    def view() -> str:
        return later()

    exempt = exempt_view()
    assert find_hidden([view], []) == []
    later = exempt
    assert codes(find_hidden([view], [])) == ["view-policy-unreachable"]


def test_has_exempt_is_true_with_an_exempt_view() -> None:
    exempt = exempt_view()
    assert has_exempt()
    assert has_policy(exempt)
