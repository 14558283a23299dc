"""The cost of a request to a guard that follows a source, beside one that follows nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from time import thread_time
from typing import NamedTuple

from tools.fleet.documents import build_small, name_origin

from corsguard import Guard
from corsguard_wsgi import CORSMiddleware

_BATCH = 2_000


class RequestPath(NamedTuple):
    """Microseconds of a request through the WSGI middleware, the medians of interleaved rounds."""

    following: float
    alone: float
    ratio: float
    """The median of the ratio in each round."""


def measure(rounds: int, folder: Path) -> RequestPath:
    """Time an allowed request on both, in turn."""
    folder.mkdir(parents=True)
    path = folder / "corsguard.toml"
    path.write_text(build_small(0), encoding="utf-8")
    following = Guard({})
    following.follow(str(path))
    alone = Guard(following.policies)
    apps = [CORSMiddleware(_respond, guard) for guard in (following, alone)]
    try:
        times = [[_time(app) for app in apps] for _ in range(rounds)]
    finally:
        following.unfollow()
    # The first rounds fill caches.
    counted = times[len(times) // 10 :]
    return RequestPath(
        median(each[0] for each in counted) * 1e6,
        median(each[1] for each in counted) * 1e6,
        median(each[0] / each[1] for each in counted),
    )


def _time(app: Callable[..., Iterable[bytes]]) -> float:
    environs = [
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_ORIGIN": name_origin(0)}
        for _ in range(_BATCH)
    ]
    begin = thread_time()
    for environ in environs:
        app(environ, _ignore)
    return (thread_time() - begin) / _BATCH


def _respond(environ: object, start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ()


def _ignore(*arguments: object) -> None:
    """Start a response that nobody reads."""
