"""An application for `gunicorn --preload`: a thread of the parent replaces its policies.

Each request has the worker replace them too, which takes the lock that the thread holds most of
the time, and which a fork would copy as held.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from threading import Event, Thread
from typing import TYPE_CHECKING

from corsguard import Guard, Policy
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

OLD, NEW = Policy(allow_origins=["https://old.example"]), Policy(allow_origins=["*"])
guard = Guard(OLD)
started = Event()


def update() -> None:
    number = 0
    while True:
        number += 1
        guard.reconfigure({f"/{number}": OLD, "/": OLD})
        guard.decide("/", f"https://n{number}.example", "GET", {})
        started.set()


def reconfigure(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    guard.reconfigure(NEW)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


Thread(target=update, daemon=True).start()
started.wait()
app = CORSMiddleware(reconfigure, guard)
