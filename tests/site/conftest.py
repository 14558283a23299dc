from __future__ import annotations

import os
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from support.docs_site import build_site, parse_page

FOLDER_NAME = "SITE_FOLDER"
"""The environment variable that names the folder of a site that was built before."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    if FOLDER_NAME in os.environ:
        return Path(os.environ[FOLDER_NAME])
    folder = tmp_path_factory.mktemp("site")
    build_site(folder)
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    """Return name -> page, as in `index.html`."""
    return {file.name: parse_page(file) for file in sorted(site.glob("*.html"))}
