"""Everything that a published defect is tried on."""

from __future__ import annotations

import pytest
from support.security.configuration import CONFIGURE, Configure
from support.security.origin_removal import APPLICATIONS, ServeWithoutOrigin
from support.stacks.asgi import STACKS as ASGI_STACKS
from support.stacks.django import STACKS as DJANGO_STACKS
from support.stacks.flask import STACKS as FLASK_STACKS
from support.stacks.wsgi import STACKS as WSGI_STACKS
from support.table import Stack

STACKS: list[Stack] = [
    WSGI_STACKS[0], ASGI_STACKS[0], FLASK_STACKS[0], FLASK_STACKS[2], *DJANGO_STACKS
]  # fmt: skip


@pytest.fixture(params=STACKS, ids=lambda stack: stack.name)
def stack(request: pytest.FixtureRequest) -> Stack:
    made: Stack = request.param
    return made


@pytest.fixture(params=list(CONFIGURE.values()), ids=list(CONFIGURE))
def configure(request: pytest.FixtureRequest) -> Configure:
    made: Configure = request.param
    return made


@pytest.fixture(params=APPLICATIONS, ids=lambda built: built.__name__)
def forgetful(request: pytest.FixtureRequest) -> ServeWithoutOrigin:
    made: ServeWithoutOrigin = request.param
    return made
