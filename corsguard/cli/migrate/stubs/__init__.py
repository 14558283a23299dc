"""Stub applications with the paths and methods of a real one: the peer's own layer, and corsguard.

No view of the application is in them, and no code of it is called.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, NamedTuple

from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.translation import Translation

__all__ = ["Stubs", "open_stubs"]


_MODULES = {"flask": "flask", "django": "django", "starlette": "starlette", "asgi": "starlette"}
"""Framework -> the module of its stubs."""


class Stubs(NamedTuple):
    """Two WSGI or ASGI applications that answer every request with 200, behind a layer of CORS."""

    before: Any
    """Behind the peer's."""
    after: Any
    """Behind corsguard."""


def open_stubs(
    configuration: PeerConfiguration, translation: Translation
) -> AbstractContextManager[Stubs]:
    """Return a context manager for the stubs of an application, which work inside it.

    Raises PolicyError on entry if the policies do not start.
    """
    module = import_module(f"{__name__}.{_MODULES[configuration.framework]}")
    stubs: AbstractContextManager[Stubs] = module.open_stubs(configuration, translation)
    return stubs
