"""The `corsguard` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> None:
    """Run the command with args, or with those of the process. Ends with SystemExit."""
    try:
        import click  # noqa: F401  # the commands import it: this only checks that it is installed
        import rich  # noqa: F401
    except ImportError as error:
        sys.exit(_report_missing(error))
    from corsguard.cli.commands import group

    try:
        try:
            group(args, prog_name="corsguard")
        finally:
            print(end="", flush=True)  # noqa: T201  # without an output, this does nothing
    except OSError as error:  # such as a full disk
        # Else the rest of the buffer would be written at the exit, and fail again.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        print(f"corsguard: can't write the output: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _report_missing(error: ImportError) -> int:
    message = f'corsguard: {error}; the command line needs: pip install "corsguard[cli]"'
    print(message, file=sys.stderr)  # noqa: T201  # click may be missing
    return 2
