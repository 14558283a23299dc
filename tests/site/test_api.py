"""The API pages: all public names, and nothing that only Python wrote."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sphinx.util.inventory import InventoryFile

PACKAGES = [
    "corsguard",
    "corsguard.browser",
    "corsguard.metrics",
    "corsguard.sources",
    "corsguard_asgi",
    "corsguard_django",
    "corsguard_flask",
    "corsguard_pytest",
    "corsguard_starlette",
    "corsguard_wsgi",
]


@pytest.fixture(scope="module")
def documented(site: Path) -> set[str]:
    """Return the Python names of objects.inv."""
    data = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    return {name for kind, items in data.items() if kind.startswith("py:") for name in items}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_documented(package: str, documented: set[str]) -> None:
    public = {f"{package}.{name}" for name in import_module(package).__all__}

    assert public - documented == set()


def test_no_private_name_is_documented(documented: set[str]) -> None:
    assert [name for name in documented if "._" in name] == []


def test_pages_show_no_text_that_python_generates(pages: dict[str, BeautifulSoup]) -> None:
    texts = [page.get_text() for name, page in pages.items() if name.startswith("api")]
    generated = [
        "Alias for field number",
        "Create new instance of",
        "<built-in",
        "(*args, **kwargs)",
    ]

    assert len(texts) == 5
    assert [each for each in generated for text in texts if each in text] == []
