"""A network that can be dropped: a proxy on TCP that stops forwarding, and closes nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread


class StallingProxy:
    """A port of this machine behind which is the socket of a server in a folder."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._is_up = Event()
        self._is_up.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listening]
        self._threads: list[Thread] = []
        self.port: int = self._listening.getsockname()[1]

    def drop(self) -> None:
        """Forward nothing from now on. Connections are accepted, and those there are stay open."""
        self._is_up.clear()

    def restore(self) -> None:
        """Forward again, also what has been sent meanwhile."""
        self._is_up.set()

    @contextmanager
    def running(self) -> Iterator[StallingProxy]:
        """Forward until the block ends."""
        self._start(self._accept)
        try:
            yield self
        finally:
            self._is_up.set()
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)  # which wakes the thread that reads from it
            for thread in self._threads:
                thread.join()
            for each in self._sockets:
                each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                outer, _ = self._listening.accept()
                self._sockets.append(outer)
                self._start(self._connect, outer)

    def _connect(self, outer: socket.socket) -> None:
        self._is_up.wait()
        inner = socket.socket(socket.AF_UNIX)
        self._sockets.append(inner)
        with suppress(OSError):
            inner.connect(str(self._target))
            self._start(self._forward, inner, outer)
            self._forward(outer, inner)
            return
        outer.close()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65_536):
                self._is_up.wait()
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)

    def _start(self, run: object, *arguments: object) -> None:
        thread = Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
