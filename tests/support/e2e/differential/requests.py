"""Requests of a script, drawn at random."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from support.e2e.differential.cases import FIRST

from corsguard.browser.messages import Credentials, Fields, Request

SAFELISTED = ["GET", "HEAD", "POST"]
UNSAFE = [
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "put",
    "patch",
    "Delete",
    "CHICKEN",
    "!#$%&'*+-.^_`|~",
]
WITHOUT_BODY = {"GET", "HEAD"}
CREDENTIALS: list[Credentials] = ["omit", "same-origin", "include"]
SAFE_HEADERS = [
    ("Accept", "text/html, */*;q=0.5"),
    ("Accept", "a" * 128),
    ("Accept-Language", "de, en;q=0.5"),
    ("Content-Language", "de"),
    ("Content-Type", "text/plain;charset=utf-8"),
    ("Content-Type", "TEXT/PLAIN"),
    ("Content-Type", "multipart/form-data; boundary=x"),
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Range", "bytes=0-10"),
    ("Range", "bytes=7-"),
    # Forbidden: the browser leaves them out.
    ("Host", "example.com"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Proxy-Authorization", "x"),
    ("X-HTTP-Method-Override", "PUT, trace"),
]
UNSAFE_HEADERS = [
    ("X-A", "1"),
    ("X-B", "2"),
    ("x-c", "three"),
    ("Authorization", "Bearer x"),
    ("X-Requested-With", "XMLHttpRequest"),
    ("X-HTTP-Method-Override", "PUT"),
    ("If-None-Match", '"1"'),
    ("Cache-Control", "no-cache"),
    ("Content-Type", "application/json"),
    ("Content-Type", "text/plain, text/plain"),
    ("Content-Type", "text/plain; charset=<x>"),
    ("Accept", "a" * 129),
    ("Accept", "a:b"),
    ("Accept-Language", "de_AT"),
    ("Content-Language", 'de"'),
    ("Range", "bytes=-10"),
    ("Range", "bytes=10-5"),
    ("Range", "bytes=0-1, 3-4"),
]


def draw_requests(random: Random) -> tuple[Request, ...]:
    """Draw one request, or several, which show what the preflight cache keeps."""
    if random.random() < 0.1:
        return (draw_upload_request(random),) * random.choice([1, 2])
    several = [draw_request(random) for _ in range(random.choice([1, 1, 2, 3]))]
    if random.random() < 0.2:
        several.append(several[0])
    return tuple(several)


def draw_request(random: Random) -> Request:
    """Draw a request in the default mode."""
    chosen = [random.choice(pool) for pool in random.choices(POOLS, k=random.choice(COUNTS))]
    return _build_request(random, random.choice(random.choice([SAFELISTED, UNSAFE])), chosen)


def draw_preflighted_request(random: Random) -> Request:
    """Draw a request that needs a preflight."""
    if random.random() < 0.5:
        return draw_request(random)._replace(method=random.choice(UNSAFE))
    chosen = [random.choice(UNSAFE_HEADERS), random.choice(SAFE_HEADERS)]
    return _build_request(random, random.choice(SAFELISTED), chosen)


def draw_simple_request(random: Random) -> Request:
    """Draw a request that needs no preflight."""
    chosen = [random.choice(SAFE_HEADERS) for _ in range(random.choice(COUNTS))]
    return _build_request(random, random.choice(SAFELISTED), chosen)


def draw_upload_request(random: Random) -> Request:
    """Draw an upload whose progress a script listens to."""
    return _build_request(random, "POST", [])._replace(body="text", upload_listener=True)


POOLS = [SAFE_HEADERS, UNSAFE_HEADERS]
COUNTS = [0, 0, 1, 1, 2, 3]


def _build_request(random: Random, method: str, headers: Iterable[tuple[str, str]]) -> Request:
    body = None if method in WITHOUT_BODY else random.choice([None, "text"])
    credentials = random.choice(CREDENTIALS)
    return Request(FIRST, method, _each_once(headers), body, credentials)


def _each_once(headers: Iterable[tuple[str, str]]) -> Fields:
    return tuple({name.lower(): (name, value) for name, value in headers}.values())
