"""The search for a path through wrappers. The rest is tested by the adapters that follow them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from corsguard.guard.callable_contents import find_path


class Wrapper:
    def __init__(self, *inner: object) -> None:
        self.inner = inner

    def __call__(self) -> None: ...


def end() -> None: ...


def call_end() -> None:
    end()


def is_end(each: Any) -> bool:
    return each is end


def close_over(inner: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        inner()

    return call


def test_path_of_the_end_itself_is_the_end() -> None:
    assert find_path(end, is_end) == (end,)


@pytest.mark.parametrize(
    "outermost", [Wrapper(end), close_over(end), partial(end), call_end, Wrapper([end])]
)
def test_path_leads_from_wrapper_to_end(outermost: object) -> None:
    assert find_path(outermost, is_end) == (outermost, end)


def test_path_is_the_shortest_and_has_callables_only() -> None:
    inner = Wrapper(end)

    assert find_path(Wrapper(Wrapper(inner), inner), is_end)[1:] == (inner, end)


def test_path_that_does_not_exist_is_empty() -> None:
    assert find_path(Wrapper(len, 1), is_end) == ()


def test_path_does_not_lead_through_what_is_closed() -> None:
    closed = Wrapper(end)

    assert find_path(Wrapper(closed), is_end, lambda each: each is closed) == ()


def test_path_has_a_longest_length() -> None:
    wrapper = end
    for _ in range(20):
        wrapper = close_over(wrapper)

    assert find_path(wrapper, is_end) == ()


def test_path_of_a_cycle_ends() -> None:
    wrapper = Wrapper()
    wrapper.inner = (wrapper,)

    assert find_path(wrapper, is_end) == ()
