"""The built site: every link leads somewhere, and no page needs another server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from support.docs_site import Link, read_anchors, read_links
from support.links import KNOWN_HOSTS

HOSTS = KNOWN_HOSTS | {"github.com", "pradyunsg.me", "www.sphinx-doc.org"}
"""Of the pages, and those that the theme credits."""


def find_dead_end(site: Path, anchors: dict[str, set[str]], name: str, link: Link) -> str | None:
    """Return what is wrong with a link of a page, None for one that leads somewhere.

    `anchors` are those of each page.
    """
    parts = urlsplit(link.address)
    if parts.scheme or parts.netloc:
        if link.is_fetched:
            return "is fetched from another server"
        is_known = parts.scheme == "https" and parts.netloc in HOSTS
        return None if is_known else "is not an https URL of a known host"
    target = unquote(parts.path) or name
    if target not in anchors:
        return None if (site / target).is_file() else "is not there"
    return None if unquote(parts.fragment) in anchors[target] else "has no such anchor"


def test_every_link_leads_somewhere(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    anchors = {name: read_anchors(page) for name, page in pages.items()}
    links = [(name, link) for name, page in pages.items() for link in read_links(page)]
    found = [(name, link.address, find_dead_end(site, anchors, name, link)) for name, link in links]

    assert len(links) > 1_000
    assert [problem for problem in found if problem[2] is not None] == []


def test_stylesheets_fetch_nothing_from_elsewhere(site: Path) -> None:
    sheets = [*site.glob("_static/**/*.css")]

    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        assert "@import" not in text, sheet
        assert "url(http" not in text.replace('"', "").replace("'", ""), sheet


def test_every_page_is_in_the_menu(pages: dict[str, BeautifulSoup]) -> None:
    menu = {link.address for link in read_links(pages["index.html"])}
    generated = {"genindex.html", "index.html", "py-modindex.html", "search.html"}

    assert set(pages) - generated - menu == set()
