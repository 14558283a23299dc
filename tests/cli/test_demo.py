from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import redirect_stdout
from urllib.parse import urlsplit

import pytest
from support.cli_command import Command
from support.demo_visit import FREE_PORT_OPTIONS, FREE_PORTS, ask, connection

from corsguard.cli import main
from corsguard.cli.demo.servers import Origins, PortError, serve_demo


def servers() -> list[threading.Thread]:
    """The threads that would keep the process alive; those of requests do not."""
    return [thread for thread in threading.enumerate() if not thread.daemon]


@pytest.mark.parametrize("name", Origins._fields)
def test_port_in_use_ends_with_one_line_and_stops_servers(corsguard: Command, name: str) -> None:
    running = servers()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = [option for option in FREE_PORT_OPTIONS if name not in option]

        code, out, err = corsguard("demo", *options, f"--{name}-port={port}")

    assert (code, out) == (1, "")
    assert err == (
        f"corsguard: port {port} can't be used (Address already in use): "
        f"choose another with --{name}-port\n"
    )
    assert set(servers()) <= set(running)


def test_port_for_two_servers_is_in_use() -> None:
    with serve_demo(FREE_PORTS, lambda decision, facts: None) as origins:
        port = urlsplit(origins.api).port or 0

        with (
            pytest.raises(PortError, match=rf"port {port} .*--stranger-port"),
            serve_demo({**FREE_PORTS, "stranger": port}, lambda decision, facts: None),
        ):
            pass  # pragma: no cover


def test_port_out_of_range_is_a_usage_error(corsguard: Command) -> None:
    code, out, err = corsguard("demo", "--api-port", "65536")

    assert (code, out) == (2, "")
    assert "--api-port" in err


def test_command_serves_until_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGINT)
    reader, writer = os.pipe()
    lines: list[str] = []

    def visit() -> None:
        with open(reader, encoding="utf-8") as printed:
            while len(urls := re.findall(r"http://\S+", "".join(lines))) < 3:
                lines.append(printed.readline())
            api, frontend, stranger = urls
            ask(api, "/items?call=one", headers={"Origin": frontend})
            ask(api, "/journal?call=one", headers={"Origin": frontend})
            headers = {"Origin": stranger, "Access-Control-Request-Method": "PUT"}
            ask(api, "/[b]%C2%9B31m", "OPTIONS", headers)
            ask(api, "/items", "PUT", {"Origin": "null\x7f"})
            os.kill(os.getpid(), signal.SIGINT)
            lines.extend(printed)

    visitor = threading.Thread(target=visit)
    visitor.start()
    with (
        open(writer, "w", encoding="utf-8") as stream,
        redirect_stdout(stream),
        pytest.raises(SystemExit) as ended,
    ):
        main(["demo", *FREE_PORT_OPTIONS])
    visitor.join()

    assert ended.value.code == 0
    out = "".join(lines)
    frontend, stranger = re.findall(r"http://\S+", out)[1:3]
    lines = out[out.index("Ctrl-C stops") :].splitlines()[2:]
    assert lines == [
        f"  request   GET    /items from {frontend}: ALLOWED",
        rf"  preflight PUT    /[b]\x9b31m from {stranger}: ORIGIN_NOT_ALLOWED",
        r"  request   PUT    /items from null\x7f: ORIGIN_INVALID",
        "",
        "Stopped. Goodbye.",
    ]
    assert signal.getsignal(signal.SIGINT) is before
    assert logging.getLogger("corsguard").handlers == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_a_stream_stops_the_process(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "corsguard", "demo", *FREE_PORT_OPTIONS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        assert process.stdout is not None
        urls: list[str] = []
        while len(urls) < 3:
            line = process.stdout.readline()
            assert line, "the demo ended by itself"
            urls += re.findall(r"http://\S+", line)
        client = connection(urls[0])
        client.request("GET", "/stream", headers={"Origin": urls[1]})
        assert client.getresponse().readline() == b"part 1 of 6\n"

        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        client.close()

    assert (process.returncode, err) == (0, "")
    assert out.endswith("\nStopped. Goodbye.\n")
