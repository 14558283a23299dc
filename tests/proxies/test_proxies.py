"""nginx, HAProxy, Caddy and Apache in front of each adapter: every fault is found, and no other."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from support.audit.auditing import QUICK
from support.servers.threaded import by_uvicorn, by_werkzeug, serving
from support.verify import apache, caddy, haproxy, nginx
from support.verify.faults import BARE, DOWN, GUARDED, Fault
from support.verify.policies import ONE, THREE, build_asgi, build_bare, build_flask, build_wsgi
from support.verify.proxies import find_free_port, run_proxy

from corsguard import Guard
from corsguard.cli.audit.runner import AuditResult
from corsguard.cli.client_options import ClientOptions
from corsguard.cli.verify.command import verify_server

SERVERS = {"nginx": nginx, "haproxy": haproxy, "caddy": caddy, "apache": apache}
ADAPTERS = ["wsgi", "asgi", "flask", "django"]
FULL = {"/api": True, "/public": True, "/internal": False}


@contextmanager
def serve_django() -> Iterator[str]:
    """Serve Django in a separate process: its settings are made once in each."""
    script = Path(__file__).parents[1] / "support/verify/django_server.py"
    with subprocess.Popen(
        [sys.executable, str(script), json.dumps(tomllib.loads(THREE))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="ascii",
    ) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def backends() -> Iterator[Callable[[str], int]]:
    """The port of an application, each started once; nothing listens on that of `down`."""
    with ExitStack() as stack:
        started: dict[str, int] = {DOWN: find_free_port()}
        build = {
            BARE: lambda: serving(by_werkzeug, build_bare),
            GUARDED: lambda: serving(by_werkzeug, build_wsgi()),
            "wsgi": lambda: serving(by_werkzeug, build_wsgi()),
            "asgi": lambda: serving(by_uvicorn, build_asgi()),
            "flask": lambda: serving(by_werkzeug, build_flask()),
            "django": serve_django,
        }

        def find_port(name: str) -> int:
            if name not in started:
                url = stack.enter_context(build[name]())
                started[name] = int(url.rpartition(":")[2])
            return started[name]

        yield find_port


def compare(toml: str, url: str, paths: dict[str, bool]) -> AuditResult:
    guard = Guard.from_mapping(tomllib.loads(toml))
    return verify_server(guard, ClientOptions(url, QUICK, True), paths)


def list_failing(result: AuditResult) -> set[str]:
    return {found.rule.code for found in result.findings if found.fails}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("server", SERVERS)
def test_proxy_that_passes_all_on_has_no_findings(
    server: str, adapter: str, backends: Callable[[str], int], tmp_path: Path
) -> None:
    body, _ = SERVERS[server].RIGHT["passes all on"]
    with run_proxy(server, body, backends(adapter), tmp_path) as url:
        result = compare(THREE, url, FULL)
    assert (result.findings, result.caveats, result.complete) == ((), (), True)


RIGHT = [
    (server, name)
    for server, module in SERVERS.items()
    for name in module.RIGHT
    if "all" not in name
]


@pytest.mark.parametrize(("server", "name"), RIGHT)
def test_right_proxy_has_no_findings(
    server: str, name: str, backends: Callable[[str], int], tmp_path: Path
) -> None:
    body, backend = SERVERS[server].RIGHT[name]
    with run_proxy(server, body, backends(backend), tmp_path) as url:
        result = compare(ONE, url, {"/api": True})
    assert (list_failing(result), result.complete) == (set(), True)


@pytest.mark.parametrize("server", SERVERS)
def test_proxy_without_its_application_is_unknown(
    server: str, backends: Callable[[str], int], tmp_path: Path
) -> None:
    body = SERVERS[server].UNREACHED["passes all on"]
    with run_proxy(server, body, backends(DOWN), tmp_path) as url:
        result = compare(THREE, url, FULL)
    assert (result.findings, result.complete) == ((), False)
    assert len(result.caveats) == 2


FAULTS = [(server, name) for server, module in SERVERS.items() for name in module.FAULTS]


@pytest.mark.parametrize(("server", "name"), FAULTS)
def test_fault_is_the_only_finding(
    server: str, name: str, backends: Callable[[str], int], tmp_path: Path
) -> None:
    fault: Fault = SERVERS[server].FAULTS[name]
    with run_proxy(server, fault.body, backends(fault.backend), tmp_path) as url:
        result = compare(ONE, url, {path: path == "/api" for path in fault.paths})
    assert list_failing(result) == fault.expected
    assert (fault.notes or set()) <= {found.rule.code for found in result.findings}
