"""The stacks and configurations that each published defect runs on."""

from __future__ import annotations

import pytest
from support.security.configuration import CONFIGURE, Configure
from support.security.origin_removal import APPLICATIONS, ServeWithoutOrigin
from support.stacks.all import MAIN_STACKS
from support.table import Stack


@pytest.fixture(params=MAIN_STACKS, ids=lambda stack: stack.name)
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
