"""The ports of the demo: those that the user named, and free ones in place of taken ones."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from socket import AF_INET6, create_server, socket

__all__ = ["PREFERRED_PORTS", "PortError", "listen"]

PREFERRED_PORTS = {"api": 8000, "frontend": 3000, "untrusted": 3001}
"""name of a server -> its port, unless the user named one or another program has it."""

_IPV4 = "127.0.0.1"
_IPV6 = "::1"
_MAX_TRIES = 20


class PortError(Exception):
    """Ports that can't be used, each with the option for another one."""

    def __init__(self, failures: Iterable[tuple[str, int, OSError]]) -> None:
        super().__init__(
            "; ".join(
                f"port {port} can't be used ({os.strerror(error.errno or 0)}): "
                f"choose another with --{name}-port"
                for name, port, error in failures
            )
        )


@contextmanager
def listen(named: Mapping[str, int]) -> Generator[dict[str, list[socket]]]:
    """Yield name of a server -> its listening sockets, which are closed at the end of the block.

    `named` are the servers whose port the user chose; 0 selects any free one. Raises PortError with
    all of those that can't be used. Any other server gets its preferred port, or a free one.
    """
    with ExitStack() as stack:
        sockets: dict[str, list[socket]] = {}
        failures = []
        for name, port in named.items():  # first, so that no preferred port is one of these
            try:
                sockets[name] = _listen_on(port, stack)
            except OSError as error:
                failures.append((name, port, error))
        if failures:
            raise PortError(failures)
        for name, port in PREFERRED_PORTS.items():
            if name not in named:
                try:
                    sockets[name] = _listen_on_or_elsewhere(port, stack)
                except OSError as error:
                    raise PortError([(name, port, error)]) from None
        yield sockets


def _listen_on_or_elsewhere(port: int, stack: ExitStack) -> list[socket]:
    """Listen on a port, or on any free one if another program has it."""
    try:
        return _listen_on(port, stack)
    except OSError:
        return _listen_on(0, stack)


def _listen_on(port: int, stack: ExitStack) -> list[socket]:
    """Return sockets that listen on one port of every loopback address; 0 selects a free port.

    Browsers look `localhost` up as ::1 first. A port that is free on 127.0.0.1 alone would lead
    them to another program. Raises OSError.
    """
    for _ in range(_MAX_TRIES - 1):
        try:
            return _listen_on_both(port, stack)
        except OSError:
            if port:
                raise
    return _listen_on_both(port, stack)


def _listen_on_both(port: int, stack: ExitStack) -> list[socket]:
    # Not bound by werkzeug, which ends the process where a port is in use.
    with ExitStack() as opened:
        ipv4 = opened.enter_context(create_server((_IPV4, port)))
        sockets = [ipv4]
        try:
            address = (_IPV6, ipv4.getsockname()[1])
            sockets.append(opened.enter_context(create_server(address, family=AF_INET6)))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                raise
            # This machine has no IPv6, so browsers do not try it either.
        stack.push(opened.pop_all())
        return sockets
