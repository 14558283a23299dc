"""The pytest plugin, which imports corsguard only when a test uses one of its fixtures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from corsguard.browser import Blocked, Browser, Response

__all__ = ["assert_cors", "cors_browser"]


@pytest.fixture
def cors_browser() -> Callable[..., Browser]:
    """Return `corsguard.browser.Browser.on`: `cors_browser(app, page="https://app.example.com")`."""
    from corsguard.browser import Browser

    return Browser.on


@pytest.fixture
def assert_cors() -> Callable[..., Response | Blocked]:
    """Return `corsguard.browser.assert_cors`, which asserts what a page may read of an app."""
    from corsguard.browser import assert_cors

    return assert_cors
