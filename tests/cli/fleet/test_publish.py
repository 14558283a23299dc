"""`corsguard publish FILE TARGET`: what is shown, what is refused, and what is in the store."""

from __future__ import annotations

import getpass
import socket
import time
from pathlib import Path

import pytest
from support.cli_command import Command
from support.fleet_store import POLICY, Store
from support.terminal import Terminal, ask

from corsguard.sources import Revision, WorkerReport

ADDED = POLICY.replace('com", {', 'com", "https://new.example", {')
NOTHING = "\nno request is decided otherwise\n"


def test_first_policy_is_shown_and_published(corsguard: Command, store: Store) -> None:
    before = time.time()
    file = store.write(POLICY)

    assert corsguard("publish", file, store.url, "-m", "the first") == (
        0,
        f"""\
{store.url}: nothing is published

newly allowed
  + /api: pages of https://shop.example.com and the set partners
  + /api: the method PUT
  + the set partners: https://a.example, https://b.example

version 1 is published: {store.url}
""",
        "",
    )
    (revision,) = store.list_revisions()
    assert revision[:3] == (1, POLICY, False)
    assert revision.author == f"{getpass.getuser()}@{socket.gethostname()}"
    assert revision.message == "the first"
    assert before <= revision.published_at <= time.time()


def test_second_version_shows_what_changes(corsguard: Command, store: Store) -> None:
    corsguard("publish", store.write(POLICY), store.url)

    code, out, err = corsguard("publish", store.write(ADDED.replace("PUT", "DELETE")), store.url)

    assert (code, err) == (0, "")
    assert "version 1 is published\n" in out
    assert (
        """
newly allowed
  + /api: pages of https://new.example
  + /api: the method DELETE

no longer allowed
  - /api: the method PUT

version 2 is published:"""
        in out
    )
    assert store.load() == ("2", ADDED.replace("PUT", "DELETE"))


def test_same_policy_is_not_published_again(corsguard: Command, store: Store) -> None:
    corsguard("publish", store.write(POLICY), store.url)

    same = store.write(POLICY.replace("\n", "\r\n"))
    assert corsguard("publish", same, store.url) == (
        0,
        "version 1 is the same: nothing to publish\n",
        "",
    )
    assert len(store.list_revisions()) == 1


def test_other_comment_is_published(corsguard: Command, store: Store) -> None:
    corsguard("publish", store.write(POLICY), store.url)

    _, out, _ = corsguard("publish", store.write(POLICY.replace("shop API", "API")), store.url)

    assert NOTHING in out
    assert len(store.list_revisions()) == 2


def test_policy_with_problems_is_never_published(corsguard: Command, store: Store) -> None:
    file = store.write('allow_origins = ["*"]\nallow_credentials = true\nmax_ag = 1\n')

    published = corsguard("publish", file, store.url, "--yes", "--unsigned")

    assert published == corsguard("check", file)
    assert published.code == 1
    assert "fix" in published.out
    assert "nothing is published" in corsguard("history", store.url).out


def test_file_that_is_no_toml_is_never_published(corsguard: Command, store: Store) -> None:
    code, out, _ = corsguard("publish", store.write("allow_origins = ["), store.url)

    assert code == 1
    assert "problem: document [document-invalid]" in out


def test_warnings_are_shown_before_the_difference(corsguard: Command, store: Store) -> None:
    unused = f'{POLICY}others = ["https://c.example"]\n'

    code, out, _ = corsguard("publish", store.write(unused), store.url)

    assert code == 0
    assert out.index("[set-unused]") < out.index("newly allowed")
    assert "fix" in out


def test_warnings_of_a_candidate_name_their_place(corsguard: Command, store: Store) -> None:
    candidate = '\n[candidate]\nallow_origins = ["https://x.example"]\nmax_age = 80_000\n'

    _, out, _ = corsguard("publish", store.write(f"{POLICY}{candidate}"), store.url)

    assert "warning: candidate.max_age [" in out


def test_dry_run_publishes_nothing(corsguard: Command, store: Store) -> None:
    code, out, _ = corsguard("publish", store.write(POLICY), store.url, "--dry-run")

    assert code == 0
    assert out.endswith("\ndry run: nothing is published\n")
    assert "newly allowed" in out
    assert corsguard("history", store.url).out.endswith("nothing is published\n")


def test_empty_store_that_workers_follow_needs_a_version(corsguard: Command, store: Store) -> None:
    file = store.write(POLICY)
    corsguard("publish", file, f"{store.url}?policy=other")  # which makes the tables
    with store.open() as opened:
        opened.report(WorkerReport("web-1", 7, "12", 0), 60)
        opened.report(WorkerReport("web-1", 8, "", 0), 60)

    code, _, err = corsguard("publish", file, store.url)
    assert code == 1
    assert err.endswith(
        "is empty, and workers run version 12: it has lost its revisions. Give --version 13, as"
        " they refuse an older one\n"
    )
    assert corsguard("publish", file, store.url, "--version", "13").code == 0
    assert store.load()[0] == "13"


def test_version_of_a_store_with_versions_is_refused(corsguard: Command, store: Store) -> None:
    file = store.write(POLICY)
    corsguard("publish", file, store.url)

    assert corsguard("publish", file, store.url, "--version", "5") == (
        1,
        "",
        "corsguard: --version is for an empty store, and the newest version is 1\n",
    )


def test_published_document_with_problems_is_replaced(corsguard: Command, store: Store) -> None:
    for broken in ("allow_origins = [", "allow_origins = 1", "routes = 1"):
        store.publish(Revision(len(store.list_revisions()) + 1, broken))
        code, out, _ = corsguard("publish", store.write(POLICY), store.url)

        assert code == 0
        assert "* the published document has problems, and workers refuse it\n" in out
        assert store.load()[1] == POLICY


def test_author_without_a_name_is_unknown(
    corsguard: Command, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)

    corsguard("publish", store.write(POLICY), store.url)

    assert store.list_revisions()[0].author == f"unknown@{socket.gethostname()}"


def test_terminal_asks_before_it_publishes(store: Store) -> None:
    terminal = ask("publish", store.write(POLICY), store.url)

    assert "+ /api: the method PUT" in terminal.plain
    assert terminal.type("y") == 0
    assert "version 1 is published" in terminal.plain
    assert store.load() == ("1", POLICY)


def test_refusal_in_a_terminal_publishes_nothing(corsguard: Command, store: Store) -> None:
    terminal = ask("publish", store.write(POLICY), store.url)

    assert terminal.type("n") == 1
    assert terminal.plain.endswith("nothing is published\n")
    assert corsguard("history", store.url).out.endswith("nothing is published\n")


def test_second_of_two_publishers_is_told(corsguard: Command, store: Store) -> None:
    corsguard("publish", store.write(POLICY), store.url)
    terminal = ask("publish", store.write(ADDED), store.url)
    theirs = POLICY.replace("PUT", "DELETE")
    store.publish(Revision(2, theirs, author="ann@host"))

    assert terminal.type("y") == 1
    assert terminal.plain.endswith(
        "corsguard: somebody has published version 2 (ann@host) meanwhile:"
        " look at the difference again\n"
    )
    assert store.load() == ("2", theirs)


def test_second_of_two_publishers_to_a_file_is_told(corsguard: Command, store: Store) -> None:
    terminal = ask("publish", store.write(POLICY), "policy.toml")
    Path("policy.toml").write_text(ADDED)

    assert terminal.type("y") == 1
    assert terminal.plain.endswith(
        "somebody has published another policy meanwhile: look at the difference again\n"
    )
    assert Path("policy.toml").read_text() == ADDED


def test_conflict_without_an_author_names_the_version(store: Store) -> None:
    terminal = ask("publish", store.write(POLICY), store.url)
    store.publish(Revision(1, ADDED))

    assert terminal.type("y") == 1
    assert "somebody has published version 1 meanwhile" in terminal.plain


def test_conflict_with_a_deletion_is_told(store: Store) -> None:
    Path("policy.toml").write_text(ADDED)
    terminal = ask("publish", store.write(POLICY), "policy.toml")
    Path("policy.toml").unlink()

    assert terminal.type("y") == 1
    assert "somebody has published something else meanwhile" in terminal.plain


def test_yes_asks_nothing_in_a_terminal(store: Store) -> None:
    terminal = Terminal("publish", store.write(POLICY), store.url, "--yes")

    assert terminal.type("") == 0
    assert "Publish this?" not in terminal.plain


def test_file_is_a_target_too(corsguard: Command, store: Store) -> None:
    assert corsguard("publish", store.write(POLICY), "policy.toml") == (
        0,
        """\
policy.toml: nothing is published

newly allowed
  + /api: pages of https://shop.example.com and the set partners
  + /api: the method PUT
  + the set partners: https://a.example, https://b.example

published: policy.toml
a file keeps no history and no status of workers: publish to a store, such as
sqlite:///corsguard.db
""",
        "",
    )
    assert Path("policy.toml").read_text() == POLICY

    code, out, _ = corsguard("publish", store.write(ADDED), "policy.toml")
    assert code == 0
    assert out.startswith("policy.toml: the policy is published\n\nnewly allowed\n")
    same = corsguard("publish", store.write(ADDED), "policy.toml")
    assert same == (0, "the policy is the same: nothing to publish\n", "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Missing argument 'TARGET'."),
        (("a.toml",), "Give TARGET after one of: FILE, --add and --remove, --promote,"),
        (("a.toml", "b.toml", "--promote"), "Give TARGET after one of"),
        (("b.toml", "--promote", "--add", "https://a.example"), "Give TARGET after one of"),
        (("b.toml", "--promote", "--candidate"), "The option --candidate needs FILE."),
        (("b.toml", "--promote", "--keep-sets"), "The option --keep-sets needs FILE."),
        (("a.toml", "b.toml", "--set", "x"), "The option --set needs --add or --remove."),
        (("a.toml", "b.toml", "--sign", "k", "--unsigned"), "exclude each other"),
        (("a.toml", "b.toml", "--version", "0"), "0 is not in the range"),
    ],
)
def test_wrong_use_is_a_usage_error(
    corsguard: Command, args: tuple[str, ...], message: str
) -> None:
    code, out, err = corsguard("publish", *args)

    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("ftp://user:secret@host/", "is not the URL of a source"),
        ("https://user:secret@host.example/", "can only be read: publish to where it is served"),
        ("redis://user:secret@127.0.0.1:1/0", "127.0.0.1:1"),
        ("no/such/folder/policy.toml", "No such file or directory"),
    ],
)
def test_target_that_can_not_be_used_is_one_line(
    corsguard: Command, store: Store, target: str, message: str
) -> None:
    code, _, err = corsguard("publish", store.write(POLICY), target)

    assert code == 2
    assert err.startswith("corsguard: ")
    assert err.count("\n") == 1
    assert message in err
    assert "secret" not in err


def test_file_that_can_not_be_read_is_one_line(corsguard: Command, store: Store) -> None:
    Path("latin.toml").write_bytes(b"#\n\xff")

    assert corsguard("publish", "none.toml", store.url) == (
        2,
        "",
        "corsguard: none.toml: can't be read: No such file or directory\n",
    )
    assert corsguard("publish", "latin.toml", store.url) == (
        2,
        "",
        "corsguard: latin.toml: not UTF-8, as TOML must be (at line 2)\n",
    )


@pytest.mark.parametrize("command", ["publish", "rollback", "history", "status"])
def test_help_fits_a_terminal(corsguard: Command, command: str) -> None:
    code, out, _ = corsguard(command, "--help")

    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "Exits " in out
