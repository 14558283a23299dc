from __future__ import annotations

from pathlib import Path

import pytest
from support.following import OF_A, OF_B, SET, A, B, Follow, allows, change
from support.memory_store import (
    Changes,
    MemorySource,
    MemoryStore,
)

from corsguard import Guard, PolicyError
from corsguard.sources import Revision
from corsguard.sources.changes import SetChange, format_changes
from corsguard.sources.signature import load_signing_key, load_verifying_key, sign


def test_signed_documents_alone_are_put_in_force(follow: Follow, key: Path) -> None:
    signing = load_signing_key(key)
    source = MemorySource(sign(OF_A, 1, signing), "1")
    guard = follow(source, key=key)
    changes = Changes(guard)

    source.put(OF_B, "2")
    unsigned = changes.next().error
    source.put(sign(OF_A, 2, signing).replace(A, B), "3")
    changed = changes.next().error

    assert "document-not-authentic" in unsigned
    assert "document-not-authentic" in changed
    assert allows(guard, A)
    source.put(sign(OF_B, 4, signing), "4")
    changes.wait_for("4")
    assert allows(guard, B)


def test_earlier_signed_document_is_not_put_in_force_again(follow: Follow, key: Path) -> None:
    signing = load_signing_key(key)
    source = MemorySource(sign(OF_A, 8, signing), "8")
    guard = follow(source, key=load_verifying_key(key))
    changes = Changes(guard)

    source.put(sign(OF_B, 7, signing), "replayed")

    error = changes.next().error
    assert "version 8 was in force, and this one is older" in error
    assert "under a number that is higher" in error
    assert allows(guard, A)


def test_unsigned_document_does_not_start_a_worker(key: Path) -> None:
    with pytest.raises(PolicyError, match="document-not-authentic"):
        Guard(None).follow(MemorySource(OF_A), key=key)


def test_signed_revisions_of_a_store_have_their_own_numbers(follow: Follow, key: Path) -> None:
    signing = load_signing_key(key)
    store = MemoryStore(Revision(1, sign(SET, 1, signing)))
    guard = follow(store, key=key)
    changes = Changes(guard)
    add_b = format_changes({"partners": SetChange(add=(B,))})

    store.publish(Revision(2, add_b, is_change=True))
    unsigned = changes.next().error
    store.revisions.pop()
    store.revisions.append(Revision(2, sign(add_b, 3, signing, is_change=True), is_change=True))
    store.publish(Revision(3, sign(add_b, 3, signing, is_change=True), is_change=True))
    renumbered = changes.next().error
    store.revisions = [Revision(4, sign(OF_B, 5, signing))]
    store.publish(change(5))
    moved = changes.next().error

    assert "document-not-authentic" in unsigned
    assert "the signature of version 2 is that of another one" in renumbered
    assert "the signature is that of version 5" in moved
    assert allows(guard, A)
    store.revisions = [Revision(6, sign(SET, 6, signing))]
    store.publish(Revision(7, sign(add_b, 7, signing, is_change=True), is_change=True))
    changes.wait_for("7")
    assert allows(guard, B)


def test_signed_change_is_put_in_force(follow: Follow, key: Path) -> None:
    signing = load_signing_key(key)
    store = MemoryStore(Revision(1, sign(SET, 1, signing)))
    guard = follow(store, key=key)
    changes = Changes(guard)

    text = format_changes({"partners": SetChange(add=(B,))})
    store.publish(Revision(2, sign(text, 2, signing, is_change=True), is_change=True))
    changes.wait_for("2")

    assert allows(guard, B)


def test_restarted_worker_refuses_an_earlier_signed_document(
    follow: Follow, key: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    signing, last_good = load_signing_key(key), tmp_path / "last"
    add_b = sign(format_changes({"partners": SetChange(add=(B,))}), 9, signing, is_change=True)
    whole = Revision(8, sign(SET, 8, signing))
    follow(MemoryStore(whole, Revision(9, add_b, is_change=True)), key=key, last_good=last_good)

    guard = follow(MemoryStore(whole), key=key, last_good=last_good)

    assert (guard.version, allows(guard, B)) == ("9", True)
    assert "version 9 was in force, and this one is older" in guard.check_health().error
    assert "started with version 9" in caplog.text
