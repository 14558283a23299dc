"""What a run found, told at its end."""

from __future__ import annotations

from collections.abc import Iterator


class Report:
    """Lines of a table, each with a name."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []

    def add(self, name: str, found: str) -> None:
        """Tell what was found, under a name."""
        self._lines.append((name, found))

    def lines(self) -> Iterator[str]:
        """The table."""
        width = max((len(name) for name, _ in self._lines), default=0)
        for name, found in self._lines:
            yield f"{name:{width}}  {found}"
