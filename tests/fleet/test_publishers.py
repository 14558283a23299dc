"""Two publishers at once: one wins, the other gets a clear error, and the history is complete."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from corsguard.sources import ConflictError, FileSource, PolicyStore, Revision
from corsguard.sources.open import open_source

ROUNDS = 15
ADMINS = ("alice", "bob")


@pytest.fixture(params=["redis", "postgres", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/policies.db"
    server_url: str = request.getfixturevalue(f"{request.param}_server").url
    return server_url


def test_two_publishers_at_once_one_wins(url: str) -> None:
    stores = {admin: open_store(url) for admin in ADMINS}
    stores["alice"].publish(Revision(1, "# first", author="alice"))

    def publish(admin: str, round_number: int) -> None:
        number = round_number + 2
        stores[admin].publish(Revision(number, f"# {admin} {number}", author=admin))

    winners = ["alice", *(race(publish, round_number) for round_number in range(ROUNDS))]

    history = stores["bob"].list_revisions(ROUNDS + 10)
    assert [(each.version, each.author) for each in reversed(history)] == [*enumerate(winners, 1)]
    for number, winner in [*enumerate(winners, 1)][1:]:
        assert [each.text for each in stores["alice"].load_revision(number)] == [
            f"# {winner} {number}"
        ]
    for store in stores.values():
        store.close()


def test_two_writers_of_a_file_at_once_one_wins(tmp_path: Path) -> None:
    source = FileSource(tmp_path / "corsguard.toml")
    source.write("# first", expected=None)

    def write(admin: str, round_number: int) -> None:
        before = texts[round_number]
        FileSource(source.path).write(f"# {admin} {round_number}", expected=before)

    texts = ["# first"]
    for round_number in range(ROUNDS):
        winner = race(write, round_number)
        texts.append(source.load().text)
        assert texts[-1] == f"# {winner} {round_number}"
    assert [*filter(None, os.listdir(tmp_path))].count("corsguard.toml") == 1


def open_store(url: str) -> PolicyStore:
    store = open_source(url)
    assert isinstance(store, PolicyStore)
    return store


def race(publish: Callable[[str, int], None], round_number: int) -> str:
    """Let both publish at once, assert that one of them gets a ConflictError, return the other."""
    start = Barrier(len(ADMINS))
    outcomes: dict[str, Exception | None] = {}

    def run(admin: str) -> None:
        start.wait()
        try:
            publish(admin, round_number)
        except Exception as error:
            outcomes[admin] = error
        else:
            outcomes[admin] = None

    threads = [Thread(target=run, args=(admin,)) for admin in ADMINS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [winner] = [admin for admin, error in outcomes.items() if error is None] or [f"{outcomes}"]
    [loss] = [error for error in outcomes.values() if error is not None]
    assert isinstance(loss, ConflictError)
    assert "somebody else" in str(loss).lower()
    assert "\n" not in str(loss)
    return winner
