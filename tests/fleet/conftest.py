"""The servers of the stores: one for each process of pytest, and empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.store_servers import PostgresServer, RedisServer


@pytest.fixture(scope="session")
def redis_of_session() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture
def redis_server(redis_of_session: RedisServer) -> RedisServer:
    """Return a redis-server that runs and is empty, and that the test may stop or hang."""
    redis_of_session.reset()
    return redis_of_session


@pytest.fixture(scope="session")
def postgres_of_session() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def postgres_server(postgres_of_session: PostgresServer) -> PostgresServer:
    """Return a PostgreSQL that runs and is empty, and that the test may stop or hang."""
    postgres_of_session.reset()
    return postgres_of_session
