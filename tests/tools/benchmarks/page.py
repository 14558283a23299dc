"""docs/benchmarks.md: a section for each Python and one end to end, each replaced by its run."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from tools.benchmarks.tables import Table

_PACKAGES = (
    "flask-cors",
    "django-cors-headers",
    "starlette",
    "falcon",
    "wsgicors",
    "flask",
    "django",
)
_HEAD = """\
# What a request costs

Every table on this page, and the plot, is made by `tox -e bench`, `tox -e bench-py313` and so on,
of which each run replaces the section of its Python, and by `tox -e bench -- --end-to-end`.

In the sections of a Python, each stack runs in process, without a server, bare and with its CORS
layer, in interleaved rounds. What counts is what the layer adds. The requests have the header
fields of a browser, none of which has been seen before. The policy is the same everywhere:
credentials, six methods, two request headers, one exposed header. The floor is the least that pure
Python can do for the same answer: a closure over a dict (`tests/tools/benchmarks/floors.py`).

Times are those of one machine, so compare them with each other only.

![What a CORS layer adds to a request](benchmarks.svg)
"""
_HEADING = "## "
_PYTHON = "Python "
_END_TO_END = "End to end"
_START, _END = "<!-- made by `tox -e bench` -->\n", "<!-- end -->"


def python() -> str:
    """Return the version of the running Python, such as 3.13."""
    return ".".join(platform.python_version_tuple()[:2])


def is_first(page: Path) -> bool:
    """Return True if this Python's section is the first one, which the plot shows."""
    own = _PYTHON + python()
    pythons = [name for name in _read_sections(page) if name.startswith(_PYTHON)]
    return min([*pythons, own], key=_order) == own


def update(page: Path, tables: Iterable[Table], packages: Iterable[str] = _PACKAGES) -> None:
    """Replace the section of this Python, with the releases of some packages."""
    _replace(page, _PYTHON + python(), packages, tables)


def update_end_to_end(page: Path, packages: Iterable[str], table: Table) -> None:
    """Replace the section of the runs behind servers, likewise."""
    _replace(page, _END_TO_END, packages, [table])


def update_headline(readme: Path, headline: str) -> None:
    """Replace what is between the two marks."""
    before, start, rest = readme.read_text(encoding="utf-8").partition(_START)
    _, end, after = rest.partition(_END)
    readme.write_text(f"{before}{start}{headline}\n{end}{after}", encoding="utf-8")


def _replace(page: Path, name: str, packages: Iterable[str], tables: Iterable[Table]) -> None:
    releases = ", ".join(f"{package} {version(package)}" for package in packages)
    section = [f"CPython {platform.python_version()}, {platform.machine()}; {releases}.\n"]
    section += [table.markdown() for table in tables]
    sections = {**_read_sections(page), name: "\n".join(section)}
    page.write_text(_HEAD + _write_sections(sections), encoding="utf-8")


def _write_sections(sections: Mapping[str, str]) -> str:
    return "".join(
        f"\n{_HEADING}{name}\n\n{sections[name].strip()}\n" for name in sorted(sections, key=_order)
    )


def _read_sections(page: Path) -> dict[str, str]:
    if not page.exists():
        return {}
    sections = page.read_text(encoding="utf-8").split(f"\n{_HEADING}")[1:]
    return {name: text for name, _, text in (each.partition("\n") for each in sections)}


def _order(name: str) -> list[int]:
    """Return the numbers of a Python's version; what has none comes first."""
    if not name.startswith(_PYTHON):
        return []
    return [int(number) for number in name.removeprefix(_PYTHON).split(".")]
