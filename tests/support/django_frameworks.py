"""Views as Django REST framework and Django Ninja make them, without either of them.

tests/ecosystem has the same with the real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views import View


class ViewSet(View):
    """A class whose methods are bound to HTTP methods where it becomes a view."""

    @classmethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            self: Any = cls()
            for method, action in view.actions.items():  # type: ignore[attr-defined]
                setattr(self, method, getattr(self, action))
            self.setup(request, *args, **kwargs)
            return self.dispatch(request, *args, **kwargs)

        update_wrapper(view, cls, updated=())
        update_wrapper(view, cls.dispatch, assigned=())
        view.cls, view.initkwargs, view.actions = cls, initkwargs, actions  # type: ignore[attr-defined]
        return view


def api_view(methods: list[str]) -> Callable[[Callable[..., Any]], Any]:
    """Make a class of a function, which only the closure of its handlers has."""

    def decorator(func: Callable[..., Any]) -> Any:
        made: Any = type("WrappedAPIView", (View,), {})
        made.http_method_names = [method.lower() for method in methods] + ["options"]

        def handler(self: Any, *args: Any, **kwargs: Any) -> Any:
            return func(*args, **kwargs)

        for method in methods:
            setattr(made, method.lower(), handler)
        made.__name__ = getattr(func, "__name__", "view")
        made.__module__ = func.__module__
        view = made.as_view()
        view.cls = made
        return view

    return decorator


class Operation:
    """What answers some of the methods of a URL of Ninja."""

    def __init__(self, methods: list[str], view_func: Callable[..., Any]) -> None:
        self.methods = methods
        self.view_func = view_func

    def run(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(self.view_func(request))


class PathView:
    """A URL of Ninja, with the operations of all its methods."""

    def __init__(self, **operations: Callable[..., Any]) -> None:
        self.operations = [
            Operation([method.upper() for method in methods.split("_")], function)
            for methods, function in operations.items()
        ]

    def get_view(self) -> Callable[[HttpRequest], Any]:
        def sync_view_wrapper(request: HttpRequest) -> Any:
            return self.answer(request)

        return sync_view_wrapper

    def answer(self, request: HttpRequest) -> Any:
        """Return what the first operation does that takes the method; older releases route here."""
        for operation in self.operations:
            if request.method in operation.methods:
                return operation.run(request)
        return HttpResponseNotAllowed([])
