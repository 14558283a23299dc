"""The documentation site: Sphinx reads this file, `tox -e docs` builds the site."""

from __future__ import annotations

import re
import sys
from enum import Enum
from importlib import metadata
from inspect import isclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx import addnodes

from corsguard.errors import DOCUMENTATION_URL

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent

project = "corsguard"
author = "The corsguard developers"
project_copyright = author
release = metadata.version("corsguard")

sys.path.insert(0, str(DOCS))
extensions = [
    "accessible",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinxext.opengraph",
]
exclude_patterns = ["_build"]

# Links such as other.md#a-heading work here as they do on GitHub.
myst_heading_anchors = 4
suppress_warnings: list[str] = []

# Docstrings are Markdown in this one way: `name` is code.
default_role = "code"
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_type_aliases = {"Policies": "corsguard.Policies"}
autodoc_typehints_format = "short"
maximum_signature_line_length = 70
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "furo"
pygments_dark_style = "github-dark-high-contrast"
html_title = "corsguard"
html_logo = html_favicon = "images/shield.svg"
html_baseurl = DOCUMENTATION_URL
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = [name for name in ["corsguard.schema.json"] if (DOCS / name).exists()]

ogp_site_url = DOCUMENTATION_URL
ogp_social_cards = {"enable": False}  # drawn by matplotlib, and read by social networks alone

copybutton_exclude = ".linenos, .gp, .go"

INCLUDED_FILES = {
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "README.md": "index",
    "SECURITY.md": "security",
    "corsguard/cli/problems.md": "problems",
    "examples/fleet/README.md": "fleet-example",
}
"""A Markdown file outside docs/ -> the page that stands for it."""

GENERATED_DOCSTRINGS = ("Alias for field number", "Create new instance of")
NAME_IN_SIGNATURE = re.compile(r"(?:<built-in function |TypeAliasForwardRef\(')([\w.]+)(?:>|'\))")


def link_files(_app: Sphinx, doctree: nodes.document) -> None:
    """Lead links between Markdown files to their pages, on pages that include a file too.

    MyST takes links in an included file as relative to the page, and finds no file outside docs/.
    """
    for link in doctree.findall(addnodes.pending_xref):
        if link.get("reftype") != "myst":
            continue
        if link["refdomain"] == "doc":  # the absolute path where the file is not in docs/
            file, anchor = DOCS / f"{link['reftarget']}.md", link["reftargetid"]
        else:
            path, _, anchor = link["reftarget"].partition("#")
            file = (Path(link.source or "").parent / path).resolve()
        page = _find_page(file)
        if page is not None:
            link["refdomain"], link["reftarget"], link["reftargetid"] = "doc", page, anchor


def _find_page(file: Path) -> str | None:
    """Return the name of the page for a file, None where it has none."""
    if file.parent == DOCS and file.suffix == ".md" and file.is_file():
        return file.stem
    if file.is_relative_to(ROOT):
        return INCLUDED_FILES.get(file.relative_to(ROOT).as_posix())
    return None


def drop_generated_docstrings(*event: Any) -> None:
    """Remove what Python writes itself: of the fields and the constructor of a NamedTuple."""
    lines: list[str] = event[-1]
    lines[:] = [line for line in lines if not line.startswith(GENERATED_DOCSTRINGS)]


def tidy_signature(*event: Any) -> tuple[str, str | None] | None:
    """Return the signature without what says nothing, and with the names of other things alone."""
    _, _, _, subject, _, signature, returned = event
    if signature == "(*args, **kwargs)" or (isclass(subject) and issubclass(subject, Enum)):
        return "", returned
    if signature is None:
        return None
    return NAME_IN_SIGNATURE.sub(r"\1", signature), returned


def setup(app: Sphinx) -> None:
    """Connect the hooks of this file."""
    app.connect("doctree-read", link_files)
    app.connect("autodoc-process-docstring", drop_generated_docstrings)
    app.connect("autodoc-process-signature", tidy_signature)
