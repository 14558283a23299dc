"""The readers of other CORS libraries: what they do in an application that is loaded.

A reader is a function `read(app)` that returns a PeerConfiguration, or None where the application
is not of its framework or has no such library. No framework is imported before an application has
imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

from corsguard.cli.migrate.configuration import PeerConfiguration, PeerError

__all__ = ["read_peer"]

Reader = Callable[[object], PeerConfiguration | None]

_READERS = (
    ("flask_cors", "flask_cors"),
    ("corsheaders", "django_cors_headers"),
    ("starlette", "starlette"),
)
"""(the module that an application with the peer has imported, the module of the reader)."""


def read_peer(app: object, name: str) -> PeerConfiguration:
    """Return the configuration of the peer in an application.

    `name` is what a message calls the application. Raises PeerError if there is none.
    """
    for module in [module for needed, module in _READERS if needed in sys.modules]:
        reader: Reader = import_module(f"{__name__}.{module}").read
        found = reader(app)
        if found is not None:
            return found
    raise PeerError(
        f"{name} uses no CORS library that migrate reads. These are flask-cors, "
        "django-cors-headers, and the CORSMiddleware of Starlette and FastAPI. If it is a WSGI "
        "middleware around an application, name the application"
    )
