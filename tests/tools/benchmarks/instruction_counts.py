"""The instructions of a request, counted by callgrind: a number that noise does not move.

Another build of the same Python runs other instructions, some tenth more or fewer. What stays is
how many a request takes for each one of the floor in the same run. That is compared: within 3 % on
the build that the baseline is from, and within 8 % on another, where builds differ by up to 5 %.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tools.benchmarks import counted_requests
from tools.benchmarks.counted_requests import FLOOR, MARK, REQUESTS
from tools.benchmarks.tables import Goal, Table

BASELINE = Path(__file__).with_name("instruction_counts.json")
NO_VALGRIND = "instructions are not counted: valgrind is missing (apt-get install valgrind)"

_SAME_BUILD, _OTHER_BUILD = 1.03, 1.08


class InstructionCounts(NamedTuple):
    """What a Python runs for each kind of request."""

    python: str
    """The implementation, its version and the machine: `CPython 3.11 x86_64`."""
    build: str
    counts: dict[str, int]
    """Kind of request -> instructions of one, those of the application included."""

    def against_floor(self, request: str) -> float:
        """Return how many instructions a request takes for each one of its stack's floor."""
        stack, _, _ = request.partition(",")
        return self.counts[request] / self.counts[f"{stack}, {FLOOR}"]

    def list_requests(self) -> list[str]:
        return [request for request in self.counts if not request.endswith(f", {FLOOR}")]


def count() -> InstructionCounts | None:
    """Count the instructions of each kind of request; None without valgrind.

    Raises RuntimeError, with what valgrind wrote, if it fails.
    """
    if shutil.which("valgrind") is None:
        return None
    with TemporaryDirectory() as folder:
        path = Path(folder) / "counts"
        command = (
            *("valgrind", "--quiet", "--tool=callgrind", f"--dump-before={MARK}"),
            *(f"--callgrind-out-file={path}", sys.executable, "-m", counted_requests.__name__),
        )
        # The order of a set's items, and so the instructions, depend on the seed of hashes.
        environ = {**os.environ, "PYTHONHASHSEED": "0"}
        ended = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
        if ended.returncode:
            raise RuntimeError(f"valgrind failed:\n{ended.stderr}")
        # The first count is that of the start, before the first mark.
        totals = [
            read_total(Path(f"{path}.{number}").read_text(encoding="utf-8"))
            for number in range(2, 2 + len(ended.stdout.splitlines()))
        ]
    counts = {
        name: round(total / REQUESTS)
        for name, total in zip(ended.stdout.splitlines(), totals, strict=True)
    }
    return InstructionCounts(_describe_python(), _describe_build(), counts)


def read_total(dump: str) -> int:
    """Return the instructions of one dump of callgrind."""
    for line in dump.splitlines():
        if line.startswith("totals:"):
            return int(line.removeprefix("totals:"))
    raise ValueError("no totals in what callgrind wrote")


def read_baseline(python: str, path: Path = BASELINE) -> InstructionCounts | None:
    """Return the counts that the repository has of a Python, None if it has none."""
    kept = _read(path).get(python)
    return None if kept is None else InstructionCounts(python, kept["build"], kept["counts"])


def write_baseline(counts: InstructionCounts, path: Path = BASELINE) -> None:
    """Replace the counts that the repository has of this Python."""
    kept = {**_read(path), counts.python: {"build": counts.build, "counts": counts.counts}}
    path.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def compare(counts: InstructionCounts, baseline: InstructionCounts) -> Iterator[Goal]:
    """Yield for each kind of request what it takes now against the baseline."""
    most = _SAME_BUILD if counts.build == baseline.build else _OTHER_BUILD
    for request in counts.list_requests():
        if request in baseline.counts:
            ratio = counts.against_floor(request) / baseline.against_floor(request)
            yield Goal.at_most(
                f"instructions, {request}: against the baseline", ratio, most, "times"
            )


def instruction_table(counts: InstructionCounts) -> Table:
    return Table(
        "Instructions of a request",
        ("request", "instructions", "against the floor"),
        [
            (
                request,
                f"{instructions:,}",
                "" if request.endswith(FLOOR) else f"{counts.against_floor(request):.2f}",
            )
            for request, instructions in counts.counts.items()
        ],
        labels=1,
        notes=(
            "Counted by callgrind, the application's own included. "
            "`tox -e bench -- --short` compares them with "
            "`tests/tools/benchmarks/instruction_counts.json`",
        ),
    )


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _describe_python() -> str:
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{platform.python_implementation()} {version} {platform.machine()}"


def _describe_build() -> str:
    return " ".join(sys.version.split())
