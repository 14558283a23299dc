"""`corsguard publish --add ORIGIN --remove ORIGIN`: changes of a set."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.cli_command import Command
from support.fleet_store import POLICY, Store

from corsguard.sources import Revision

NEW = "https://new.example"
TWO_SETS = f"""{POLICY}others = ["https://c.example"]

[routes."/other"]
allow_origins = [{{ set = "others" }}]
"""


@pytest.fixture
def published(corsguard: Command, store: Store) -> Store:
    """A store with a policy as version 1."""
    assert corsguard("publish", store.write(POLICY), store.url).code == 0
    return store


def test_changes_are_shown_and_published(corsguard: Command, published: Store) -> None:
    args = ("--add", NEW, "--add", "https://c.example", "--remove", "https://a.example")

    assert corsguard("publish", *args, published.url, "-m", "a customer") == (
        0,
        f"""\
{published.url}: version 1 is published

newly allowed
  + the set partners: https://new.example, https://c.example

no longer allowed
  - the set partners: https://a.example

version 2 is published: {published.url}
""",
        "",
    )
    revision = published.list_revisions()[-1]
    assert revision.is_change
    assert revision.message == "a customer"
    assert revision.text == (
        '[changes.partners]\nadd = ["https://new.example", "https://c.example"]\n'
        'remove = ["https://a.example"]\n'
    )
    lines = POLICY.replace('    "https://a.example",  # the first\n', "")
    new = f'    "https://b.example",\n    "{NEW}",\n    "https://c.example",\n'
    assert published.load() == ("2", lines.replace('    "https://b.example",\n', new))


def test_changes_follow_changes(corsguard: Command, published: Store) -> None:
    for args in (("--add", NEW), ("--remove", NEW), ("--remove", "https://b.example")):
        assert corsguard("publish", *args, published.url).code == 0

    version, text = published.load()
    assert version == "4"
    assert text == POLICY.replace('    "https://b.example",\n', "")


def test_added_origin_that_is_there_changes_nothing(corsguard: Command, published: Store) -> None:
    assert corsguard("publish", "--add", "https://a.example", published.url) == (
        0,
        "version 1 is the same: nothing to publish\n",
        "",
    )


def test_origin_that_is_removed_and_added_moves(corsguard: Command, published: Store) -> None:
    args = ("--remove", "https://a.example", "--add", "https://a.example")

    code, out, _ = corsguard("publish", *args, published.url)

    assert code == 0
    assert "no request is decided otherwise" in out
    assert published.load()[1].index("https://b") < published.load()[1].index("https://a")


def test_added_origin_with_a_problem_is_refused(corsguard: Command, published: Store) -> None:
    code, out, _ = corsguard("publish", "--add", "new.example", published.url)

    assert code == 1
    assert out.startswith("the set partners: 1 problem\n")
    assert 'problem: routes."/api".allow_origins [origin-invalid]\n' in out
    assert "  fix          https://new.example\n" in out
    assert published.load()[0] == "1"


def test_added_wildcard_is_checked_beside_the_others(corsguard: Command, published: Store) -> None:
    code, out, _ = corsguard("publish", "--add", "*", published.url)

    assert code == 1
    assert "problem: " in out


def test_last_origin_of_a_policy_can_not_be_removed(corsguard: Command, store: Store) -> None:
    text = 'allow_origins = [{ set = "p" }]\n[origin_sets]\np = ["https://a.example"]\n'
    corsguard("publish", store.write(text), store.url)

    code, out, _ = corsguard("publish", "--remove", "https://a.example", store.url)

    assert code == 1
    assert "[no-origins]" in out


def test_removed_origin_that_is_not_there_is_refused(corsguard: Command, published: Store) -> None:
    assert corsguard("publish", "--remove", "https://A.example", published.url) == (
        1,
        "",
        "corsguard: https://A.example is not in the set partners: an origin must be written as it"
        " is there\n",
    )


def test_one_of_several_sets_must_be_named(corsguard: Command, store: Store) -> None:
    corsguard("publish", store.write(TWO_SETS), store.url)

    assert corsguard("publish", "--add", NEW, store.url) == (
        1,
        "",
        "corsguard: the published document has several sets: give --set, one of partners, others\n",
    )
    assert corsguard("publish", "--add", NEW, "--set", "others", store.url).code == 0
    assert f'others = ["https://c.example", "{NEW}"]' in store.load()[1]


def test_unknown_set_is_refused_with_those_there_are(corsguard: Command, published: Store) -> None:
    assert corsguard("publish", "--add", NEW, "--set", "x", published.url) == (
        1,
        "",
        "corsguard: the published document has no set x, but partners\n",
    )


def test_document_without_sets_says_how_to_write_one(corsguard: Command, store: Store) -> None:
    corsguard("publish", store.write('allow_origins = ["https://a.example"]'), store.url)

    code, out, err = corsguard("publish", "--add", NEW, store.url)

    assert (code, out) == (1, "")
    assert err == (
        "corsguard: the published document has no set of origins: write [origin_sets] with"
        ' NAME = ["https://..."], refer to it by { set = "NAME" } in allow_origins, and publish'
        " the file\n"
    )


def test_set_that_can_not_be_edited_is_refused(corsguard: Command, store: Store) -> None:
    text = "allow_origins = [{ set = 'p' }]\norigin_sets = { p = ['https://a.example'] }\n"
    corsguard("publish", store.write(text), store.url)

    code, _, err = corsguard("publish", "--add", NEW, store.url)

    assert code == 1
    assert "origin_sets.p: the document has no such set in its table [origin_sets]" in err


def test_empty_store_is_refused(corsguard: Command, store: Store) -> None:
    code, _, err = corsguard("publish", "--add", NEW, store.url)

    assert code == 1
    assert err.endswith("is empty: publish a whole file first\n")


@pytest.mark.parametrize("text", ["x = [", "origin_sets = 1", "[origin_sets]\nx = 1"])
def test_published_document_with_problems_is_not_changed(
    corsguard: Command, store: Store, text: str
) -> None:
    store.publish(Revision(1, text))

    code, out, err = corsguard("publish", "--add", NEW, store.url)

    assert code == 1
    assert out or err.count("\n") == 1
    assert store.load()[0] == "1"


def test_change_that_can_not_be_applied_is_one_line(corsguard: Command, published: Store) -> None:
    published.publish(Revision(2, "[changes.x]\nadd = []\n", is_change=True))

    code, _, err = corsguard("publish", published.write(POLICY), published.url)

    assert code == 2
    assert err == (
        "corsguard: a change can't be applied: origin_sets.x: the document has no such set in its"
        " table [origin_sets]. Add [origin_sets] x = [...] [set-unknown]\n"
    )


def test_changes_of_a_file_write_the_whole_file(corsguard: Command, store: Store) -> None:
    Path("policy.toml").write_text(POLICY)

    code, out, _ = corsguard("publish", "--add", NEW, "policy.toml")

    assert code == 0
    assert out.startswith("policy.toml: the policy is published\n")
    last = '    "https://b.example",\n'
    assert Path("policy.toml").read_text() == POLICY.replace(last, f'{last}    "{NEW}",\n')


def test_change_of_a_long_set_is_quick(corsguard: Command, store: Store) -> None:
    lines = "".join(f"https://h{number}.example.com\n" for number in range(100_000))
    store.publish(
        Revision(1, f"allow_origins = [{{ set = 'p' }}]\n[origin_sets]\np = '''\n{lines}'''\n")
    )

    start = time.perf_counter()
    code, out, _ = corsguard(
        "publish", "--add", NEW, "--remove", "https://h7.example.com", store.url
    )

    assert code == 0
    assert "+ the set p: https://new.example\n" in out
    assert time.perf_counter() - start < 3  # 0.5 s on an idle machine


def test_file_replaces_sets_unless_they_are_kept(corsguard: Command, published: Store) -> None:
    corsguard("publish", "--add", NEW, published.url)
    file = published.write(TWO_SETS)

    _, out, _ = corsguard("publish", file, published.url, "--dry-run")
    assert f"no longer allowed\n  - the set partners: {NEW}\n" in out
    code, out, _ = corsguard("publish", file, published.url, "--keep-sets")
    assert code == 0
    assert "no longer allowed" not in out
    assert f'    "{NEW}",\n]\nothers = ["https://c.example"]\n' in published.load()[1]


def test_kept_sets_of_an_empty_store_are_those_of_the_file(
    corsguard: Command, store: Store
) -> None:
    assert corsguard("publish", store.write(POLICY), store.url, "--keep-sets").code == 0
    assert store.load()[1] == POLICY
