"""Servers on three loopback ports that answer each case by its script, and note what arrives."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from support.e2e.differential.cases import Sites
from support.e2e.differential.run import Run

from corsguard.browser.messages import Answer, Sent

HTML = b'<!doctype html><title>cases</title><script src="/page.js"></script><body>'
FILES = {
    "/": ("text/html; charset=utf-8", HTML),
    "/page.js": ("text/javascript", Path(__file__).with_name("page.js").read_bytes()),
}


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
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self.path.split("/")[1:]:
            case ["case", number, hop] if number.isdecimal() and hop.isdecimal():
                url = f"http://{self.headers['Host']}{self.path}"
                sent = Sent(self.command, url, tuple(self.headers.items()), body or None)
                self.send(self.server.run.receive(int(number), int(hop), sent))
            case _ if self.path in FILES:
                kind, content = FILES[self.path]
                length = str(len(content))
                self.send(
                    Answer(200, (("Content-Type", kind), ("Content-Length", length)), content)
                )
            case _:
                self.send(Answer(404, (("Content-Length", "0"),)))

    def send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Site(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    run: Run

    def handle_error(self, *_args: object) -> None:
        """Ignore that a browser hangs up."""


@contextmanager
def serve_run() -> Iterator[Run]:
    """Serve a run on three ports until the end of the block."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Site(("127.0.0.1", 0), Handler)) for _ in range(3)]
        # Bound, but not listening.
        closed = stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))
        hosts = ("localhost", "localhost", "127.0.0.1", "localhost")
        ports = [*(server.server_port for server in servers), closed.getsockname()[1]]
        run = Run(
            Sites(*(f"http://{host}:{port}" for host, port in zip(hosts, ports, strict=True)))
        )
        for server in servers:
            server.run = run
            Thread(target=server.serve_forever, args=(0.1,)).start()
            stack.callback(server.shutdown)
        yield run
