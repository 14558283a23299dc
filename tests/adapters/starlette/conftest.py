"""Fixtures for the tests of the Starlette adapter."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture
def no_leftovers() -> None:
    """Free the views and applications of earlier tests, which cycles keep alive."""
    gc.collect()
