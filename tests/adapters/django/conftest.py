"""The fixtures of the tests of the Django adapter."""

from __future__ import annotations

import pytest
from support.django_requests import Ask, ask_async, ask_sync


@pytest.fixture(params=[ask_sync, ask_async], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Return the function that sends a request to a Django project, sync or async."""
    function: Ask = request.param
    return function
