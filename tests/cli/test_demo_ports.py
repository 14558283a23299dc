from __future__ import annotations

import errno
import socket
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.demo_visit import FREE_PORTS

from corsguard.cli.demo import ports
from corsguard.cli.demo.ports import PortError, listen
from corsguard.cli.demo.servers import serve_demo


def take_port(stack: ExitStack, address: str = "127.0.0.1") -> int:
    """Listen on a free port of an address until the stack closes."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    taken = stack.enter_context(socket.create_server((address, 0), family=family))
    port: int = taken.getsockname()[1]
    return port


def is_reachable(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def list_ports(sockets: dict[str, list[socket.socket]]) -> dict[str, set[int]]:
    return {name: {each.getsockname()[1] for each in opened} for name, opened in sockets.items()}


def test_each_server_listens_on_both_loopback_addresses() -> None:
    with listen(FREE_PORTS) as sockets:
        assert sockets.keys() == FREE_PORTS.keys()
        for [port] in list_ports(sockets).values():
            assert is_reachable("127.0.0.1", port)
            assert is_reachable("::1", port)

    assert not is_reachable("127.0.0.1", port)
    assert not is_reachable("::1", port)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "::"])
def test_named_port_taken_on_either_address_is_refused(address: str) -> None:
    with ExitStack() as stack:
        port = take_port(stack, address)

        with pytest.raises(PortError, match=rf"^port {port} can't be used \(Address already"):
            stack.enter_context(listen({**FREE_PORTS, "frontend": port}))

        # Nothing keeps listening on the other address.
        assert is_reachable("::1", port) is (":" in address)
        assert is_reachable("127.0.0.1", port) is ("." in address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_preferred_port_taken_on_either_address_is_replaced(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        taken = take_port(stack, address)
        monkeypatch.setitem(ports.PREFERRED_PORTS, "frontend", taken)

        found = list_ports(stack.enter_context(listen({"api": 0, "untrusted": 0})))

        assert len(found["frontend"]) == 1
        assert taken not in found["frontend"]


def test_preferred_port_that_is_free_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        free = take_port(stack)
    monkeypatch.setitem(ports.PREFERRED_PORTS, "api", free)

    with listen({"frontend": 0, "untrusted": 0}) as sockets:
        assert list_ports(sockets)["api"] == {free}


def test_preferred_port_gives_way_to_a_named_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        free = take_port(stack)
    monkeypatch.setitem(ports.PREFERRED_PORTS, "api", free)

    with listen({"frontend": free, "untrusted": 0}) as sockets:
        found = list_ports(sockets)

    assert found["frontend"] == {free}
    assert found["api"] != {free}


def test_one_port_named_twice_is_refused() -> None:
    with ExitStack() as stack:
        free = take_port(stack)

    with pytest.raises(PortError, match=rf"port {free} .*--untrusted-port$"):
        ExitStack().enter_context(listen({"api": 0, "frontend": free, "untrusted": free}))


def test_any_free_port_is_free_on_both_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        half_free = take_port(stack, "::1")
        real, tries = socket.create_server, []

        def create_server(address: tuple[str, int], **options: Any) -> socket.socket:
            # The system selects, at first, a port that is free on 127.0.0.1 only.
            if address == ("127.0.0.1", 0):
                tries.append(address)
                address = ("127.0.0.1", half_free if len(tries) == 1 else 0)
            return real(address, **options)

        monkeypatch.setattr(ports, "create_server", create_server)
        [port] = list_ports(stack.enter_context(listen(FREE_PORTS)))["api"]

    assert port != half_free
    assert len(tries) == len(FREE_PORTS) + 1


def test_search_for_a_free_port_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        half_free = take_port(stack, "::1")
        real, tries = socket.create_server, []

        def create_server(address: tuple[str, int], **options: Any) -> socket.socket:
            tries.append(address)
            return real((address[0], half_free), **options)

        monkeypatch.setattr(ports, "create_server", create_server)
        with pytest.raises(PortError, match="port 0 can't be used"):
            stack.enter_context(listen({"api": 0}))
        assert len(tries) == 2 * ports._MAX_TRIES
        with pytest.raises(PortError, match=r"port 8000 can't be used .* --api-port"):
            stack.enter_context(listen({}))


def test_machine_without_ipv6_has_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_IPV6", "2001:db8::1")  # of no machine (RFC 3849)

    with listen(FREE_PORTS) as sockets:
        assert [len(opened) for opened in sockets.values()] == [1, 1, 1]


def test_error_without_a_number_is_reported() -> None:
    error = PortError(
        [("api", 80, OSError("no number")), ("frontend", 1, OSError(errno.EACCES, ""))]
    )

    assert "port 80 can't be used" in str(error)
    assert "port 1 can't be used (Permission denied): choose another with --frontend" in str(error)


def test_port_of_a_running_demo_is_in_use() -> None:
    with serve_demo(FREE_PORTS, lambda decision, request: None) as origins:
        port = urlsplit(origins.api).port or 0

        with (
            pytest.raises(PortError, match=rf"port {port} .*--untrusted-port"),
            serve_demo({**FREE_PORTS, "untrusted": port}, lambda decision, request: None),
        ):
            pass  # pragma: no cover
