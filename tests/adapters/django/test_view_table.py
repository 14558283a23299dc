"""Every row of the table for views, on Django, sync and async."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views import View
from support.rows.views import (
    ACTUAL_ROWS,
    ENFORCE_ROWS,
    INCLUDE_ROWS,
    INCLUDES,
    PAGES,
    PREFLIGHT_ROWS,
    Include,
    Own,
    Page,
    ViewRow,
    check_view,
)
from support.stacks.django import ASGI, WSGI, DjangoClient

from corsguard import Guard
from corsguard_django import cors_exempt, cors_policy

ROWS = [*ACTUAL_ROWS, *PREFLIGHT_ROWS, *ENFORCE_ROWS, *INCLUDE_ROWS]


@dataclass
class Views:
    """The described pages in Django."""

    name: str
    handler: type[WSGI | ASGI]
    is_async: bool = False
    around_path: bool = False
    """Whether the policy of an include is put around path(), and not around include()."""

    def build(self, guard: Guard) -> DjangoClient:
        called: list[HttpRequest] = []
        patterns = [self.page(page, called) for page in PAGES]
        included = [self.include(entry, called) for entry in INCLUDES]
        return DjangoClient(guard, self.handler, [*patterns, *included], called)

    def include(self, entry: Include, called: list[HttpRequest]) -> Any:
        inner = [
            *(self.page(page, called) for page in entry.pages),
            *(self.include(other, called) for other in entry.includes),
        ]
        prefix = f"{entry.prefix.lstrip('/')}/"
        if self.around_path:
            return decorated(path(prefix, include(inner)), entry.own)
        return path(prefix, decorated(include(inner), entry.own))

    def page(self, page: Page, called: list[HttpRequest]) -> Any:
        def answer(request: HttpRequest, **values: int) -> HttpResponse:
            called.append(request)
            return HttpResponse(f"{page.name} {request.method}")

        async def async_answer(request: HttpRequest, **values: int) -> HttpResponse:
            return answer(request, **values)

        view: Any = async_answer if self.is_async else answer
        view = class_view(page, view).as_view() if page.by_method else decorated(view, page.own)
        return path(page.url.lstrip("/"), view)


def class_view(page: Page, answer: Callable[..., Any]) -> Any:
    def method_of(name: str) -> Callable[..., Any]:
        def method(self: View, request: HttpRequest, **values: int) -> Any:
            return answer(request, **values)

        if iscoroutinefunction(answer):
            markcoroutinefunction(method)
        own = page.by_method.get(name)
        return method if own is None else method_decorator(decorator(own))(method)

    methods = {name.lower(): method_of(name) for name in page.methods}
    return decorated(type(page.name, (View,), methods), page.own)


def decorated(view: Any, own: Own | None) -> Any:
    return view if own is None else decorator(own)(view)


def decorator(own: Own) -> Callable[[Any], Any]:
    return cors_exempt if own.policy is None else cors_policy(own.policy)


STACKS = [
    Views("django", WSGI),
    Views("django-async", ASGI, is_async=True),
    Views("django-around-path", WSGI, around_path=True),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_view_response_matches_the_row(stack: Views, row: ViewRow) -> None:
    check_view(row, stack)
