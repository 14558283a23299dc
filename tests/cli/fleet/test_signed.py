"""Signed revisions: `--sign` and `--unsigned`, and what is never signed unseen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.cli_command import Command
from support.fleet_store import POLICY, Store

from corsguard.sources import Revision
from corsguard.sources.signature import load_signing_key, load_verifying_key, sign, verify

NEW = "https://new.example"
SECRET = "a secret of thirty-two bytes or more"


@pytest.fixture
def key(store: Store) -> str:
    """The path of a secret."""
    return store.write(SECRET, "secret")


@pytest.fixture
def signed(corsguard: Command, store: Store, key: str) -> Store:
    """A store with a signed policy as version 1."""
    assert corsguard("publish", store.write(POLICY), store.url, "--sign", key).code == 0
    return store


def test_signed_revisions_are_verified_by_workers(
    corsguard: Command, signed: Store, key: str
) -> None:
    corsguard("publish", "--add", NEW, signed.url, "--sign", key)
    document, changes = signed.list_revisions()

    verifying = load_verifying_key(key)
    assert verify(document.text, verifying) == 1
    assert document.text.startswith(POLICY)
    assert verify(changes.text, verifying, is_change=True) == 2
    assert SECRET not in document.text + changes.text


def test_pair_of_keys_signs(corsguard: Command, store: Store) -> None:
    subprocess.run("openssl genpkey -algorithm ed25519 -out private.pem".split(), check=True)
    subprocess.run("openssl pkey -in private.pem -pubout -out public.pem".split(), check=True)

    assert corsguard("publish", store.write(POLICY), store.url, "--sign", "private.pem").code == 0
    assert verify(store.list_revisions()[0].text, load_verifying_key("public.pem")) == 1
    code, _, err = corsguard("publish", store.write(POLICY), store.url, "--sign", "public.pem")
    assert (code, err) == (
        2,
        "corsguard: public.pem is a public key, which can't sign: use the private key\n",
    )


@pytest.mark.parametrize(
    "args", [("corsguard.toml",), ("--add", NEW), ("--promote",), ("rollback", "1")]
)
def test_signed_version_is_not_followed_by_an_unsigned_one(
    corsguard: Command, signed: Store, args: tuple[str, ...]
) -> None:
    command = args if args[0] == "rollback" else ("publish", *args)

    assert corsguard(*command, signed.url) == (
        1,
        "",
        "corsguard: version 1 is signed, and workers with a key refuse a revision that is not."
        " Give --sign KEYFILE, or else --unsigned\n",
    )


def test_unsigned_follows_a_signed_version_if_that_is_meant(
    corsguard: Command, signed: Store
) -> None:
    assert corsguard("publish", "--add", NEW, signed.url, "--unsigned").code == 0
    assert signed.load()[0] == "2"
    assert "corsguard-signature" not in signed.load()[1]


def test_unsigned_policy_can_be_signed_as_it_is(corsguard: Command, store: Store, key: str) -> None:
    corsguard("publish", store.write(POLICY), store.url)

    code, out, _ = corsguard("publish", store.write(POLICY), store.url, "--sign", key)

    assert code == 0
    assert "no request is decided otherwise" in out
    assert verify(store.list_revisions()[-1].text, load_verifying_key(key)) == 2
    same = corsguard("publish", store.write(POLICY), store.url, "--sign", key)
    assert same.out == "version 2 is the same: nothing to publish\n"


def test_rollback_signs_only_what_is_signed(corsguard: Command, store: Store, key: str) -> None:
    opened = POLICY.replace("https://shop.example.com", "https://evil.example")
    store.publish(Revision(1, opened), Revision(2, POLICY))

    code, _, err = corsguard("rollback", "1", store.url, "--sign", key)

    assert code == 1
    assert err == (
        "corsguard: version 1 can't be signed again: the document is not signed, and a key is"
        " configured. Publish a file that you have read instead\n"
    )
    assert store.load()[0] == "2"


def test_rollback_signs_no_text_of_another_version(
    corsguard: Command, store: Store, key: str
) -> None:
    text = sign(POLICY, 7, load_signing_key(key))
    store.publish(Revision(1, text), Revision(2, POLICY))

    code, _, err = corsguard("rollback", "1", store.url, "--sign", key)

    assert code == 1
    assert "version 1 can't be signed again: it is signed as version 7." in err


def test_candidate_that_is_not_signed_is_not_promoted(
    corsguard: Command, signed: Store, key: str
) -> None:
    candidate = signed.write('allow_origins = ["https://c.example"]\n', "c.toml")
    corsguard("publish", candidate, signed.url, "--candidate", "--unsigned")

    for args in (("--promote",), ("--discard-candidate",), (candidate, "--candidate")):
        code, _, err = corsguard("publish", *args, signed.url, "--sign", key)
        assert code == 1
        assert "version 2 can't be signed again: the document is not signed" in err
    code, _, _ = corsguard("publish", candidate, signed.url, "--keep-sets", "--sign", key)
    assert code == 1


def test_signed_candidate_is_promoted_and_rolled_back(
    corsguard: Command, signed: Store, key: str
) -> None:
    candidate = signed.write('allow_origins = ["https://c.example"]\n', "c.toml")
    corsguard("publish", candidate, signed.url, "--candidate", "--sign", key)
    corsguard("publish", "--add", NEW, signed.url, "--sign", key)

    assert corsguard("publish", "--promote", signed.url, "--sign", key).code == 0
    assert corsguard("rollback", "3", signed.url, "--sign", key).code == 0
    texts = [each.text for each in signed.list_revisions()]
    assert [verify(each, load_verifying_key(key)) for each in (texts[3], texts[4])] == [4, 5]
    assert texts[4].count("corsguard-signature") == 1
    assert NEW in texts[4]


def test_signed_file_has_versions(corsguard: Command, store: Store, key: str) -> None:
    verifying = load_verifying_key(key)
    file = store.write(POLICY)
    args = ("publish", file, "policy.toml", "--sign", key)

    assert corsguard(*args, "--version", "4").code == 0
    assert verify(Path("policy.toml").read_text(), verifying) == 4

    code, out, _ = corsguard("publish", "--add", NEW, "policy.toml", "--sign", key)
    assert code == 0
    assert out.startswith("policy.toml: version 4 is published\n")
    assert "\nversion 5 is published: policy.toml\n" in out
    assert verify(Path("policy.toml").read_text(), verifying) == 5

    assert corsguard(*args).code == 0
    assert corsguard(*args).out == "version 6 is the same: nothing to publish\n"
    assert corsguard(*args, "--version", "9").code == 0
    assert verify(Path("policy.toml").read_text(), verifying) == 9

    code, _, err = corsguard(*args, "--version", "9")
    assert (code, err) == (1, "corsguard: --version 9 is not newer than version 9\n")
