"""The clients: what they ask a server for a while, and what is wrong with its answers."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from time import monotonic

import httpx
import psutil
from tools.load.policies import APP, BROKEN, EVIL, NUMBERS, PATH, Expected, LoadRequest, origin_of

HOST = "localhost"  # which the examples answer to
CLIENTS = 12
RUDE_CLIENTS = 1
PATIENCE = 30.0  # seconds for one answer
WARM_UP = 10.0  # seconds until all that is kept has been filled
SHOWN = 20  # faults of a kind that are printed in full

ASK = (("access-control-request-method", "PUT"), ("access-control-request-headers", "x-load"))
COOKIE = ("cookie", "session=1")
ORIGIN_PROBES = (
    "null",
    "",
    "https://app.example.evil.example",
    "https://app.example:443",
    "https://APP.example",
    "https://user@app.example",
    "https://app.example/",
    "https://app.example, https://app.example",
    "https://evilapp.example",
    "\u00e9" * 200,
    "https://" + "a." * 2_000 + "example",
)
PATHS = (
    b"//load",
    b"/load/../x",
    b"/load%2e",
    b"/%00",
    b"/\\load",
    b"/%c4%80%ff",
    b"/api/items",
    b"/public/items",
)
OURS_TO_ADD = {"connection", "date", "server"}
"""What servers put on any answer."""


class Tally:
    """The number of requests of each kind, and the faults."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.examples: list[str] = []
        self.workers: set[int] = set()
        self.policies: set[int] = set()
        """Those that no other could be taken for in some answer."""

    def fault(self, kind: str, *what: object) -> None:
        self.faults[kind] += 1
        if self.faults[kind] <= SHOWN:
            self.examples.append(f"{kind}: {' '.join(map(repr, what))}")


def requests(random: Random) -> Iterable[tuple[str, LoadRequest]]:
    """Yield the mix of requests, without end."""
    while True:
        number = random.choice(NUMBERS)
        origin = ("origin", random.choice([APP, origin_of(number)]))
        cookie = (COOKIE,) * random.randrange(2)
        origin_probe = random.choice(
            [*ORIGIN_PROBES, f"https://{random.getrandbits(64):x}.example"]
        )
        names = ", ".join(f"x-{each}" for each in range(random.randrange(100)))
        own = (
            ("access-control-request-method", f"METHOD-{number}"),
            ("access-control-request-headers", f"x-asked-{number}"),
        )
        yield "allowed", LoadRequest("GET", PATH, (origin, *cookie))
        yield "allowed", LoadRequest("GET", PATH, cookie)
        yield "allowed", LoadRequest("POST", PATH, (origin, *cookie))
        yield "refused", LoadRequest("GET", PATH, (("origin", EVIL), *cookie))
        yield (
            "refused",
            LoadRequest("POST", PATH, (("origin", EVIL), ("sec-fetch-site", "cross-site"))),
        )
        yield "preflight", LoadRequest("OPTIONS", PATH, (origin, *ASK))
        yield "preflight", LoadRequest("OPTIONS", PATH, (origin, *own))
        yield "preflight", LoadRequest("OPTIONS", PATH, (("origin", EVIL), *ASK))
        yield "hostile", LoadRequest("GET", PATH, (("origin", origin_probe), *cookie))
        yield "hostile", LoadRequest("OPTIONS", PATH, (("origin", origin_probe), *ASK))
        yield (
            "hostile",
            LoadRequest(
                "OPTIONS", PATH, (origin, ASK[0], ("access-control-request-headers", names))
            ),
        )
        yield "broken off", LoadRequest("GET", BROKEN, (origin,))


async def drive(port: int, seconds: float, seed: int) -> tuple[Tally, list[float]]:
    """Ask a server for some seconds; the growth of each worker's memory after the warm-up."""
    tally, expected = Tally(), Expected()
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=PATIENCE
    ) as client:
        await client.get(PATH, headers={"host": HOST})
        until = monotonic() + seconds
        polite = [
            keep_requesting(client, tally, expected, until, Random(seed + number))
            for number in range(CLIENTS)
        ]
        rude = [
            keep_being_rude(port, tally, until, Random(seed - 1 - number))
            for number in range(RUDE_CLIENTS)
        ]
        watching = asyncio.create_task(watch_memory(tally, seconds))
        await asyncio.gather(*polite, *rude)
        return tally, await watching


async def keep_requesting(
    client: httpx.AsyncClient, tally: Tally, expected: Expected, until: float, random: Random
) -> None:
    mix = iter(requests(random))
    while monotonic() < until:
        kind, request = next(mix)
        tally.requests[kind] += 1
        await safely(tally, kind, check(client, tally, expected, request))
        if random.randrange(len(PATHS)) == 0:
            tally.requests["other paths"] += 1
            await safely(tally, "other paths", check_path(client, tally, random.choice(PATHS)))


async def safely(tally: Tally, kind: str, asking: Awaitable[None]) -> None:
    """Run a check, and count a missing response as a fault."""
    try:
        await asking
    except httpx.HTTPError as error:
        tally.fault("no answer", kind, error)


async def check(
    client: httpx.AsyncClient, tally: Tally, expected: Expected, request: LoadRequest
) -> None:
    """Check that the response is wholly that of one of the policies."""
    headers = [("host", HOST), *request.headers]
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    body, complete = b"", True
    async with client.stream(request.method, request.path, headers=encoded) as answer:
        try:
            body = await answer.aread()
        except httpx.RemoteProtocolError:
            complete = False
    fields = [(name.lower(), value) for name, value in answer.headers.multi_items()]
    if complete == (request.path == BROKEN and answer.status_code == 200):
        tally.fault("not whole", request, answer.status_code)
    if answer.status_code >= 500:
        tally.fault("5xx", request, answer.status_code, body[:200])
        return
    got = sorted(each for each in fields if is_ours(each[0]))
    decisions = expected.of(request._replace(headers=(("host", HOST), *request.headers)))
    fitting = [
        number
        for number, decision in enumerate(decisions)
        if (answer.status_code, got) == (decision.status or 200, in_lower_case(decision.headers))
    ]
    if not fitting:
        tally.fault("mixed", request, answer.status_code, got)
        return
    if len(fitting) == 1:
        tally.policies.update(fitting)
    decision = decisions[fitting[0]]
    if decision.status is None:
        if request.path == PATH:
            tally.workers.add(int(body))
    elif (body, rest_of(fields)) != (decision.body, in_lower_case(decision.answer_headers)):
        tally.fault("not as decided", request, fields, body)


async def check_path(client: httpx.AsyncClient, tally: Tally, target: bytes) -> None:
    """Check that another path, however it is spelled, is served and allows no origin."""
    headers = {"host": HOST, "origin": EVIL}
    answer = await client.get("/", headers=headers, extensions={"target": target})
    if answer.status_code >= 500:
        tally.fault("5xx", target, answer.status_code, answer.content[:200])
    if answer.headers.get("access-control-allow-origin", "*") != "*":
        tally.fault("mixed", target, answer.headers)


def is_ours(name: str) -> bool:
    return name == "vary" or name.startswith("access-control-")


def in_lower_case(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted((name.lower(), value) for name, value in fields)


def rest_of(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the fields of a response without the server's own."""
    return sorted(field for field in fields if field[0] not in OURS_TO_ADD)


async def keep_being_rude(port: int, tally: Tally, until: float, random: Random) -> None:
    """Hang up, send half of a request, and send garbage, until the end."""
    head = f"GET {PATH} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: {EVIL}\r\nConnection: close\r\n"
    whole, broken = f"{head}\r\n", f"{head}\r\n".replace(PATH, BROKEN)
    upload = f"{head}Content-Length: 9\r\n\r\nhalf".replace("GET", "POST")
    control = f"{head}Access-Control-Request-Method: P\x00T\r\n\r\n"
    ways: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("half sent", lambda: hang_up(port, head[: random.randrange(1, len(head))])),
        ("half sent", lambda: hang_up(port, upload)),
        ("hung up", lambda: hang_up(port, whole)),
        ("hung up", lambda: hang_up(port, whole, reset=True)),
        ("hung up", lambda: hang_up(port, broken, reset=True)),
        ("no HTTP", lambda: send_garbage(port, tally, control)),
        ("no HTTP", lambda: send_garbage(port, tally, f"{head}Origin : {APP}\r\n\r\n")),
    ]
    while monotonic() < until:
        kind, be_rude = random.choice(ways)
        tally.requests[kind] += 1
        try:
            await asyncio.wait_for(be_rude(), PATIENCE)
        except ConnectionError:
            continue  # rude as well
        except TimeoutError:
            tally.fault("no answer", kind)


async def hang_up(port: int, text: str, *, reset: bool = False) -> None:
    """Send, and close the connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode("latin-1"))
    await writer.drain()
    if reset:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


async def send_garbage(port: int, tally: Tally, text: str) -> None:
    """Send what is no HTTP, and read what the server has to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode("latin-1"))
    line = await reader.readline()
    writer.close()
    if line[9:10] == b"5":
        tally.fault("5xx", text, line)


async def watch_memory(tally: Tally, seconds: float) -> list[float]:
    """Return the growth of each worker's memory since the warm-up: 0.01 for one per cent."""
    warm_up = min(WARM_UP, seconds / 2)
    await asyncio.sleep(warm_up)
    warm = {number: resident(number) for number in tally.workers}
    await asyncio.sleep(max(0, seconds - warm_up))
    return [resident(number) / before - 1 for number, before in warm.items()]


def resident(number: int) -> int:
    """Return the resident memory of a process, in bytes."""
    try:
        return int(psutil.Process(number).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
