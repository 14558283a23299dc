"""What the decorators remember, and how an adapter finds what no URL leads to."""

from __future__ import annotations

import gc
from functools import partial
from typing import Any

import pytest

from corsguard import Policy, decorated
from corsguard.decorated import hidden_in, mark_reached, remember, unreachable
from corsguard.views import cors_exempt, cors_policy

POLICY = Policy(allow_origins=["https://app.example.com"])
HERE = {__name__}


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what other tests have decorated and what may still be alive."""
    monkeypatch.setattr(decorated, "_remembered", {})


def make(decorator: Any = cors_exempt) -> Any:
    def view() -> None: ...

    return decorator(view)


def test_object_that_nothing_leads_to_is_a_problem_with_its_place() -> None:
    view = make()
    [problem] = unreachable([], HERE)
    assert problem.code == "view-policy-unreachable"
    assert problem.field == 'view "make.<locals>.view"'
    assert f"{__file__}:{view.__code__.co_firstlineno})" in problem.message
    assert unreachable([view], HERE) == []
    assert len(unreachable([], HERE)) == 1
    assert unreachable([], {"another.module"}) == []


def test_object_that_was_reached_once_stays_reached() -> None:
    view = make()
    mark_reached([view, object()])
    assert unreachable([], HERE) == []


def test_only_what_is_exempt_is_looked_at_where_that_is_asked() -> None:
    views = [make(), make(cors_policy(POLICY))]
    assert len(unreachable([], HERE)) == len(views)
    assert len(unreachable([], HERE, exempt=True)) == 1


def test_object_that_is_gone_is_forgotten() -> None:
    make()
    gc.collect()
    assert unreachable([], HERE) == []


def test_object_that_takes_no_weak_reference_is_not_remembered() -> None:
    class Slotted:
        __slots__ = ()

    remember(Slotted(), exempt=True)
    assert unreachable([], HERE) == []


class Callable:
    def __init__(self, view: Any = None) -> None:
        self.view = view

    def __call__(self) -> None: ...

    def method(self) -> None: ...


def test_problem_names_the_code_of_what_is_decorated() -> None:
    found = {
        "Callable": cors_exempt(Callable()),
        "make.<locals>.view": cors_exempt(partial(make(lambda view: view))),
    }
    problems = {problem.field: problem.message for problem in unreachable([], HERE)}
    assert problems.keys() == {f'view "{name}"' for name in found}
    assert all(f"({__file__}:" in message for message in problems.values())


def test_problem_without_source_names_the_module() -> None:
    names: dict[str, Any] = {"__name__": __name__}
    exec("def view(): ...", names)
    view = cors_exempt(names["view"])
    [problem] = unreachable([], HERE)
    assert f"(module {view.__module__})" in problem.message


def hides(view: Any) -> Any:
    def hiding() -> Any:
        return view()

    return hiding


def unassigned() -> Any:
    def view() -> Any:
        return later()

    later: Any
    if view is None:
        later = view
    return view


def test_exempt_object_inside_a_view_is_hidden_unless_it_is_found() -> None:
    view = make()
    holders = [
        hides(view),
        hides(hides(view)),
        Callable(view),
        Callable(view).method,
        partial(print, view),
        partial(print, key=view),
        partial(hides(view)),
    ]
    for holder in holders:
        [problem] = hidden_in([holder], [holder])
        assert problem.code == "view-policy-unreachable"
        assert hidden_in([holder], [holder, view]) == []
    assert hidden_in([hides(view)], [view]) == []
    assert hidden_in([unassigned(), hides(None), hides(make(cors_policy(POLICY)))], []) == []


def test_view_that_holds_itself_ends_the_search() -> None:
    view = make()
    circle = Callable()
    circle.view = circle
    assert hidden_in([circle], []) == []
    deep = view
    for _ in range(10):
        deep = hides(deep)
    assert hidden_in([deep], []) == []  # deeper than anyone wraps
