"""A Django project with the settings of a page of the documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import support.django_project  # noqa: F401  # the settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

__all__ = ["use_django"]

_MIDDLEWARE = [
    "corsguard_django.CORSMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]


@contextmanager
def use_django(
    names: Mapping[str, Any], csrf: Callable[[HttpRequest], HttpResponse]
) -> Iterator[WSGIHandler]:
    """Yield an application with the settings among the names, and the views /csrf and /notes."""
    settings = {name: value for name, value in names.items() if name.isupper()}
    urls = (path("csrf", csrf), path("notes", _notes))
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=_MIDDLEWARE, **settings):
        yield WSGIHandler()


def _notes(request: HttpRequest) -> HttpResponse:
    return HttpResponse("added")
