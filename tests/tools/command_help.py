"""The `--help` of each command in docs/cli.md: `python -m tools.command_help` writes it anew."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from support.doc_pages import DOCS

__all__ = ["PAGE", "refresh"]

PAGE = DOCS / "cli.md"
_HELP = re.compile(
    r"(?<=^```text\n)Usage: corsguard( [a-z-]+)? \[OPTIONS\].*?(?=^```$)", re.MULTILINE | re.DOTALL
)


def main() -> None:
    """Replace what the page has."""
    PAGE.write_text(refresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def refresh(page: str) -> str:
    """Return a page with what each command prints now, in the blocks that begin with its usage."""
    return _HELP.sub(lambda block: _read_help(block[1]), page)


def _read_help(command: str | None) -> str:
    words = [command.strip()] if command else []
    run = subprocess.run(
        [sys.executable, "-m", "corsguard", *words, "--help"],
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return run.stdout


if __name__ == "__main__":
    main()
