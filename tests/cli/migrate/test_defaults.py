"""The table of defaults is what the installed peers do."""

from __future__ import annotations

from support.migrate.applications import read_django, read_flask, read_starlette

from corsguard.cli.migrate.configuration import PeerPolicy
from corsguard.cli.migrate.peers.defaults import (
    DJANGO_CORS_HEADERS,
    FLASK_CORS,
    STARLETTE,
    Defaults,
)


def describe(policy: PeerPolicy) -> Defaults:
    return Defaults(policy.origins, policy.methods, policy.headers, policy.max_age)


def test_defaults_of_flask_cors() -> None:
    for place in ("app", "blueprint", "view"):
        (policy,) = read_flask({}, place).policies
        assert describe(policy) == FLASK_CORS
        assert (policy.credentials, policy.expose_headers) == (False, ())


def test_defaults_of_django_cors_headers() -> None:
    (policy,) = read_django({}).policies

    assert describe(policy) == DJANGO_CORS_HEADERS
    assert (policy.credentials, policy.expose_headers) == (False, ())
    assert policy.scope.prefixes == ("/",)


def test_defaults_of_starlette() -> None:
    (policy,) = read_starlette({}).policies

    assert describe(policy) == STARLETTE
    assert (policy.credentials, policy.expose_headers) == (False, ())
