"""Tables of the commands, with cells that are folded to the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from corsguard.cli.terminal import make_printable

__all__ = ["format_age", "format_duration", "format_iso_time", "format_time", "write_table"]

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
    time = _read_time(seconds)
    return "?" if time is None else time.strftime("%Y-%m-%d %H:%M:%S")


def format_iso_time(seconds: float) -> str | None:
    """Return the same in ISO 8601, None for a time that is not valid."""
    time = _read_time(seconds)
    return None if time is None else time.isoformat()


def format_age(now: float, seconds: float) -> str:
    """Return how long ago a time was; both are in seconds since the epoch."""
    return "?" if _read_time(seconds) is None else format_duration(now - seconds)


def format_duration(seconds: float) -> str:
    """Return a duration in its largest whole unit: `3 min`."""
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(max(seconds, 0))} s"


def _read_time(seconds: float) -> datetime | None:
    """Return a time; None for one that no calendar has, as a store may contain anything."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
