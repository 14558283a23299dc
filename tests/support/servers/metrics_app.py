"""An application with metrics for `gunicorn --preload`, each worker of which is scraped."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from corsguard import Guard, Policy
from corsguard.metrics import PrometheusMetrics
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def say_pid(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    time.sleep(0.01)  # so that the other worker accepts the next request
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


guard = Guard(Policy(allow_origins=["https://app.example"]))
PrometheusMetrics(guard)
guard.decide("/", "https://preloaded.example", "GET", {})  # counted in the parent alone
app = CORSMiddleware(say_pid, guard)
