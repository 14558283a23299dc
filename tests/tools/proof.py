"""The proof: one table of the counts that the runs left in a folder.

    python tests/tools/proof.py FOLDER [--page docs/proof.md]

Prints the table, and writes it with its date and versions to a page. Exits with 1 if anything
failed or did not run.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

PARTS = {
    "browsers": "tox -e browsers",
    "security": "tox",
    "fuzz": "tox -e fuzz",
    "load": "tox -e load",
}
"""What is counted, and what counts it."""


class Row(NamedTuple):
    what: str
    tried: str
    failed: int | None
    """None where it did not run."""


def main() -> int:
    """Print the table, write the page, and return the exit code."""
    parser = argparse.ArgumentParser(description="One table of what the runs have counted.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path, help="where the table is written, as Markdown")
    given = parser.parse_args()
    found = {part: _counts(given.folder / f"{part}.json") for part in PARTS}
    rows = [row for part in PARTS for row in _rows(part, found[part])]
    table = Table(title="What corsguard was tried against")
    table.add_column("what")
    table.add_column("how often", justify="right")
    table.add_column("failed", justify="right")
    for what, tried, failed in rows:
        shown = "not run" if failed is None else f"{failed:,}"
        table.add_row(what, tried, shown, style="bold red" if failed != 0 else "")
    Console().print(table)
    if given.page:
        given.page.write_text(_page(rows, found), encoding="utf-8")
    return int(any(failed != 0 for _, _, failed in rows))


def _counts(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _rows(part: str, found: Any) -> Iterator[Row]:
    if found is None:
        yield Row(f"`{PARTS[part]}`", "", None)
    elif part == "browsers":
        for engine in found["engines"]:
            yield Row(
                f"random exchanges in {engine['name']} {engine['version']}, compared with "
                f"the model (seed {engine['seed']})",
                f"{engine['pairs']:,}",
                engine["mismatches"],
            )
    elif part == "security":
        yield Row(
            "tests of published defects, origin probes and path spellings, on every adapter",
            f"{found['tests']:,}",
            found["failed"] - found["failed_probes"],
        )
        what = f"origin probes, on {found['patterns']} kinds of pattern"
        yield Row(what, f"{found['origins']:,}", found["failed_probes"])
    elif part == "fuzz":
        what = f"inputs fuzzed, on {len(found['targets'])} targets"
        yield Row(what, f"{found['inputs']:,}", found["crashes"])
    else:
        what = f"requests under load, to {len(found['served'])} applications being reconfigured"
        log = found["log"]
        yield Row(what, f"{found['requests']:,}", found["faults"] - log["faults"])
        what = f"origins refused, which left {log['lines']} lines in the log"
        yield Row(what, f"{log['refused']:,}", log["faults"])


def _page(rows: list[Row], found: dict[str, Any]) -> str:
    lines = [
        "# Proof",
        "",
        "What this release was tried against, counted by the run that made this page:",
        "`.ci/run`, which ends with `tox -e proof`.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, corsguard {version('corsguard')}, "
        f"CPython {platform.python_version()} on {platform.system()} {platform.machine()}.",
        "",
        "| what | how often | failed |",
        "| --- | ---: | ---: |",
    ]
    for what, tried, failed in rows:
        lines.append(f"| {what} | {tried} | {'not run' if failed is None else f'{failed:,}'} |")
    browsers = found["browsers"]
    if browsers:
        lines += [
            "",
            "## Preflights",
            "",
            "What a page needs that asks one URL by GET, POST, PUT, PATCH and DELETE, in a fresh",
            "browser; where the three engines differ, all numbers are given.",
            "",
            *_preflights(browsers["preflights"]),
        ]
    return "\n".join([*lines, ""])


def _preflights(counted: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a row for each library; the engines beside each other where they differ."""
    asked = {
        "methods": "five methods",
        "with_token": "with a token in a header",
        "with_pause": "again after six seconds",
    }
    yield f"| | {' | '.join(asked.values())} |"
    yield f"| --- |{' ---: |' * len(asked)}"
    for library in dict.fromkeys(row["library"] for row in counted):
        rows = [row for row in counted if row["library"] == library]
        cells = (dict.fromkeys(str(row[name]) for row in rows) for name in asked)
        yield f"| {library} | {' | '.join(' / '.join(cell) for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main())
