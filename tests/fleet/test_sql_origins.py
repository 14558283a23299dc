"""SQLOrigins against PostgreSQL and SQLite: queries, versions, notifications, forks."""

from __future__ import annotations

import gc
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect as connect_to_sqlite
from typing import Any

import pytest
from sqlalchemy import create_engine
from support.origins_watch import (
    APP,
    OTHER,
    PATIENCE,
    count_threads,
    is_ready,
    learn,
    start,
    wait_until,
)
from support.store_servers import PostgresServer

from corsguard import Guard, Policy
from corsguard.sources import SourceError, SQLOrigins, notified_lookup

Make = Callable[..., SQLOrigins]
VERSION = "SELECT version FROM tenants_version"
TABLES = (
    "CREATE TABLE tenants (origin TEXT PRIMARY KEY)",
    "CREATE TABLE tenants_version (version INT)",
    "INSERT INTO tenants_version VALUES (1)",
    f"INSERT INTO tenants VALUES ('{APP}')",
)
REVOKE = f"DELETE FROM tenants WHERE origin = '{APP}'"


class Database:
    """A file of SQLite with tenants."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.run(*TABLES)

    def run(self, *statements: str) -> None:
        with closing(connect_to_sqlite(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "tenants.db")


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> PostgresServer:
    with postgres_server.connect() as connection:
        for statement in TABLES:
            connection.execute(statement)
    return postgres_server


def run(server: PostgresServer, *statements: str) -> None:
    with server.connect() as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def make() -> Iterator[Make]:
    """Return a function that makes a look-up, which the test need not close."""
    made: list[SQLOrigins] = []

    def build(*arguments: Any, **options: Any) -> SQLOrigins:
        made.append(SQLOrigins(*arguments, **options))
        return made[-1]

    yield build
    for lookup in made:
        lookup.close()


# Queries


def test_origins_of_a_table_are_allowed(database: Database, make: Make) -> None:
    guard = Guard(Policy(allow_origins=[make(database.url)]))

    assert guard.decide("/", APP, "GET", {}).allowed
    assert not guard.decide("/", OTHER, "GET", {}).allowed


def test_origins_of_postgres_are_allowed(postgres: PostgresServer, make: Make) -> None:
    lookup = make(postgres.url)

    assert lookup(APP)
    assert not lookup(OTHER)


@pytest.mark.parametrize(
    ("query", "is_allowed"),
    [
        ("SELECT count(*) FROM tenants WHERE origin = :origin", False),
        ("SELECT EXISTS (SELECT 1 FROM tenants WHERE origin = :origin)", False),
        ("SELECT NULL WHERE :origin <> ''", False),
        ("SELECT 1, 0 WHERE :origin <> ''", True),
    ],
)
def test_first_column_decides(database: Database, make: Make, query: str, is_allowed: bool) -> None:
    assert make(database.url, query)(OTHER) is is_allowed


def test_query_without_the_origin_is_an_error(database: Database) -> None:
    with pytest.raises(SourceError, match=r"^the query has no :origin, so it would allow any: SEL"):
        SQLOrigins(database.url, "SELECT 1 FROM tenants")


def test_origin_is_no_part_of_the_statement(database: Database, make: Make) -> None:
    lookup = make(database.url)

    assert not lookup("https://x' OR 'a' = 'a")
    assert lookup(APP)


def test_engine_is_used_as_it_is(database: Database, make: Make) -> None:
    engine = create_engine(database.url)

    assert make(engine)(APP)
    assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]
    engine.dispose()


def test_lookup_without_notifications_has_no_thread(database: Database, make: Make) -> None:
    now = 1000.0
    lookup = make(database.url, clock=lambda: now)
    assert lookup(APP)

    database.run(REVOKE)
    now += 31

    assert lookup(APP)  # stale_while_revalidate applies
    assert not count_threads(lookup.name)
    lookup.forget(APP)
    assert not lookup(APP)


# Versions


def test_new_version_drops_answers(database: Database, make: Make) -> None:
    lookup = make(database.url, version_query=VERSION, poll=0.02, ttl=600)
    start(lookup)
    assert learn(lookup)

    database.run(REVOKE, "UPDATE tenants_version SET version = 2")

    wait_until(lambda: not lookup(APP), "it is still allowed")


def test_same_version_keeps_answers(database: Database, make: Make) -> None:
    lookup = make(database.url, version_query=VERSION, poll=0.01, ttl=600)
    start(lookup)
    assert learn(lookup)
    listening = (lookup._listenings or [])[0]
    before = listening._alive_until

    wait_until(lambda: listening._alive_until > before + 0.1, "it does not poll")

    assert lookup.stats.allowed == 1


def test_version_that_is_gone_is_another_one(database: Database, make: Make) -> None:
    lookup = make(database.url, version_query=VERSION, poll=0.02, ttl=600)
    start(lookup)
    assert learn(lookup)

    database.run(REVOKE, "DELETE FROM tenants_version")

    wait_until(lambda: not lookup(APP), "it is still allowed")


def test_failing_version_query_drops_answers(
    database: Database, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    lookup = make(database.url, version_query=VERSION, poll=0.02, ttl=600)
    start(lookup)
    assert learn(lookup)

    database.run(REVOKE, "DROP TABLE tenants_version")

    wait_until(lambda: not lookup(APP), "it is still allowed")
    wait_until(lambda: caplog.messages, "nothing is logged")
    assert caplog.messages[0].endswith("no such table: tenants_version")
    assert VERSION not in caplog.text


# Notifications


def test_notification_of_an_origin_forgets_it(postgres: PostgresServer, make: Make) -> None:
    run(postgres, f"INSERT INTO tenants VALUES ('{OTHER}')")
    lookup = make(postgres.url, channel="Tenants; x", ttl=600)
    start(lookup)
    assert learn(lookup)
    assert learn(lookup, OTHER)
    questions = lookup.stats.questions

    run(postgres, REVOKE, f"""NOTIFY "Tenants; x", '{APP}'""")

    wait_until(lambda: not lookup(APP), "it is still allowed")
    assert lookup(OTHER)
    assert lookup.stats.questions == questions + 1


@pytest.mark.parametrize("payload", ["", "everything"])
def test_other_notification_drops_all_answers(
    postgres: PostgresServer, make: Make, payload: str
) -> None:
    lookup = make(postgres.url, channel="tenants", ttl=600)
    start(lookup)
    assert learn(lookup)

    run(postgres, REVOKE, f"NOTIFY tenants, '{payload}'")

    wait_until(lambda: not lookup(APP), "it is still allowed")


def test_trigger_of_the_documentation_works(postgres: PostgresServer, make: Make) -> None:
    run(
        postgres,
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_notify('tenants', OLD.origin); RETURN NULL; END $$",
        "CREATE TRIGGER told AFTER DELETE ON tenants FOR EACH ROW EXECUTE FUNCTION tell()",
    )
    lookup = make(postgres.url, channel="tenants", ttl=600)
    start(lookup)
    assert learn(lookup)

    run(postgres, REVOKE)

    wait_until(lambda: not lookup(APP), "it is still allowed")


def test_lost_connection_drops_answers(
    postgres: PostgresServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    lookup = make(postgres.url, channel="tenants", ttl=600, stale_if_error=600, retry_after=0.01)
    start(lookup)
    assert learn(lookup)

    postgres.stop()
    wait_until(lambda: not is_ready(lookup), "the loss is not noticed")
    assert not lookup(APP)
    postgres.start()

    wait_until(lambda: is_ready(lookup) and lookup(APP), "it is still refused")
    text = "is not notified of changes, so its answers count for 600 s: postgresql:"
    assert caplog.text.count(text) == 1


def test_server_that_hangs_is_noticed(
    postgres: PostgresServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notified_lookup, "_MAX_SILENCE", 0.5)
    lookup = make(postgres.url, channel="tenants", ttl=600)
    start(lookup)
    assert learn(lookup)
    listening = (lookup._listenings or [])[0]

    postgres.hang()
    wait_until(lambda: listening.is_overdue, "that it hangs is not noticed")
    guard = Guard(Policy(allow_origins=[lookup], predicate_timeout=0.1))
    assert not guard.decide("/", OTHER, "GET", {}).allowed
    assert not is_ready(lookup)
    assert lookup.stats.allowed == 0
    postgres.resume()

    wait_until(lambda: is_ready(lookup) and lookup(APP), "it is still refused")


def test_version_and_channel_go_together(postgres: PostgresServer, make: Make) -> None:
    lookup = make(postgres.url, channel="tenants", version_query=VERSION, poll=0.05, ttl=600)
    start(lookup)
    wait_until(lambda: count_threads(lookup.name) == 2, "there are not two threads")
    assert learn(lookup)

    run(postgres, REVOKE, "UPDATE tenants_version SET version = 2")

    wait_until(lambda: not lookup(APP), "it is still allowed")


def test_engine_listens_on_a_connection_of_its_own(postgres: PostgresServer, make: Make) -> None:
    engine = create_engine(postgres.url.replace("postgresql:", "postgresql+psycopg:"))
    lookup = make(engine, channel="tenants", ttl=600)
    start(lookup)
    assert learn(lookup)

    run(postgres, REVOKE, "NOTIFY tenants")

    wait_until(lambda: not lookup(APP), "it is still allowed")
    assert engine.pool.checkedin() >= 1  # type: ignore[attr-defined]
    lookup.close()
    engine.dispose()


def test_password_is_in_no_message(
    postgres: PostgresServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres.build_url("secured:s3cret")
    lookup = make(url, channel="tenants")

    assert not Guard(Policy(allow_origins=[lookup])).decide("/", APP, "GET", {}).allowed
    wait_until(lambda: "not notified" in caplog.text, "nothing is logged")
    assert "s3cret" not in caplog.text + repr(lookup)


# Arguments


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ada:s3cret@h", "is not a valid URL for SQLAlchemy$"),
        ("mysql+nothing://ada:s3cret@h/d", "is not a valid URL for SQLAlchemy$"),
        ("oracle://ada:s3cret@h/d", "needs the Python package .*, which is not installed.$"),
    ],
)
def test_wrong_url_is_an_error(url: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        SQLOrigins(url)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("poll", [0, -1, float("inf"), float("nan")])
def test_wrong_poll_is_an_error(database: Database, poll: float) -> None:
    with pytest.raises(SourceError, match=r"^poll=.* is not a number of seconds: it must be above"):
        SQLOrigins(database.url, version_query=VERSION, poll=poll)


def test_channel_of_another_database_is_an_error(database: Database) -> None:
    with pytest.raises(SourceError, match=r"a channel needs postgresql\+psycopg://$"):
        SQLOrigins(database.url, channel="tenants")


def test_repr_and_pickle(database: Database) -> None:
    lookup = SQLOrigins(database.url, version_query=VERSION, poll=7, ttl=9, negative_ttl=1)

    copy = pickle.loads(pickle.dumps(lookup))

    assert repr(copy) == repr(lookup) == f"SQLOrigins('{database.url}')"
    assert copy.limits == lookup.limits
    assert copy._options == lookup._options
    assert copy(APP)
    copy.close()


def test_engine_can_not_be_pickled(database: Database) -> None:
    lookup = SQLOrigins(create_engine(database.url))

    with pytest.raises(TypeError, match=r"has an Engine, so it can't be pickled: give it a URL$"):
        pickle.dumps(lookup)


# Processes


def test_forked_child_has_connections_of_its_own(postgres: PostgresServer, make: Make) -> None:
    lookup = make(postgres.url, channel="tenants", ttl=600)
    start(lookup)
    assert learn(lookup)
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE)
        try:
            start(lookup)
            assert learn(lookup)
            run(postgres, REVOKE, "NOTIFY tenants")
            wait_until(lambda: not lookup(APP), "it is still allowed")
            gc.collect()
        except BaseException:
            os._exit(1)
        os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert is_ready(lookup)  # the connection of the parent has not ended
    wait_until(lambda: not lookup(APP), "it is still allowed")


def test_restart_begins_without_answers_and_threads(database: Database, make: Make) -> None:
    lookup = make(database.url, version_query=VERSION)
    lookup._restart()  # as in a forked child
    lookup.predicate.__self__._restart()  # type: ignore[union-attr]
    start(lookup)
    assert learn(lookup)

    lookup.close()
    lookup._restart()

    assert lookup.stats.allowed == 0
    assert lookup(APP)
    assert lookup._listenings == []
