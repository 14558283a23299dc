"""Every way to configure an adapter, and the problems of a mapping that must not start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from flask import Flask
from starlette.applications import Starlette
from support.stacks.asgi import application as asgi_application
from support.stacks.wsgi import application as wsgi_application

from corsguard import Guard, Policy, PolicyError
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_django import CORSMiddleware as DjangoMiddleware
from corsguard_flask import CORSGuard
from corsguard_starlette import CORSGuard as StarletteGuard
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

Configure = Callable[[Mapping[str, Any]], object]


def flask(mapping: Mapping[str, Any]) -> object:
    app = Flask(__name__)
    app.config["CORSGUARD"] = mapping
    return CORSGuard(app)


def django(mapping: Mapping[str, Any]) -> object:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    return _in_django(mapping, answer)


def django_async(mapping: Mapping[str, Any]) -> object:
    async def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    return _in_django(mapping, answer)


def _in_django(mapping: Mapping[str, Any], answer: Callable[[HttpRequest], Any]) -> object:
    with override_settings(CORSGUARD=mapping, ROOT_URLCONF=()):
        try:
            return DjangoMiddleware(answer)
        except ImproperlyConfigured as error:
            raise error.__cause__ or error from None


def starlette(mapping: Mapping[str, Any]) -> object:
    return StarletteGuard(Starlette(), Guard.from_mapping(mapping))


CONFIGURE: dict[str, Configure] = {
    "policy": Policy.from_mapping,
    "wsgi": lambda mapping: WSGIMiddleware(wsgi_application, Guard.from_mapping(mapping)),
    "asgi": lambda mapping: ASGIMiddleware(asgi_application, Guard.from_mapping(mapping)),
    "flask": flask,
    "starlette": starlette,
    "django": django,
    "django-async": django_async,
}


def find_problems(configure: Configure, **fields: object) -> list[str]:
    """Return the codes of the problems with which it does not start."""
    with pytest.raises(PolicyError) as caught:
        configure(fields)
    return [problem.code for problem in caught.value.problems]
