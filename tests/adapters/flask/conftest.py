"""Fixtures for the tests of the Flask adapter."""

from __future__ import annotations

import gc

import pytest
from flask import Flask
from support.flask_requests import POLICY

from corsguard_flask import CORSGuard


@pytest.fixture
def app(request: pytest.FixtureRequest) -> Flask:
    """Return an application of the test's module, with one policy for every path."""
    app = Flask(request.module.__name__)
    CORSGuard(app, {"/": POLICY})
    return app


@pytest.fixture
def no_leftovers() -> None:
    """Free the views and applications of earlier tests, which cycles keep alive."""
    gc.collect()
