"""The report of a run: printed at its end, and written as JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

FILE = "browsers.json"


class Report:
    """Lines of a table, each with a name; and the numbers behind them, as rows of tables."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []
        self._tables: defaultdict[str, list[dict[str, object]]] = defaultdict(list)

    def add(self, name: str, found: str) -> None:
        """Tell what was found, under a name."""
        self._lines.append((name, found))

    def count(self, table: str, **row: object) -> None:
        """Keep the numbers of it."""
        self._tables[table].append(row)

    def export(self) -> tuple[list[tuple[str, str]], dict[str, list[dict[str, object]]]]:
        """Return all of it, in types that a worker of pytest-xdist can send."""
        return self._lines, dict(self._tables)

    def merge(
        self, lines: Iterable[tuple[str, str]], tables: Mapping[str, list[dict[str, object]]]
    ) -> None:
        """Add what another report has exported."""
        self._lines.extend(lines)
        for table, rows in tables.items():
            self._tables[table].extend(rows)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table."""
        width = max((len(name) for name, _ in self._lines), default=0)
        for name, found in self._lines:
            yield f"{name:{width}}  {found}"

    def write(self, folder: Path) -> None:
        """Write the numbers to a file of the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._tables, indent=2)
        folder.joinpath(FILE).write_text(f"{text}\n", encoding="utf-8")
