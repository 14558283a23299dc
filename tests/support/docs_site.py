"""The documentation site: build it, and read what the pages link to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).parents[2]

_ADDRESSES = {"a": "href", "form": "action", "iframe": "src", "img": "src", "link": "href"}
_ADDRESSES |= {"object": "data", "script": "src", "source": "src"}
"""Element -> its attribute with an address."""


class Link(NamedTuple):
    """An address on a page."""

    element: str
    address: str
    is_fetched: bool
    """True if the browser fetches it to show the page."""


def build_site(folder: Path) -> None:
    """Build the site into a folder; raise CalledProcessError for a warning."""
    options = ["-W", "--keep-going", "-E", "-q", "-b", "html"]
    paths = [str(ROOT / "docs"), str(folder)]
    subprocess.run([sys.executable, "-m", "sphinx", *options, *paths], check=True)


def parse_page(file: Path) -> BeautifulSoup:
    """Parse a page of the built site."""
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


def read_links(page: BeautifulSoup) -> Iterator[Link]:
    """Yield every address on a page."""
    for element in page.find_all(list(_ADDRESSES)):
        address = element.get(_ADDRESSES[element.name])
        if isinstance(address, str):
            yield Link(element.name, address, _is_fetched(element))


def _is_fetched(element: Tag) -> bool:
    """Return True if the browser fetches what an element links to, without a click."""
    if element.name == "link":
        return not {"canonical", "next", "prev"} & set(element.get_attribute_list("rel"))
    return element.name not in {"a", "form"}


def read_anchors(page: BeautifulSoup) -> set[str]:
    """Return the identifiers on a page, "" for its top."""
    return {"", *(str(element["id"]) for element in page.find_all(id=True))}
