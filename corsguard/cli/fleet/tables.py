"""Tables of the commands, with cells that are folded to the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from corsguard.cli.terminal import make_printable

__all__ = ["format_duration", "format_time", "write_table"]

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def write_table(
    console: Console,
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    styles: Sequence[str] = (),
) -> None:
    """Write a table. Each row has the style at its place, if there is one. Nothing is cut off."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    for index, row in enumerate(rows):
        style = styles[index] if index < len(styles) else ""
        table.add_row(*(Text(make_printable(cell), style) for cell in row))
    for line in console.render_lines(table, pad=False):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line))
        text.rstrip()
        console.print(text, soft_wrap=True)


def format_time(seconds: float) -> str:
    """Return a time in UTC, to the second; `seconds` are since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def format_duration(seconds: float) -> str:
    """Return a duration in its largest whole unit: `3 min`."""
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(max(seconds, 0))} s"
