"""What `explain` plays on a policy is what `probe` sees of that policy over a socket."""

from __future__ import annotations

import random
import warnings
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from support.audit.serving import wsgi
from support.cli_service import service

from corsguard import Guard, Policy, PolicyError, PolicyWarning
from corsguard.browser import Browser, Cookie, Exchange, Request
from corsguard.browser.engine_quirks import ENGINES
from corsguard.cli.client import Client, Limits
from corsguard.explain.policy_server import build_policy_server
from corsguard_wsgi import CORSMiddleware

PAIRS = 1_000
SEED = 20_261_121

ORIGINS = [
    "https://app.example.com",
    "https://*.example.com",
    "http://localhost:3000",
    "http://localhost:*",
    "https://shop.example:8443",
]
PAGES = [
    *("https://app.example.com", "https://shop.example:8443", "https://evil.example", "null"),
    *("http://localhost:3000", "http://localhost:5173", "https://www.app.example.com"),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "patch", "DELETE", "OPTIONS", "REPORT"]
HEADERS = [
    ("Content-Type", "application/json"),
    ("Content-Type", "text/plain"),
    ("Accept", "text/html"),
    ("Accept", "x" * 129),
    ("Authorization", "Bearer abc"),
    ("X-Trace", "1"),
    ("Range", "bytes=0-9"),
    ("X-Two", "two"),
]
PATHS = ["/", "/items", "/items/1?full", "/admin/users", "/items//1", "/a%20b"]


def drawn_policy(draw: random.Random) -> Policy:
    """A policy that starts."""
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PolicyWarning)
                return Policy(
                    allow_origins=draw.choice(
                        [["*"], ["null"], *([draw.sample(ORIGINS, draw.randint(1, 3))] * 6)]
                    ),
                    allow_credentials=draw.random() < 0.5,
                    allow_methods=draw.choice([[], ["*"], ["PUT", "DELETE"], ["PATCH"]]),
                    allow_headers=draw.choice(
                        [[], ["*"], ["*", "Authorization"], ["Content-Type"], ["X-Trace", "Accept"]]
                    ),
                    expose_headers=draw.choice([[], ["*"], ["X-Total"]]),
                    max_age=draw.choice([None, 0, 60, 7_200, 86_400]),
                    dangerously_allow_null_origin=True,
                )
        except PolicyError:
            continue


def drawn_policies(draw: random.Random) -> Any:
    policy = drawn_policy(draw)
    if draw.random() < 0.6:
        return policy
    return {"/": policy, "/admin": draw.choice([None, drawn_policy(draw)])}


def drawn_request(draw: random.Random, url: str) -> Request:
    method = draw.choice(METHODS)
    return Request(
        url + draw.choice(PATHS),
        method,
        tuple(draw.sample(HEADERS, draw.choice([0, 0, 1, 2, 3]))),
        draw.choice([None, b"{}"]) if method not in {"GET", "HEAD"} else None,
        draw.choice(["omit", "same-origin", "include"]),
        draw.choice(["cors", "cors", "cors", "no-cors", "same-origin"]),
        draw.choice(["follow", "manual", "error"]),
        upload_listener=draw.random() < 0.1,
    )


class Comparable(NamedTuple):
    """An exchange, less what a server adds by itself."""

    steps: list[object]
    wire: list[object]
    end: tuple[object, ...]


def without_server_fields(exchange: Exchange) -> Comparable:
    steps: list[object] = [
        # The last step of an answer that is read names the headers of the server, too.
        step if step.name != "read the response" else step[:3]
        for step in exchange.steps
    ]
    wire: list[object] = [
        (hop.purpose, hop.sent, hop.answer and hop.answer.status, hop.answer and own(hop.answer[1]))
        for hop in exchange.hops
    ]
    response = exchange.response
    seen = response and (
        response.type,
        response.url,
        response.status,
        own(tuple(response.headers.items())),
    )
    return Comparable(steps, wire, (exchange.refusal, exchange.console, exchange.caveats, seen))


def own(fields: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """What of the fields is corsguard's."""
    return sorted(
        (name.lower(), value)
        for name, value in fields
        if name.lower() == "vary" or name.lower().startswith("access-control-")
    )


@pytest.mark.slow
def test_exchange_is_the_same_offline_and_over_a_socket() -> None:
    draw = random.Random(SEED)
    allowed = 0
    guards = [Guard({"/": None}), Guard({"/": None}, enforce=True)]
    limits = Limits(per_second=1e9, requests=10 * PAIRS)
    with ExitStack() as stack:
        urls = [
            stack.enter_context(wsgi(CORSMiddleware(service, guard))).removesuffix("/v1/items")
            for guard in guards
        ]
        clients = [stack.enter_context(Client(url, limits=limits, methods=METHODS)) for url in urls]
        for number in range(PAIRS):
            at = draw.choice([0, 0, 1])
            url = urls[at]
            try:
                guards[at].reconfigure(drawn_policies(draw))
            except PolicyError:  # what may not be enforced
                guards[at].reconfigure(Policy(allow_origins=["https://app.example.com"]))
            page = draw.choice([*PAGES, "https://app.example.com", url])
            engine = draw.choice(list(ENGINES))
            cookies = [Cookie("session", "abc", "127.0.0.1")] if draw.random() < 0.5 else []
            requests = [drawn_request(draw, url) for _ in range(draw.randint(1, 3))]
            offline = Browser(page, engine=engine, cookies=cookies, clock=lambda: 0.0)
            live = Browser(page, engine=engine, cookies=cookies, clock=lambda: 0.0)
            for request in requests:
                played = offline.play(request, build_policy_server(guards[at]))
                probed = live.play(request, clients[at].send)
                pair = f"pair {number} of seed {SEED}: {request}"
                assert without_server_fields(probed) == without_server_fields(played), pair
                allowed += played.allowed
    assert allowed > PAIRS // 4
