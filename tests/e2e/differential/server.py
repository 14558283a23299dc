"""Servers on three loopback ports that answer each case by its script, and note what arrives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from e2e.differential.cases import Case, Hop, Lines, Reply, Sites, Wire

from corsguard import Engine

PAGES = {
    "/": ("text/html; charset=utf-8", b'<!doctype html><title>cases</title><script src="/page.js"></script><body>'),
    "/page.js": ("text/javascript", Path(__file__).with_name("page.js").read_bytes()),
}
WITHOUT_BODY = {204, 304}


class Play:
    """The cases that are being played, and what arrived for each."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.cases: list[Case] = []
        self.arrived: defaultdict[int, list[Wire]] = defaultdict(list)

    def take(self, cases: Sequence[Case]) -> range:
        """Play cases from now on; their numbers."""
        first = len(self.cases)
        self.cases.extend(cases)
        return range(first, len(self.cases))

    def url(self, number: int, hop: int) -> str:
        hops = self.cases[number].hops
        site: str = getattr(self.sites, hops[min(hop, len(hops) - 1)].site)
        return f"{site}/case/{number}/{hop}"

    def answer(self, number: int, hop: int, wire: Wire) -> Reply:
        """The answer to a request; hops beyond the last are answered as it is."""
        self.arrived[number].append(wire)
        hops = self.cases[number].hops
        reply = self._reply(hops[min(hop, len(hops) - 1)], wire)
        headers = tuple(
            (name, self._fill(value, number, hop)) for name, value in reply.headers
        )
        return Reply(reply.status, headers, reply.body)

    def _fill(self, value: str, number: int, hop: int) -> str:
        following = self.url(number, hop + 1)
        userinfo = following.replace("://", "://user:secret@")
        filled = value.replace("{next}", following).replace("{next-with-userinfo}", userinfo)
        return self.sites.fill(filled)

    def _reply(self, hop: Hop, wire: Wire) -> Reply:
        if hop.policy is None:
            if wire.is_preflight and hop.preflight is not None:
                return hop.preflight
            return hop.actual
        asked = {name: wire.header(name) or "" for name, _ in wire.headers}
        credentials = "cookie" in asked
        decision = Engine(hop.policy).decide(asked.get("origin"), wire.method, asked, credentials)
        if decision.status is not None:
            return Reply(decision.status, decision.headers, "")
        actual = hop.actual
        return Reply(actual.status, actual.headers + decision.headers, actual.body)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Site

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The method of a request may be any token.
        if name.startswith("do_"):
            return self.respond
        raise AttributeError(name)

    def respond(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self.path.split("/")[1:]:
            case ["case", number, hop]:
                fields = tuple((name.lower(), value) for name, value in self.headers.items())
                wire = Wire(int(hop), self.command, fields)
                reply = self.server.play.answer(int(number), int(hop), wire)
            case _ if self.path in PAGES:
                kind, page = PAGES[self.path]
                reply = Reply(200, (("Content-Type", kind),), page.decode())
            case _:
                reply = Reply(404)
        self.send(reply.status, reply.headers, reply.body.encode())

    def send(self, status: int, headers: Lines, body: bytes) -> None:
        self.send_response_only(status)
        # The HTTP cache is another matter.
        self.send_header("Cache-Control", "no-store")
        for name, value in headers:
            self.send_header(name, value)
        if status not in WITHOUT_BODY:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in WITHOUT_BODY:
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Site(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    play: Play

    def handle_error(self, *_args: object) -> None:
        """A browser may hang up."""


@contextmanager
def playing() -> Iterator[Play]:
    """Three servers, which play the cases that they are given, until the end of the block."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Site(("127.0.0.1", 0), Handler)) for _ in Sites._fields]
        hosts = ("localhost", "localhost", "127.0.0.1")
        origins = [
            f"http://{host}:{server.server_port}"
            for host, server in zip(hosts, servers, strict=True)
        ]
        play = Play(Sites(*origins))
        for server in servers:
            server.play = play
            Thread(target=server.serve_forever, args=(0.1,)).start()
            stack.callback(server.shutdown)
        yield play
