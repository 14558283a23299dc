"""One request to a Django project, sync or async, in the settings of the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import support.django_project  # noqa: F401  # the settings
from django.test import AsyncClient, Client

APP = "https://app.example.com"
EVIL = "https://evil.example"

Ask = Callable[..., Any]


def ask_sync(method: str, path: str, **headers: str) -> Any:
    client = Client(raise_request_exception=False)
    return client.generic(method, path, headers=_names(headers))


def ask_async(method: str, path: str, **headers: str) -> Any:
    async def ask() -> Any:
        client = AsyncClient(raise_request_exception=False)
        return await client.generic(method, path, headers=_names(headers))

    return asyncio.run(ask())


def preflight(ask: Ask, path: str, method: str = "PUT", origin: str = APP) -> Any:
    return ask("OPTIONS", path, Origin=origin, Access_Control_Request_Method=method)


def cors(response: Any) -> dict[str, str]:
    """The fields of the CORS protocol, by their names without `Access-Control-`."""
    fields = {name.lower().removeprefix("access-control-"): name for name in response.headers}
    return {
        short: response.headers[name]
        for short, name in fields.items()
        if short == "vary" or short != name.lower()
    }


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
