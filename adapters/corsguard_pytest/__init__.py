"""The pytest plugin. It loads nothing of corsguard before a test asks for a fixture of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from corsguard.browser import Blocked, Browser, Response

__all__ = ["assert_cors", "cors_browser"]


@pytest.fixture
def cors_browser() -> Callable[..., Browser]:
    """`corsguard.browser.Browser.on`: `cors_browser(app, page="https://app.example.com")`."""
    from corsguard.browser import Browser

    return Browser.on


@pytest.fixture
def assert_cors() -> Callable[..., Response | Blocked]:
    """`corsguard.browser.assert_cors`: asserts what a page gets from an application."""
    from corsguard.browser import assert_cors

    return assert_cors
