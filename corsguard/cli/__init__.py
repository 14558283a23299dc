"""The `corsguard` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> None:
    """Run the command with args, else with those of the process; ends in SystemExit."""
    try:
        import click  # noqa: F401  # only whether it is there: the commands import it again
        import rich  # noqa: F401
    except ImportError as error:
        sys.exit(_missing(error))
    from corsguard.cli.commands import group

    try:
        try:
            group(args, prog_name="corsguard")
        finally:
            print(end="", flush=True)  # noqa: T201  # which does nothing where there is no output
    except OSError as error:  # such as a full disk
        # What is left would be written at the exit, once more.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        print(f"corsguard: nothing can be written: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _missing(error: ImportError) -> int:
    message = f'corsguard: {error}; the command line needs: pip install "corsguard[cli]"'
    print(message, file=sys.stderr)  # noqa: T201  # click, which would say it, may be missing
    return 2
