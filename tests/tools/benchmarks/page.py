"""docs/benchmarks.md: a part for each Python, replaced by a run on that Python."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from tools.benchmarks.report import Table

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

Every table on this page, and the plot, is made by `tox -e bench`, `tox -e bench-py313` and so on;
a run replaces the part of its Python. Each stack runs in process, without a server, bare and with
its CORS layer, in interleaved rounds; what counts is what the layer adds. The requests have the
header fields of a browser, none of which has been seen before. The policy is the same everywhere:
credentials, six methods, two request headers, one exposed header. The floor is the least that
pure Python can do for the same answer: a closure over a dict (`tests/tools/benchmarks/floors.py`).

Times are those of one machine, so compare them with each other only.

![What a CORS layer adds to a request](benchmarks.svg)
"""
_PART = "## Python "
_START, _END = "<!-- made by `tox -e bench` -->\n", "<!-- end -->"


def python() -> str:
    """Return the version of the running Python, such as 3.13."""
    return ".".join(platform.python_version_tuple()[:2])


def is_first(page: Path) -> bool:
    """Return True if this Python's part is the first of the page, which the plot shows."""
    return min([*_parts(page), python()], key=_order) == python()


def update(page: Path, tables: Iterable[Table]) -> None:
    """Replace the part of this Python."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    part = [f"CPython {platform.python_version()}, {platform.machine()}; {packages}.\n"]
    part += [table.markdown() for table in tables]
    parts = {**_parts(page), python(): "\n".join(part)}
    text = "".join(
        f"\n{_PART}{name}\n\n{parts[name].strip()}\n" for name in sorted(parts, key=_order)
    )
    page.write_text(_HEAD + text, encoding="utf-8")


def update_headline(readme: Path, headline: str) -> None:
    """Replace what stands between the two marks."""
    before, start, rest = readme.read_text(encoding="utf-8").partition(_START)
    _, end, after = rest.partition(_END)
    readme.write_text(f"{before}{start}{headline}\n{end}{after}", encoding="utf-8")


def _parts(page: Path) -> dict[str, str]:
    if not page.exists():
        return {}
    parts = page.read_text(encoding="utf-8").split(f"\n{_PART}")[1:]
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


def _order(name: str) -> list[int]:
    return [int(number) for number in name.split(".")]
