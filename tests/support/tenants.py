"""The application of docs/multi-tenant.md, with its database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from support.doc_pages import read_blocks


def write_application(folder: Path) -> None:
    """Write the page's main.py and tenants.db."""
    [script] = read_blocks("multi-tenant", "sql")
    with closing(sqlite3.connect(folder / "tenants.db")) as database:
        database.executescript(script.code)
    [module] = [block.code for block in read_blocks("multi-tenant") if block.file == "main.py"]
    (folder / "main.py").write_text(module)


def run_application() -> dict[str, Any]:
    """Return the names of the page's main.py, whose database is in the working directory."""
    names: dict[str, Any] = {"__name__": "main"}
    [module] = [block.code for block in read_blocks("multi-tenant") if block.file == "main.py"]
    exec(compile(module, "multi-tenant.md", "exec"), names)
    return names
