"""What Sphinx and Furo leave out for those who use a keyboard or a screen reader.

An extension that completes the pages once they are written. tests/e2e/test_site.py lets axe-core
judge the result.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def complete_pages(app: Sphinx, error: Exception | None) -> None:
    """Rewrite the pages of a build that has ended well."""
    if error is not None or app.builder.name != "html":
        return
    for file in Path(app.outdir).glob("*.html"):
        page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        complete_page(page)
        file.write_text(str(page), encoding="utf-8")


def complete_page(page: BeautifulSoup) -> None:
    """Add what is missing; what is there already stays."""
    for selector, label in {".sidebar-drawer": "All pages", ".toc-drawer": "This page"}.items():
        for landmark in page.select(selector):
            landmark["aria-label"] = label
    for caption in page.select(".caption[role=heading]"):
        caption["aria-level"] = "2"
    # What scrolls to the side must have the keyboard's focus for that.
    for region in page.select(".highlight > pre, .table-wrapper"):
        region["tabindex"] = "0"
    for header in page.find_all("th"):
        if not header.get_text(strip=True):
            header.name = "td"
    # The parameters of a signature are a definition list that defines nothing.
    for element in page.select("dt.sig dl, dt.sig dd"):
        element["class"] = "sig-params" if element.name == "dl" else "sig-line"
        element.name = "span"
    article = page.select_one("article")
    if article is not None and page.h1 is None:
        heading = page.new_tag("h1")
        heading.string = "Search"
        article.insert(0, heading)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("build-finished", complete_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
