from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout

import pytest
from support.cli_command import Command
from support.demo_visit import FREE_PORT_OPTIONS, ask, connection, post

from corsguard.cli import main
from corsguard.cli.demo.ports import PREFERRED_PORTS
from corsguard.cli.demo.servers import Origins


def list_servers() -> list[threading.Thread]:
    """Return the threads that would keep the process alive; those of requests do not."""
    return [thread for thread in threading.enumerate() if not thread.daemon]


def find_urls(welcome: str) -> Origins:
    found = dict(re.findall(r"^  (frontend|API|untrusted) +(http://\S+)", welcome, re.MULTILINE))
    return Origins(found["API"], found["frontend"], found["untrusted"])


@pytest.mark.parametrize("name", Origins._fields)
def test_named_port_in_use_ends_with_one_line(corsguard: Command, name: str) -> None:
    running = list_servers()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = [option for option in FREE_PORT_OPTIONS if name not in option]

        code, out, err = corsguard("demo", *options, f"--{name}-port={port}")

    assert (code, out) == (1, "")
    assert err == (
        f"corsguard: port {port} can't be used (Address already in use): "
        f"choose another with --{name}-port\n"
    )
    assert set(list_servers()) <= set(running)


def test_all_named_ports_in_use_are_in_one_error(corsguard: Command) -> None:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        first, second = (each.getsockname()[1] for each in taken)

        options = [f"--api-port={first}", "--frontend-port=0", f"--untrusted-port={second}"]
        code, out, err = corsguard("demo", *options)

    assert (code, out) == (1, "")
    assert err == (
        f"corsguard: port {first} can't be used (Address already in use): "
        f"choose another with --api-port; port {second} can't be used (Address already in use): "
        "choose another with --untrusted-port\n"
    )


def test_port_out_of_range_is_a_usage_error(corsguard: Command) -> None:
    code, out, err = corsguard("demo", "--api-port", "65536")

    assert (code, out) == (2, "")
    assert "--api-port" in err


def test_help_names_the_preferred_ports(corsguard: Command) -> None:
    code, out, _ = corsguard("demo", "--help")

    assert code == 0
    for name, port in PREFERRED_PORTS.items():
        assert re.search(rf"--{name}-port[^[]*\[default: {port}, or a free one\]", out)


def run_until_ctrl_c(options: list[str], visit: Callable[[Origins], None]) -> str:
    """Run the command, visit its servers, press Ctrl-C, and return what it printed."""
    reader, writer = os.pipe()
    lines: list[str] = []

    def run_visit() -> None:
        with open(reader, encoding="utf-8") as printed:
            while "Ctrl-C" not in "".join(lines):
                lines.append(printed.readline())
            try:
                visit(find_urls("".join(lines)))
            finally:
                os.kill(os.getpid(), signal.SIGINT)
            lines.extend(printed)

    visitor = threading.Thread(target=run_visit)
    visitor.start()
    with (
        open(writer, "w", encoding="utf-8") as stream,
        redirect_stdout(stream),
        pytest.raises(SystemExit) as ended,
    ):
        main(["demo", *options])
    visitor.join()
    assert ended.value.code == 0
    return "".join(lines)


def test_command_serves_until_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGINT)

    def visit(origins: Origins) -> None:
        api, frontend, untrusted = origins
        ask(api, "/items?call=one", headers={"Origin": frontend})
        ask(api, "/journal?call=one", headers={"Origin": frontend})
        headers = {"Origin": untrusted, "Access-Control-Request-Method": "PUT"}
        ask(api, "/[b]%C2%9B31m", "OPTIONS", headers)
        ask(api, "/items", "PUT", {"Origin": "null\x7f"})
        post(frontend, "/policy", {"toml": "allow_origins = ['*']"})
        post(frontend, "/policy", {"toml": "\x1b[31m"})

    out = run_until_ctrl_c(FREE_PORT_OPTIONS, visit)

    _, frontend, untrusted = find_urls(out)
    assert out.startswith(f"\ncorsguard demo: open {frontend}\n")
    assert "is taken" not in out
    assert out[out.index("Ctrl-C stops") :].splitlines()[2:] == [
        f"  request   GET    /items from {frontend}: ALLOWED",
        rf"  preflight PUT    /[b]\x9b31m from {untrusted}: ORIGIN_NOT_ALLOWED",
        r"  request   PUT    /items from null\x7f: ORIGIN_INVALID",
        "  policy    version 2 is in force",
        "",
        "Stopped. Goodbye.",
    ]
    assert signal.getsignal(signal.SIGINT) is before
    assert logging.getLogger("corsguard").handlers == []


def test_welcome_says_which_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        for name in PREFERRED_PORTS:
            taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            monkeypatch.setitem(PREFERRED_PORTS, name, taken.getsockname()[1])

        out = run_until_ctrl_c(["--stranger-port=0"], lambda origins: None)

    api, frontend, _ = PREFERRED_PORTS.values()
    assert (
        f"\n\n  port {api} is taken: a free one is used, --api-port names another\n"
        f"  port {frontend} is taken: a free one is used, --frontend-port names another\n"
    ) in out


def start_demo(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "corsguard", "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def read_welcome(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    welcome = ""
    while "Ctrl-C" not in welcome:
        line = process.stdout.readline()
        assert line, "the demo ended by itself"
        welcome += line
    return welcome


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_a_stream_stops_the_process(number: signal.Signals) -> None:
    with start_demo(*FREE_PORT_OPTIONS) as process:
        api, frontend, _ = find_urls(read_welcome(process))
        client = connection(api)
        client.request("GET", "/stream", headers={"Origin": frontend})
        assert client.getresponse().readline() == b"part 1 of 6\n"

        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        client.close()

    assert (process.returncode, err) == (0, "")
    assert out.endswith("\nStopped. Goodbye.\n")
