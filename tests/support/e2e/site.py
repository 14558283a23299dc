"""The application that every adapter serves to real browsers, described once, in no framework."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from threading import Event
from typing import NamedTuple

PATIENCE = 20  # seconds, where something is broken
PLAIN = ("Content-Type", "text/plain; charset=utf-8")
# One transparent dot, and a typeface with one empty letter.
IMAGE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
FONT = zlib.decompress(
    base64.b64decode(
        "eNpjYGRgYOBiaGBgZlDwD9Y3cqywv8rAwKgBFE1Izk0sYOBhmALkTwDyTdJzKtMYwIDxDIjISE1M0U15IAVkrwFi"
        "swygAIMRgxCQ/QSIVTJySyoYFMDqO4AEW05+ciJU/xEQPzexogBoLxOQzwHkK+Ql5qZWODSoAPkXgHzLgvziEqA8"
        "EDDxgOQZQG4F4mtTo//G89t8Bco5gGSfqwcWItNQADYZYh0QG/z/ADYDIYIMGMEiTHA+EwM6AIYPMBRYGVgYCAMU"
        "0+2BAEg5AqEBWMCAQQBNvQKSyyB2g3wtAiQZwTQLWJYFCEF8x///IeT/Axj+YACrM4OKM8JCDGwqI9hcRhZOIAvE"
        "g7CZQOwKhgoGqK14AAAz/TKl"
    )
)


class Reply(NamedTuple):
    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[bytes, ...]
    gate: Event | None = None
    """What the chunks after the first one wait for."""

    def flow(self) -> Iterator[bytes]:
        for number, chunk in enumerate(self.chunks):
            if number and self.gate:
                self.gate.wait(PATIENCE)
            yield chunk

    async def async_flow(self) -> AsyncIterator[bytes]:
        for number, chunk in enumerate(self.chunks):
            if number and self.gate:
                await asyncio.to_thread(self.gate.wait, PATIENCE)
            yield chunk


class Site:
    """One such application, and what has reached it."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, str]] = []
        """Method and path of each request that reached the server, preflights included."""
        self.reached: list[tuple[str, str]] = []
        """Of those that reached the application behind the adapter."""
        self._gate = Event()

    @property
    def preflights(self) -> int:
        return sum(method == "OPTIONS" for method, _ in self.arrived)

    def reply(self, method: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Return the response; headers are by lower-case name."""
        self.reached.append((method, path))
        match path.split("/")[1:]:
            case ["status", status]:
                return Reply(int(status), (PLAIN,), (f"this is {status}".encode(),))
            case ["login"]:
                return Reply(204, (("Set-Cookie", "session=ada; Path=/; SameSite=Lax"),), ())
            case ["redirect"]:
                return Reply(302, (("Location", "/items"),), ())
            case ["away"]:
                where = headers["host"].replace("localhost", "127.0.0.1")
                return Reply(302, (("Location", f"http://{where}/items"),), ())
            case ["stream"]:
                self._gate.clear()
                return Reply(200, (PLAIN,), (b"one ", b"two ", b"three"), self._gate)
            case ["go"]:
                self._gate.set()
                return Reply(204, (), ())
            case [*_, "dot.gif"]:
                return Reply(200, (("Content-Type", "image/gif"),), (IMAGE,))
            case [*_, "empty.ttf"]:
                return Reply(200, (("Content-Type", "font/ttf"),), (FONT,))
        counts = (("X-Total", "3"), ("X-Hidden", "4"))
        said = f"{method} {headers.get('cookie', '')}".strip()
        return Reply(200, (PLAIN, *counts), (said.encode(),))
