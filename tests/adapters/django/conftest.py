"""What the tests of the Django adapter share."""

from __future__ import annotations

import pytest
from support.django_requests import Ask, ask_async, ask_sync


@pytest.fixture(params=[ask_sync, ask_async], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    made: Ask = request.param
    return made
