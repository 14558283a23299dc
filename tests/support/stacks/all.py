"""Every stack: the table of tests/adapters runs on all of them, tests/security on one of a kind."""

from __future__ import annotations

from support.stacks import asgi, django, flask, starlette, wsgi
from support.table import Stack

STACKS: list[Stack] = [*wsgi.STACKS, *flask.STACKS, *django.STACKS, *asgi.STACKS, *starlette.STACKS]

_ONE_OF_A_KIND = (
    "wsgiref-validate",
    "asgi",
    "flask",
    "flask-with-views",
    "starlette-guard-with-views",
)
MAIN_STACKS = [
    stack for stack in STACKS if stack.name in _ONE_OF_A_KIND or stack.name.startswith("django")
]
"""One stack of each adapter, with and without view policies, sync and async."""
