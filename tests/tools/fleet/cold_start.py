"""The start of a worker from `last_good` with 1,000,000 origins, while its store is down."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import NamedTuple

from support.fleet_apps import FleetSettings
from support.fleet_probe import connect_to_each
from support.fleet_workers import UVICORN, serve
from tools.fleet.documents import build_large, build_small, list_partners

from corsguard.sources import Document
from corsguard.sources.last_good import LastGood

_NOBODY = "redis://127.0.0.1:9/0"
"""A store that refuses connections."""


class ColdStart(NamedTuple):
    """Seconds and bytes of one worker of uvicorn."""

    origins: int
    seconds: float
    """From the start of the process to its first response."""
    seconds_of_one_origin: float
    """The same with a policy of one origin: what the server itself takes."""
    resident: int
    resident_of_one_origin: int
    peak: int
    """The most memory at any time since the start."""


def measure(count: int, folder: Path) -> ColdStart:
    """Start a worker with one origin, and one with so many."""
    folder.mkdir(parents=True)
    small, small_resident, _ = _start(build_small(0), folder / "small")
    large, resident, peak = _start(build_large(list_partners(count, "p")), folder / "large")
    return ColdStart(count, large, small, resident, small_resident, peak)


def _start(text: str, last_good: Path) -> tuple[float, int, int]:
    """Return the seconds to the first response, the memory then, and the most before."""
    LastGood(last_good).store(Document("1", text))
    settings = FleetSettings(_NOBODY, str(last_good))
    begin = monotonic()
    with serve(UVICORN, 1, settings, last_good.with_suffix(".log")) as server:
        [connection] = connect_to_each(server.port, 1)
        seconds = monotonic() - begin
        connection.close()
        status = Path(f"/proc/{connection.pid}/status").read_text(encoding="ascii")
        sizes = dict(line.split(":", 1) for line in status.splitlines())
        resident, peak = (int(sizes[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
        return seconds, resident, peak
