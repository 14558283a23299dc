"""The URL of a store: its policy, and what messages show of it."""

from __future__ import annotations

import pytest

from corsguard.sources import SourceError
from corsguard.sources.store_url import StoreURL


@pytest.mark.parametrize(
    ("url", "policy", "for_client"),
    [
        ("redis://h/0", "default", "redis://h/0"),
        ("redis://h/0?policy=api", "api", "redis://h/0"),
        ("redis://h?a=1&policy=a.b-c_D&b=%20", "a.b-c_D", "redis://h?a=1&b=%20"),
        ("redis://h?policy=a&policy=b", "b", "redis://h"),
        ("redis://h?policy=%61", "a", "redis://h"),
        ("redis://h?other_policy=a", "default", "redis://h?other_policy=a"),
    ],
)
def test_policy_is_removed_from_the_url(url: str, policy: str, for_client: str) -> None:
    found = StoreURL(url)

    assert (found.policy, found.for_client) == (policy, for_client)


@pytest.mark.parametrize("name", ["", "a:b", "a*", "a%20b", "%C3%A4", "x" * 51])
def test_policy_with_other_characters_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="is not a valid name of a policy: use up to 50"):
        StoreURL(f"redis://:hush@h?policy={name}")


@pytest.mark.parametrize(
    "url",
    [
        "redis://hush@host:1/0",
        "redis://:hush@host:1/0",
        "redis://user:hush@host:1/0",
        "redis://user:hush/hush@host:1/0",
        "redis://user:hush?hush@host:1/0",
        "redis://user:hush#hush@host:1/0",
        "redis://user:hush@hush@host:1/0",
        "unix://user@/path?db=0&password=hush",
        "unix:///path?password=at@hush",
        "postgresql://host/db?user=u&password=hush&policy=p",
        "postgresql://user:hush@/db?host=a@b",
    ],
)
def test_messages_have_no_password(url: str) -> None:
    found = StoreURL(url)

    assert "hush" not in repr(found)
    assert "hush" not in found.shown
    assert "hush" in found.for_client


def test_password_of_an_error_of_the_client_is_hidden() -> None:
    url = StoreURL("redis://user:hu%73h%21@host/0?sslpassword=se%20cret&db=1")

    error = ValueError("with hu%73h%21,\n\thush!  and se cret")

    assert url.describe(error) == "redis://***@host/0?sslpassword=***&db=***: with ***, *** and ***"
    assert url.describe(TimeoutError()).endswith(": TimeoutError")
