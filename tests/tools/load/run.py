"""Servers under load while their policies are replaced ten times a second: `tox -e load`.

python tests/tools/load/run.py [--seconds 60] [--refused 1000000] [--json FILE] [SERVED ...]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tools.load.clients import PATIENCE, Tally, drive  # noqa: E402
from tools.load.policies import NUMBERS  # noqa: E402
from tools.load.refusals import RefusalCost, refuse_origins  # noqa: E402  # found through the line above

WORKERS = 2
SERVERS = {
    "wsgi": "gunicorn",
    "flask": "gunicorn",
    "django": "gunicorn",
    "asgi": "uvicorn",
    "fastapi": "uvicorn",
}
"""What is served, each by which server."""
MOST_GROWTH = 0.05
BROKEN = "BrokenError"
"""What the application itself raises, and the only error that belongs in the log."""
ERROR = re.compile(r"^(?:[\w.]+\.)?\w*(?:Error|Exception|Exit)\b.*", re.MULTILINE)


class Result(NamedTuple):
    """The result of one application under load."""

    served: str
    server: str
    requests: dict[str, int]
    faults: dict[str, int]
    growth: list[float]
    """Of each worker's memory: 0.01 for one per cent."""
    examples: list[str]


def main() -> int:
    """Serve and ask, one application after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("served", nargs="*", metavar="SERVERS", help=f"of {', '.join(SERVERS)}")
    parser.add_argument("--seconds", type=float, default=60, help="for each application")
    parser.add_argument("--refused", type=int, default=1_000_000, help="origins, for the log")
    parser.add_argument("--seed", type=int, default=20_200)
    parser.add_argument("--json", type=Path, help="the counts")
    given = parser.parse_args()
    names = given.served or list(SERVERS)
    logging.getLogger("corsguard").addHandler(logging.NullHandler())  # that of the client
    results = [under_load(name, given.seconds, given.seed) for name in names]
    left = refuse_origins(given.refused)
    faults = left.faults + sum(sum(result.faults.values()) for result in results)
    report(results, left, faults)
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        found = {
            "requests": sum(sum(result.requests.values()) for result in results),
            "faults": faults,
            "seed": given.seed,
            "served": [result._asdict() for result in results],
            "log": {**left._asdict(), "faults": left.faults},
        }
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return int(faults > 0)


def under_load(name: str, seconds: float, seed: int) -> Result:
    """Ask one application for some seconds."""
    server = SERVERS[name]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        with serving(server, name, log.fileno()) as port:
            tally, growth = asyncio.run(drive(port, seconds, seed))
        log.seek(0)
        check_run(tally, growth, log.read())
    return Result(name, server, dict(tally.requests), dict(tally.faults), growth, tally.examples)


def check_run(tally: Tally, growth: Sequence[float], log: str) -> None:
    """Add what shows only in the end: memory, workers that died, and errors in the log."""
    for each in growth:
        if each > MOST_GROWTH:
            tally.fault("memory", each)
    if len(tally.workers) != WORKERS or len(growth) != WORKERS:
        tally.fault("workers", tally.workers)
    if len(tally.policies) != len(NUMBERS):
        tally.fault("not reconfigured", tally.policies)
    if BROKEN not in log:
        tally.fault("no error in the log", log[-1_000:])
    for error in ERROR.findall(log):
        if BROKEN not in error:
            tally.fault("error in the log", error)


@contextmanager
def serving(server: str, name: str, log: int) -> Iterator[int]:
    """Yield the port of a server, which accepts connections before it is up."""
    path = os.pathsep.join(filter(None, [str(HERE.parents[1]), os.environ.get("PYTHONPATH")]))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # Connections inherit it, and servers set none on what they are handed: without it, an
        # answer in two pieces takes 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port, number = listening.getsockname()[1], listening.fileno()
        # A connection that it closes after a pause of the machine would count as no answer.
        idle = f"{2 * PATIENCE:.0f}"
        arguments = {
            "gunicorn": [
                *("--bind", f"fd://{number}", "--threads", "4", "--keep-alive", idle),
                f"tools.load.applications:{name}()",
            ],
            "uvicorn": [
                *("--fd", str(number), "--no-access-log", "--timeout-keep-alive", idle),
                *("--factory", f"tools.load.applications:{name}"),
            ],
        }
        process = subprocess.Popen(
            [sys.executable, "-m", server, "--workers", str(WORKERS), *arguments[server]],
            env={**os.environ, "PYTHONPATH": path},
            pass_fds=[number],
            stdout=log,
            stderr=log,
        )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(60)


def report(results: Sequence[Result], left: RefusalCost, faults: int) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for result in results:
        for example in result.examples:
            console.print(result.served, example, markup=False, highlight=False, soft_wrap=True)
    table = Table(title="Under load, reconfigured 10 times a second")
    table.add_column("")
    for result in results:
        table.add_column(f"{result.served}\n{result.server}", justify="right")
    for kind in dict.fromkeys(kind for result in results for kind in result.requests):
        table.add_row(kind, *(f"{result.requests.get(kind, 0):,}" for result in results))
    table.add_section()
    table.add_row("requests", *(f"{sum(result.requests.values()):,}" for result in results))
    growth = ["\n".join(f"{each:+.1%}" for each in result.growth) for result in results]
    table.add_row("memory", *growth)
    table.add_row("faults", *(str(sum(result.faults.values())) for result in results))
    console.print(table)
    console.print(
        f"{left.refused:,} origins refused: {left.lines} lines in the log, "
        f"{left.growth:+.1%} of memory once it was full; {faults} faults in all"
    )


if __name__ == "__main__":
    sys.exit(main())
