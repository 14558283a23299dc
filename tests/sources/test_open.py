"""From a URL to its source, and URLs in messages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import corsguard.sources
from corsguard.sources import SourceError
from corsguard.sources.file_source import FileSource
from corsguard.sources.open import open_source, redact


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/etc/corsguard.toml", "/etc/corsguard.toml"),
        ("corsguard.toml", f"{os.getcwd()}/corsguard.toml"),
        ("file:///etc/cors%20guard.toml", "/etc/cors guard.toml"),
        ("FILE://localhost/etc/corsguard.toml", "/etc/corsguard.toml"),
        (Path("/etc/corsguard.toml"), "/etc/corsguard.toml"),
        (Path("redis:x"), f"{os.getcwd()}/redis:x"),
        ("C:\\corsguard.toml", f"{os.getcwd()}/C:\\corsguard.toml"),
        ("C:/corsguard.toml", f"{os.getcwd()}/C:/corsguard.toml"),
        ("tenants:eu.toml", f"{os.getcwd()}/tenants:eu.toml"),
    ],
)
def test_path_is_a_file(url: str | os.PathLike[str], path: str) -> None:
    source = open_source(url)

    assert isinstance(source, FileSource)
    assert str(source.path) == path


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://127.0.0.1:1/0?policy=api", "RedisSource"),
        ("rediss://ada:pw@127.0.0.1", "RedisSource"),
        ("unix:///run/redis.sock", "RedisSource"),
        ("postgresql://127.0.0.1/db", "PostgresSource"),
        ("postgres://127.0.0.1/db", "PostgresSource"),
        ("postgresql+psycopg://127.0.0.1/db", "SQLSource"),
        ("mysql+pymysql://ada:pw@127.0.0.1/db", "SQLSource"),
        ("sqlite:////nowhere/policy.db", "SQLSource"),
        ("https://config.example/policy.toml", "HTTPSource"),
        ("HTTP://127.0.0.1/policy.toml", "HTTPSource"),
    ],
)
def test_scheme_names_the_class(url: str, name: str) -> None:
    source = open_source(url)

    assert type(source).__name__ == name
    assert isinstance(source, getattr(corsguard.sources, name))
    assert "pw" not in repr(source)
    source.close()


def test_documents_with_a_key_may_come_over_plain_http() -> None:
    url = "http://config.example/policy.toml"
    with pytest.raises(SourceError, match="use https, or sign"):
        open_source(url)

    assert type(open_source(url, is_signed=True)).__name__ == "HTTPSource"


@pytest.mark.parametrize("url", ["ftp://ada:s3cret@x.example/p", "redis:s3cret@x", "s3://x/y"])
def test_unknown_scheme_lists_those_known(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(url)

    assert str(caught.value) == (
        f"{redact(url)} is not the URL of a source: use a path, or SCHEME:// with file, http, "
        "https, mariadb, mssql, mysql, oracle, postgres, postgresql, redis, rediss, sqlite, unix"
    )
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["file://config.example/etc/x", "file:///", "file://"])
def test_file_url_of_another_host_is_an_error(url: str) -> None:
    with pytest.raises(SourceError, match="is not the URL of a local file: use file:///PATH"):
        open_source(url)


@pytest.mark.parametrize(
    ("url", "client", "message"),
    [
        ("redis://x", "redis", 'RedisSource needs: pip install "corsguard[redis]"'),
        ("postgresql://x", "psycopg", 'PostgresSource needs: pip install "corsguard[postgres]"'),
        ("sqlite://", "sqlalchemy", 'SQLSource needs: pip install "corsguard[sql]"'),
        ("https://x", "httpx", 'HTTPSource needs: pip install "corsguard[http]"'),
    ],
)
def test_missing_client_names_the_extra(
    url: str, client: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*sys.modules]:
        if name.startswith("corsguard.sources.") and name.endswith("_source"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, client, None)

    with pytest.raises(SourceError) as caught:
        open_source(url)

    assert str(caught.value) == message


def test_error_of_a_client_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(url: str) -> None:
        raise ValueError(url)

    monkeypatch.setattr(corsguard.sources, "RedisSource", fail, raising=False)

    with pytest.raises(SourceError) as caught:
        open_source("redis://ada:s3cret@x.example")

    assert str(caught.value) == "redis://***@x.example is not a URL for RedisSource (ValueError)"
    assert caught.value.__cause__ is None


# Redaction


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://:pw@h", "redis://***@h"),
        ("rediss://ada:p:w@h/0", "rediss://***@h/0"),
        ("redis://ada:p@w/x?y#z@h/0", "redis://***@h/0"),
        ("https://token@h/p", "https://***@h/p"),
        ("https://h/p#pw", "https://h/p"),
        ("postgresql://h/d?policy=api&password=pw", "postgresql://h/d?policy=api&password=***"),
        ("redis://h?password=p%40w;x", "redis://h?password=***;x"),
        ("redis://ada:p\nw@h/\n0", "redis://***@h/0"),
        ("mysql+pymysql://ada:pw@h/d", "mysql+pymysql://***@h/d"),
        ("redis:ada:pw@h", "redis:***@h"),
        ("C:\\ada@home.toml", "C:\\ada@home.toml"),
        ("/etc/ada@home.toml", "/etc/ada@home.toml"),
    ],
)
def test_redacted_url_has_no_password(url: str, shown: str) -> None:
    assert redact(url) == shown
