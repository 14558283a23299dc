"""A simulation: 1,000 guards that follow one Redis, in a few processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event
from time import monotonic, time
from typing import Any, NamedTuple

from redis import Redis
from support.store_servers import RedisServer
from tools.fleet.documents import build_small

from corsguard import Guard
from corsguard.sources import RedisSource, Revision

_PROCESSES = 4
_POLL = 5.0
_PATIENCE = 120.0


class FollowerFigures(NamedTuple):
    """The figures of so many followers of one Redis."""

    followers: int
    poll: float
    idle_seconds: float
    connections: int
    commands_per_second: float
    """All that Redis does while nothing is published: polls, reports and signs of life."""
    polls_per_second: float
    redis_cpu_idle: float
    """The share of one core while nothing is published."""
    redis_memory: int
    """Bytes that are resident, with all connections."""
    redis_memory_empty: int
    notified: list[float]
    """Seconds of each write until the last follower is notified."""
    in_force: list[float]
    """Seconds of each write until the last follower decides by the new policy."""
    redis_cpu_per_write: float
    """Seconds of one core for a write, the notifications, and the loads that follow."""
    bytes_per_write: int
    """Bytes that Redis sends for a write."""


def measure(followers: int, writes: int, idle: float) -> FollowerFigures:
    """Start redis-server and the followers, watch them do nothing, then publish."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = RedisServer("--port", str(port), "--maxclients", "20000")
    url = f"redis://127.0.0.1:{port}"
    try:
        server.start()
        store = RedisSource(url)
        with Redis.from_url(url) as client:
            empty = _read_memory(server)
            store.publish(Revision(1, build_small(1), published_at=time()))
            context = multiprocessing.get_context("spawn")
            pipes = []
            for _ in range(_PROCESSES):
                here, there = context.Pipe()
                arguments = (url, followers // _PROCESSES, there)
                context.Process(target=_follow, args=arguments, daemon=True).start()
                pipes.append(here)
            for pipe in pipes:
                _receive(pipe)  # all its followers have started
            figures = _measure(server, client, store, pipes, writes, idle)
            for pipe in pipes:
                pipe.send(None)
        store.close()
    finally:
        server.remove()
    return FollowerFigures(followers, _POLL, idle, redis_memory_empty=empty, **figures)


def _measure(
    server: RedisServer,
    client: Redis,
    store: RedisSource,
    pipes: list[Connection],
    writes: int,
    idle: float,
) -> dict[str, Any]:
    pause = Event()
    pause.wait(2 * _POLL)  # until what the start has caused is over
    before, polls, cpu = _count(client), _count_polls(client), _read_cpu(server)
    pause.wait(idle)
    commands = (_count(client) - before) / idle
    polls_per_second = (_count_polls(client) - polls) / idle
    idle_cpu = (_read_cpu(server) - cpu) / idle
    connections = client.info("clients")["connected_clients"]
    notified, in_force, cpu_times, sent = [], [], [], []
    for number in range(2, 2 + writes):
        cpu, before = _read_cpu(server), client.info("stats")["total_net_output_bytes"]
        for pipe in pipes:
            pipe.send(number)
        for pipe in pipes:
            _receive(pipe)  # it counts from now on
        begin = time()
        store.publish(Revision(number, build_small(number), published_at=begin))
        moments = [_receive(pipe) for pipe in pipes]
        notified.append(max(each[0] for each in moments) - begin)
        in_force.append(max(each[1] for each in moments) - begin)
        cpu_times.append(_read_cpu(server) - cpu)
        sent.append(client.info("stats")["total_net_output_bytes"] - before)
        pause.wait(_POLL)
    return {
        "connections": connections,
        "commands_per_second": commands,
        "polls_per_second": polls_per_second,
        "redis_cpu_idle": idle_cpu,
        "redis_memory": _read_memory(server),
        "notified": notified,
        "in_force": in_force,
        "redis_cpu_per_write": sum(cpu_times) / len(cpu_times),
        "bytes_per_write": round(sum(sent) / len(sent)),
    }


class _TimedSource(RedisSource):
    """A source that notes when it was first notified after a write."""

    notified_at = 0.0
    """Seconds since the epoch; 0.0 before that."""

    def watch(self, on_change: Callable[[], object]) -> None:
        def note() -> None:
            self.notified_at = self.notified_at or time()
            on_change()

        super().watch(note)


def _follow(url: str, count: int, pipe: Connection) -> None:
    """Follow a source by so many guards, and send the last moments of each version."""
    sources = [_TimedSource(url) for _ in range(count)]
    guards = []
    for source in sources:
        guard = Guard({})
        guard.follow(source, poll=_POLL)
        guard.check_health()
        guards.append(guard)
    pause = Event()
    while not all(guard.check_health().is_current for guard in guards):
        pause.wait(0.5)
    pipe.send("started")
    while (number := pipe.recv()) is not None:
        for source in sources:
            source.notified_at = 0.0
        pipe.send("ready")
        deadline = monotonic() + _PATIENCE
        while not all(guard.version == str(number) for guard in guards):
            if monotonic() > deadline:
                raise RuntimeError(f"not all follow to {number}")
            pause.wait(0.005)
        pipe.send(
            (
                max(source.notified_at for source in sources),
                max(guard.followed_since or 0.0 for guard in guards),
            )
        )
    os._exit(0)  # without closing the connections one after another


def _receive(pipe: Connection) -> Any:
    if not pipe.poll(_PATIENCE):
        raise RuntimeError("the followers don't respond")
    return pipe.recv()


def _count(client: Redis) -> int:
    return int(client.info("stats")["total_commands_processed"])


def _count_polls(client: Redis) -> int:
    return int(client.info("commandstats").get("cmdstat_hmget", {"calls": 0})["calls"])


def _read_cpu(server: RedisServer) -> float:
    """Return the seconds of the processor that the server has used."""
    assert server.process is not None
    _, _, rest = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(") ")
    user, system = rest.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _read_memory(server: RedisServer) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024
