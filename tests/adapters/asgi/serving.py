"""Real servers on real sockets, each in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from adapters.asgi.exchange import App
from hypercorn.asyncio import serve
from hypercorn.config import Config

Stop = Callable[[], object]
Run = Callable[[App, socket.socket], tuple[Callable[[], object], Stop]]


def by_uvicorn(app: App, listening: socket.socket) -> tuple[Callable[[], object], Stop]:
    """How to run it, and how to have it stop."""
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    return lambda: server.run(sockets=[listening]), stop


def by_hypercorn(app: App, listening: socket.socket) -> tuple[Callable[[], object], Stop]:
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.errorlog = logging.getLogger("hypercorn.tests")
    config.graceful_timeout = 1
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def main() -> None:
        served: Any = app
        await serve(served, config, shutdown_trigger=stopping.wait)

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())

    return run, lambda: loop.call_soon_threadsafe(stopping.set)


@contextmanager
def serving(by: Run, app: App) -> Iterator[str]:
    """The URL at which app answers; its socket takes connections before the server is up."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    run, stop = by(app, listening)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield url
    finally:
        stop()
        thread.join()
