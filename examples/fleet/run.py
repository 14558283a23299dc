"""See a policy change on a fleet of workers that nobody restarts. Start it with

    python examples/fleet/run.py

Each change lists another partner. The example asks every worker, over HTTP, if that partner's pages
may read its response: the table shows which worker says so, and how long after the change.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import NoReturn

from rich.console import Console
from rich.live import Live
from rich.table import Table
from store import FileTarget, StoreTarget, Target, start_redis

from corsguard.sources import SourceError

WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 30.0
"""Seconds in which every worker must follow a change."""
INTERVAL = 0.2
"""Seconds between two looks at the workers while nothing changes."""
DOCUMENT = """\
# Change {number} of the example
allow_origins = ["https://app.example", {{ set = "partners" }}]

[origin_sets]
partners = '''
{partner}
'''
"""


@dataclass
class Worker:
    """A worker, and what it answered last."""

    kind: str
    process: subprocess.Popen[str]
    port: int
    version: str = "-"
    error: str = ""
    seconds: float | None = None
    """How long after the change its responses followed it; None if they don't yet."""

    def ask(self, partner: str, changed_at: float) -> None:
        """Send a request as a page of a partner does, and note what the response says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/", headers={"Origin": partner})
            response = connection.getresponse()
            found = json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            self.error = f"does not respond: {error}"
            return
        finally:
            connection.close()
        self.version, self.error = found["version"], found["error"]
        is_allowed = response.getheader("Access-Control-Allow-Origin") == partner
        if is_allowed and self.seconds is None:
            self.seconds = time.perf_counter() - changed_at


@contextmanager
def start_worker(kind: str, url: str, last_good: Path) -> Iterator[Worker]:
    """Run a worker until the end of the block. Raises SourceError if it does not start."""
    command = [sys.executable, str(WORKER), kind, url, "--last-good", str(last_good)]
    log = last_good.with_suffix(".log")
    # In a session of its own, so that Ctrl+C reaches this program alone, which ends the workers.
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            start_new_session=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            port = process.stdout.readline()
            if not port:
                lines = log.read_text(encoding="utf-8").splitlines() or ["no reason given"]
                raise SourceError(f"a worker does not start: {lines[-1]}")
            yield Worker(kind, process, int(port))
        finally:
            process.terminate()


def build_table(workers: Sequence[Worker], partner: str) -> Table:
    """Return the table of the workers."""
    table = Table(title=f"pages of {partner}")
    for heading in ("worker", "process", "version", "allowed after", "problem"):
        table.add_column(heading)
    for worker in workers:
        after = "not yet" if worker.seconds is None else f"{1_000 * worker.seconds:.0f} ms"
        style = "yellow" if worker.seconds is None else "green"
        row = (worker.kind.upper(), str(worker.process.pid), worker.version)
        table.add_row(*row, f"[{style}]{after}[/]", worker.error)
    return table


class Fleet:
    """The workers, the policy that they follow, and the table that shows them."""

    def __init__(self, target: Target, workers: Sequence[Worker], live: Live) -> None:
        self.target = target
        self.workers = workers
        self._live = live
        self._partner = ""
        self._changed_at = 0.0

    def change(self, number: int) -> None:
        """Publish another partner, and wait until every worker allows it. Raises SourceError."""
        partner = f"https://partner-{number}.example"
        version = self.target.publish(DOCUMENT.format(number=number, partner=partner))
        self._partner, self._changed_at = partner, time.perf_counter()
        for worker in self.workers:
            worker.seconds = None
        while not all(worker.seconds for worker in self.workers):
            self.show()
            if time.perf_counter() - self._changed_at > PATIENCE:
                raise SourceError(f"version {version} is not on every worker")
        slowest = max(worker.seconds or 0.0 for worker in self.workers)
        self.print(
            f"version {version} is on all {len(self.workers)} workers after "
            f"{1_000 * slowest:.0f} ms"
        )

    def show(self) -> None:
        """Ask every worker, and show what they answer."""
        for worker in self.workers:
            worker.ask(self._partner, self._changed_at)
        self._live.update(build_table(self.workers, self._partner), refresh=True)

    def print(self, text: str) -> None:
        """Write a line above the table."""
        self._live.console.print(text, highlight=False, markup=False)

    def wait(self, seconds: float, pressed: Event) -> None:
        """Show the workers until it is time for another change, or a key is pressed."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not pressed.wait(min(left, INTERVAL)):
            self.show()
        pressed.clear()


def wait_for_key(pressed: Event) -> None:
    """Set an event whenever Enter is pressed."""
    for _ in sys.stdin:
        pressed.set()


def run(args: argparse.Namespace, stack: ExitStack) -> None:
    """Start the workers, and publish changes until there were enough, or for ever."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="corsguard-fleet-")))
    url = stack.enter_context(start_redis(folder)) if args.start_redis else args.redis
    target: Target = FileTarget(folder / "corsguard.toml")
    if url:
        # A policy of its own, which does not touch yours.
        target = StoreTarget(f"{url}{'&' if '?' in url else '?'}policy=fleet-example")
    target.publish(DOCUMENT.format(number=0, partner="https://partner-0.example"))
    console = Console()
    console.print(f"The workers follow {url or target.url}. End with Ctrl+C.", highlight=False)
    workers = [
        stack.enter_context(start_worker(kind, target.url, folder / f"{index}.last"))
        for index, kind in enumerate([*["wsgi"] * args.workers, "asgi"])
    ]
    pressed = Event()
    if sys.stdin.isatty():
        console.print("Press Enter for a change at once.")
        Thread(target=wait_for_key, args=(pressed,), daemon=True).start()
    if not console.is_terminal:
        stack.callback(console.print)  # the end of the last line of the table
    live = stack.enter_context(Live(console=console, auto_refresh=False))
    fleet = Fleet(target, workers, live)
    number = 0
    while not args.changes or number < args.changes:
        try:
            fleet.change(number + 1)
        except SourceError as error:
            if number == 0:
                raise
            fleet.print(f"no change: {error}")
        else:
            number += 1
        if number != args.changes:
            fleet.wait(args.every, pressed)


def end(*_: object) -> NoReturn:
    """End as Ctrl+C does."""
    raise KeyboardInterrupt


def main() -> None:
    """Run the example until Ctrl+C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4, help="of WSGI; one of ASGI is added")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two changes")
    parser.add_argument("--changes", type=int, default=0, help="end after so many changes")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--redis", metavar="URL", help="follow a Redis, not a file")
    where.add_argument("--start-redis", action="store_true", help="start a Redis, and follow it")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, end)
    try:
        with ExitStack() as stack:
            run(args, stack)
    except KeyboardInterrupt:
        pass
    except (SourceError, OSError) as error:
        sys.exit(f"run.py: {error}")


if __name__ == "__main__":
    main()
