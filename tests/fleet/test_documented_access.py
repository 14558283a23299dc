"""docs/fleet.md: the rights that it gives to workers and to publishers suffice, and no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.memory_store import Changes
from support.store_servers import PostgresServer, RedisServer

from corsguard import Guard
from corsguard.sources import (
    PolicyStore,
    PostgresSource,
    RedisSource,
    Revision,
    SourceError,
    WorkerReport,
)

PAGE = (Path(__file__).parents[2] / "docs/fleet.md").read_text(encoding="utf-8")
TEXT = 'allow_origins = ["https://app.example.com"]\n'
REPORT = WorkerReport("web-1", 4711, "1", 0.0)


def check_rights(publisher: PolicyStore, worker: PolicyStore) -> None:
    """Publish and report as the page describes. Nothing else may be written."""
    publisher.publish(Revision(2, TEXT))
    publisher.publish(Revision(3, "[changes.partners]\nadd = []\n", is_change=True))
    assert [each.version for each in publisher.list_revisions(3)] == [3, 2, 1]
    assert publisher.load_revision(2)[-1].text == TEXT
    assert worker.load_revisions(2)[-1].version == 3
    worker.report(REPORT, 60)
    assert publisher.list_reports() == [REPORT]
    with pytest.raises(SourceError, match="permission"):
        worker.publish(Revision(4, TEXT))


def test_redis_users_have_what_they_need(redis_server: RedisServer) -> None:
    [block] = re.findall(r"^```text\n(ACL .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    commands = re.sub(r"\n +", " ", block).replace("PASSWORD", "hush").splitlines()
    with redis_server.connect() as client:
        for command in commands:
            client.execute_command(*command.split())
        publisher, worker = (
            RedisSource(redis_server.url.replace("unix://", f"unix://{user}:hush@"))
            for user in ("corsguard-publisher", "corsguard-worker")
        )
        publisher.publish(Revision(1, TEXT))
        check_rights(publisher, worker)
        guard = Guard(None)
        guard.follow(worker, poll=60)
        changes = Changes(guard)
        # Written by hand, without a message: the worker may track the key.
        fields = {"newest": 4, "document": 4, "text:4": TEXT}
        client.hset("corsguard:default", mapping=fields)
        changes.wait_for("4")
        guard.unfollow()
    publisher.close()


def test_postgres_roles_have_what_they_need(postgres_server: PostgresServer) -> None:
    [grants] = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    owner = PostgresSource(postgres_server.build_url("postgres"))
    owner.publish(Revision(1, TEXT))
    owner.close()
    roles = ("corsguard_publisher", "corsguard_worker")
    with postgres_server.connect() as connection:
        try:
            for role in roles:
                connection.execute(f"CREATE ROLE {role} LOGIN".encode())
            connection.execute(grants.encode())
            publisher, worker = (PostgresSource(postgres_server.build_url(role)) for role in roles)
            check_rights(publisher, worker)
            publisher.close()
            worker.close()
        finally:
            for role in roles:
                connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
