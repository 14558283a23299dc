"""The package of sources, which imports each client late."""

from __future__ import annotations

import subprocess
import sys

import pytest

from corsguard import sources

CLIENTS = {
    "FileSource": ("watchfiles", "files"),
    "HTTPSource": ("httpx", "http"),
    "PostgresSource": ("psycopg", "postgres"),
    "RedisSource": ("redis", "redis"),
    "SQLSource": ("sqlalchemy", "sql"),
}


def run(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_package_imports_no_client() -> None:
    clients = sorted(client for client, _ in CLIENTS.values())

    loaded = run(f"import corsguard.sources, sys; print(sorted({clients} & sys.modules.keys()))")

    assert loaded == "[]\n"


@pytest.mark.parametrize("name", ["PostgresSource", "RedisSource", "SQLSource", "open_source"])
def test_source_is_imported_by_name(name: str) -> None:
    assert getattr(sources, name).__name__ == name


@pytest.mark.parametrize("name", ["PostgresSource", "RedisSource", "SQLSource"])
def test_source_without_its_client_names_the_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, extra = CLIENTS[name]
    monkeypatch.setitem(sys.modules, client, None)
    for module in ("postgres_source", "redis_source", "sql_source"):
        monkeypatch.delitem(sys.modules, f"corsguard.sources.{module}", raising=False)

    with pytest.raises(ImportError) as raised:
        getattr(sources, name)

    assert str(raised.value) == f'{name} needs: pip install "corsguard[{extra}]"'


def test_error_inside_a_source_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "corsguard.sources.open", None)

    with pytest.raises(ModuleNotFoundError, match=r"corsguard\.sources\.open"):
        sources.open_source  # noqa: B018


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'NoSource'"):
        sources.NoSource  # noqa: B018
