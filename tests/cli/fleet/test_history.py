"""`corsguard history` and `corsguard rollback`."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.cli_command import Command
from support.fleet_store import POLICY, Store
from support.terminal import Terminal

from corsguard.sources import Revision
from corsguard.sources.signature import load_signing_key, sign

CHANGE = '[changes.partners]\nadd = ["https://c.example"]\n'
WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def published(store: Store) -> Store:
    """A store with three versions, of which the second is signed changes."""
    key = load_signing_key(store.write("a secret of thirty-two bytes or more", "secret"))
    change = sign(CHANGE, 2, key, is_change=True)
    long = "the tenant has moved, and its old origin serves another customer: see ticket 1234"
    store.publish(
        Revision(1, POLICY, author="ann@host", message="the first", published_at=WHEN),
        Revision(2, change, is_change=True, author="bob@host", published_at=WHEN + 60),
        Revision(3, POLICY, author="ann@host", message=f"{long}\x1b[31m", published_at=WHEN + 61),
    )
    return store


def test_history_is_a_table_with_the_newest_first(corsguard: Command, published: Store) -> None:
    assert corsguard("history", published.url) == (
        0,
        """\
VERSION  WHEN (UTC)           AUTHOR    KIND     SIGNED  MESSAGE
3        2026-05-04 03:03:02  ann@host  whole    no      the tenant has moved,
                                                         and its old origin
                                                         serves another
                                                         customer: see ticket
                                                         1234\\x1b[31m
2        2026-05-04 03:03:01  bob@host  changes  yes
1        2026-05-04 03:02:01  ann@host  whole    no      the first
""",
        "",
    )


def test_history_is_as_long_as_its_limit(corsguard: Command, published: Store) -> None:
    _, out, _ = corsguard("history", published.url, "--limit", "1")

    assert out.count("@host") == 1
    assert out.splitlines()[1].startswith("3 ")


def test_history_as_json_has_all_fields(corsguard: Command, published: Store) -> None:
    code, out, _ = corsguard("history", published.url, "--format", "json")

    assert code == 0
    found = json.loads(out)
    assert found["target"] == published.url
    assert [each["version"] for each in found["revisions"]] == [3, 2, 1]
    assert found["revisions"][1] == {
        "version": 2,
        "published_at": "2026-05-04T03:03:01+00:00",
        "author": "bob@host",
        "message": "",
        "is_change": True,
        "is_signed": True,
    }


def test_history_of_an_empty_store_says_so(corsguard: Command, store: Store) -> None:
    assert corsguard("history", store.url) == (0, f"{store.url}: nothing is published\n", "")


def test_history_without_a_document_does_not_know_what_is_signed(
    corsguard: Command, published: Store
) -> None:
    with sqlite3.connect(published.folder / "store.db") as database:
        database.execute("DELETE FROM corsguard_revisions WHERE version = 1")
    database.close()

    _, out, _ = corsguard("history", published.url)

    assert out.splitlines()[-1] == "2        2026-05-04 03:03:01  bob@host  changes  ?"


def test_shown_version_is_the_whole_document(corsguard: Command, published: Store) -> None:
    last = '    "https://b.example",\n'

    assert corsguard("history", published.url, "--show", "1") == (0, POLICY, "")
    changed = POLICY.replace(last, f'{last}    "https://c.example",\n')
    assert corsguard("history", published.url, "--show", "2") == (0, changed, "")


def test_shown_version_can_not_control_a_terminal(corsguard: Command, store: Store) -> None:
    store.publish(Revision(1, "# \x1b[31mred\n# blue"))

    assert corsguard("history", store.url, "--show", "1").out == "# \x1b[31mred\n# blue\n"
    terminal = Terminal("history", store.url, "--show", "1")
    assert terminal.type("") == 0
    assert "# \\x1b[31mred\n# blue\n" in terminal.plain


def test_rollback_publishes_a_version_again(corsguard: Command, published: Store) -> None:
    assert corsguard("rollback", "2", published.url) == (
        0,
        f"""\
{published.url}: version 3 is published

newly allowed
  + the set partners: https://c.example

version 4 is published: {published.url}
""",
        "",
    )
    newest = published.list_revisions()[-1]
    assert not newest.is_change
    assert newest.message == "rollback to version 2"
    assert '"https://c.example"' in newest.text


def test_rollback_keeps_its_own_message(corsguard: Command, published: Store) -> None:
    corsguard("rollback", "2", published.url, "--message", "they are back")

    assert published.list_revisions()[-1].message == "they are back"


def test_rollback_to_a_version_with_problems_is_refused(corsguard: Command, store: Store) -> None:
    store.publish(Revision(1, "allow_origins = ['x']"), Revision(2, POLICY))

    code, out, _ = corsguard("rollback", "1", store.url)

    assert code == 1
    assert out.startswith("version 1: 1 problem\n")
    assert store.load()[0] == "2"


@pytest.mark.parametrize("command", [("rollback", "9"), ("history", "--show", "9")])
def test_unknown_version_is_one_line(
    corsguard: Command, published: Store, command: tuple[str, ...]
) -> None:
    code, out, err = corsguard(*command, published.url)

    assert (code, out) == (2, "")
    assert err.startswith("corsguard: ")
    assert err.count("\n") == 1
    assert " 9" in err


@pytest.mark.parametrize("command", [("rollback", "1"), ("history",), ("history", "--show", "1")])
def test_file_has_no_history(corsguard: Command, store: Store, command: tuple[str, ...]) -> None:
    Path("policy.toml").write_text(POLICY)

    assert corsguard(*command, "policy.toml") == (
        2,
        "",
        "corsguard: policy.toml: a file keeps no history: publish to a store, such as"
        " sqlite:///corsguard.db\n",
    )


@pytest.mark.parametrize("when", [float("inf"), 1e300, -1e12])
def test_time_that_no_calendar_has_is_not_shown(
    corsguard: Command, store: Store, when: float
) -> None:
    store.publish(Revision(1, POLICY, published_at=when))

    code, out, _ = corsguard("history", store.url)
    assert (code, out.splitlines()[1].split()) == (0, ["1", "?", "whole", "no"])

    code, out, _ = corsguard("history", store.url, "--format", "json")
    assert (code, json.loads(out)["revisions"][0]["published_at"]) == (0, None)
