"""Candidates: published beside a policy, promoted and discarded."""

from __future__ import annotations

import tomllib

import pytest
from support.cli_command import Command
from support.fleet_store import POLICY, Store

from corsguard.sources import Revision

CANDIDATE = """\
enforce = true  # at last

# The new API
[routes."/api"]
allow_origins = ["https://new.example", { set = "partners" }]
"""


@pytest.fixture
def tried(corsguard: Command, store: Store) -> Store:
    """A store with a policy, and a candidate beside it as version 2."""
    corsguard("publish", store.write(POLICY), store.url)
    candidate = store.write(CANDIDATE, "candidate.toml")
    assert corsguard("publish", candidate, store.url, "--candidate").code == 0
    return store


def test_candidate_shows_what_it_would_change(corsguard: Command, store: Store) -> None:
    corsguard("publish", store.write(POLICY), store.url)

    candidate = store.write(CANDIDATE, "candidate.toml")
    assert corsguard("publish", candidate, store.url, "--candidate") == (
        0,
        f"""\
{store.url}: version 1 is published

no request is decided otherwise

candidate, which changes no response

would be allowed
  + /api: pages of https://new.example

would be refused
  - /api: pages of https://shop.example.com
  - /api: the method PUT
  - unsafe requests from origins that no policy allows (enforce: off -> on)

version 2 is published: {store.url}
""",
        "",
    )
    assert store.load()[1] == (
        f"""{POLICY}
[candidate]
enforce = true  # at last

# The new API
[candidate.routes."/api"]
allow_origins = ["https://new.example", {{ set = "partners" }}]
"""
    )


def test_same_candidate_is_not_published_again(corsguard: Command, tried: Store) -> None:
    candidate = tried.write(CANDIDATE, "candidate.toml")

    assert corsguard("publish", candidate, tried.url, "--candidate") == (
        0,
        "version 2 is the same: nothing to publish\n",
        "",
    )


def test_other_candidate_replaces_it(corsguard: Command, tried: Store) -> None:
    other = tried.write(CANDIDATE.replace("new", "other"), "candidate.toml")

    assert corsguard("publish", other, tried.url, "--candidate").code == 0
    assert tomllib.loads(tried.load()[1])["candidate"] == tomllib.loads(
        CANDIDATE.replace("new", "other")
    )


def test_candidate_with_problems_is_never_published(corsguard: Command, tried: Store) -> None:
    bad = tried.write(CANDIDATE.replace("https://new", "new"), "candidate.toml")

    code, out, _ = corsguard("publish", bad, tried.url, "--candidate")

    assert code == 1
    assert "[origin-invalid]" in out
    assert tried.load()[0] == "2"


def test_promoted_candidate_is_the_policy(corsguard: Command, tried: Store) -> None:
    code, out, _ = corsguard("publish", "--promote", tried.url)

    assert code == 0
    assert (
        """
newly allowed
  + /api: pages of https://new.example

no longer allowed
  - /api: pages of https://shop.example.com
  - /api: the method PUT
  - unsafe requests from origins that no policy allows (enforce: off -> on)

also changed
  * the candidate is removed
"""
        in out
    )
    assert tried.load() == (
        "3",
        """\
# The policy of the shop API

enforce = true  # at last

[origin_sets]
partners = [
    "https://a.example",  # the first
    "https://b.example",
]

# The new API
[routes."/api"]
allow_origins = ["https://new.example", { set = "partners" }]
""",
    )


def test_discarded_candidate_is_gone(corsguard: Command, tried: Store) -> None:
    code, out, _ = corsguard("publish", "--discard-candidate", tried.url)

    assert code == 0
    assert "\nalso changed\n  * the candidate is removed\n" in out
    assert tried.load() == ("3", POLICY)


@pytest.mark.parametrize("option", ["--promote", "--discard-candidate"])
def test_document_without_candidate_is_refused(
    corsguard: Command, store: Store, option: str
) -> None:
    corsguard("publish", store.write(POLICY), store.url)

    assert corsguard("publish", option, store.url) == (
        1,
        "",
        "corsguard: the document has no candidate\n",
    )


def test_changes_of_a_set_change_a_candidate_too(corsguard: Command, tried: Store) -> None:
    assert corsguard("publish", "--add", "https://c.example", tried.url).code == 0

    code, out, _ = corsguard("publish", "--promote", tried.url)
    assert code == 0
    assert '"https://c.example",\n' in tried.load()[1]
    assert "the set partners" not in out


def test_change_that_only_the_candidate_refuses_is_refused(
    corsguard: Command, store: Store
) -> None:
    text = POLICY.replace(
        "allow_methods", "dangerously_allow_insecure_origins = true\nallow_methods"
    )
    candidate = CANDIDATE.replace('"https://new.example", ', "")
    corsguard("publish", store.write(text), store.url)
    corsguard("publish", store.write(candidate, "c.toml"), store.url, "--candidate")

    code, out, _ = corsguard("publish", "--add", "http://c.example", store.url)

    assert code == 1
    assert 'problem: candidate.routes."/api".allow_origins [' in out


def test_published_document_that_is_no_toml_is_refused(corsguard: Command, store: Store) -> None:
    store.publish(Revision(1, "x = ["))
    candidate = store.write(CANDIDATE.replace(', { set = "partners" }', ""), "c.toml")

    for args in (("--promote",), ("--discard-candidate",), (candidate, "--candidate")):
        assert corsguard("publish", *args, store.url) == (
            1,
            "",
            "corsguard: the published document is not TOML: publish a whole file\n",
        )


def test_candidate_that_is_no_toml_is_never_published(corsguard: Command, tried: Store) -> None:
    code, out, _ = corsguard("publish", tried.write("x = [", "c.toml"), tried.url, "--candidate")

    assert code == 1
    assert "[document-invalid]" in out


def test_candidate_with_a_candidate_is_refused(corsguard: Command, tried: Store) -> None:
    double = tried.write(tried.load()[1], "c.toml")

    assert corsguard("publish", double, tried.url, "--candidate") == (
        1,
        "",
        "corsguard: the candidate has a candidate itself: remove its table [candidate]\n",
    )


def test_change_of_a_set_of_the_candidate_alone_allows_nothing(
    corsguard: Command, store: Store
) -> None:
    own = 'allow_origins = [{ set = "own" }]\n[origin_sets]\nown = ["https://a.example"]\n'
    corsguard("publish", store.write(POLICY), store.url)
    corsguard("publish", store.write(own, "c.toml"), store.url, "--candidate")

    _, out, _ = corsguard("publish", "--add", "https://c.example", "--set", "own", store.url)

    assert "\nalso changed\n  * the set own, which no policy in force refers to\n" in out
    assert "newly allowed" not in out


def test_candidate_shares_the_sets_as_they_are_published(corsguard: Command, store: Store) -> None:
    corsguard("publish", store.write(POLICY), store.url)
    corsguard("publish", "--add", "https://c.example", store.url)
    candidate = store.write(POLICY.replace("PUT", "DELETE"), "c.toml")

    code, _, err = corsguard("publish", candidate, store.url, "--candidate")
    assert code == 1
    assert "which a candidate shares: give --keep-sets, or change it" in err
    assert corsguard("publish", candidate, store.url, "--candidate", "--keep-sets").code == 0
    document = tomllib.loads(store.load()[1])
    assert len(document["origin_sets"]["partners"]) == 3
    assert document["candidate"]["routes"]["/api"]["allow_methods"] == ["DELETE"]
