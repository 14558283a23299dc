"""Decorators and classes for the views of the tests of the Flask adapter."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask
from flask.views import View

Function = Callable[..., Any]


def wrap(view: Function) -> Function:
    """Decorate a view as most decorators do, with functools.wraps."""

    @wraps(view)
    def wrapper(*args: Any, **values: Any) -> Any:
        return view(*args, **values)

    return wrapper


def add_class(app: Flask, view_class: type[View], path: str = "/items") -> None:
    """Route a class whose view function is wrapped, as frameworks on top of Flask do it."""
    app.add_url_rule(path, view_func=wrap(view_class.as_view(path[1:])))
