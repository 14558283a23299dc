"""docs/proxies.md: each configuration of nginx in nginx, and what the page says of the others."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from support.doc_pages import read_blocks, read_page
from support.servers.threaded import by_werkzeug, serving
from support.verify import apache, caddy, haproxy, nginx
from support.verify.policies import ONE, PAGE, build_wsgi
from support.verify.proxies import find_free_port, run_proxy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PASSES, ERRORS, LOGIN = (block.code for block in read_blocks("proxies", "nginx"))
URL = "https://api.example.com"
SECOND_LAYER = f'add_header Access-Control-Allow-Origin "{PAGE}" always;\n'

Start = Callable[..., str]
"""Starts nginx with a block of the page in front of a port, and returns its URL."""


def adapt(block: str) -> str:
    """Return a block of the page for `run_proxy`, with the test's ports and folder."""
    for documented, here in {
        "listen 80;": "listen 127.0.0.1:PORT;",
        "127.0.0.1:8000": "BACKEND",
        "/etc/nginx/": "FOLDER/",
    }.items():
        block = block.replace(documented, here)
    return block


@pytest.fixture
def enter() -> Iterator[Callable[[AbstractContextManager[str]], str]]:
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def port(enter: Callable[[AbstractContextManager[str]], str]) -> int:
    """Return the port of an application behind corsguard."""
    return find_port(enter(serving(by_werkzeug, build_wsgi())))


@pytest.fixture
def start(enter: Callable[[AbstractContextManager[str]], str], tmp_path: Path) -> Start:
    (tmp_path / "users").write_text("ada:{PLAIN}secret\n", encoding="utf-8")
    return lambda block, port: enter(run_proxy("nginx", adapt(block), port, tmp_path))


def find_port(url: str) -> int:
    return int(url.rpartition(":")[2])


def run_corsguard(command: str, base: str, folder: Path) -> tuple[int, str]:
    """Run a command of the page against the server at base."""
    program, *words = shlex.split(command.replace(URL, base))
    (folder / "corsguard.toml").write_text(ONE, encoding="utf-8")
    rate = ["--rate", "9000"] if words[0] == "verify" else []
    run = subprocess.run(
        [Path(sys.executable).with_name(program), *words, *rate],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
    return run.returncode, run.stdout


def test_proxy_that_passes_all_on_has_no_findings(start: Start, port: int, tmp_path: Path) -> None:
    [verify] = [block.code for block in read_blocks("proxies", "sh") if "verify" in block.code]
    code, output = run_corsguard(verify, start(PASSES, port), tmp_path)
    assert (code, "no findings" in output) == (0, True), output


def test_probe_names_the_second_layer(start: Start, port: int, tmp_path: Path) -> None:
    [probe] = [block.code for block in read_blocks("proxies", "sh") if "probe" in block.code]
    [shown] = [block.code for block in read_blocks("proxies", "text")]
    both = PASSES.replace("proxy_pass ", f"{SECOND_LAYER} proxy_pass ")
    code, output = run_corsguard(probe, start(both, port), tmp_path)
    assert (code, shown in output) == (1, True), output
    assert "header contains multiple values" in output


def get(url: str, method: str = "GET", **options: object) -> httpx.Response:
    headers = {"Origin": PAGE, **options.pop("headers", {})}  # type: ignore[dict-item]
    return httpx.request(method, f"{url}/api/items", headers=headers, **options)  # type: ignore[arg-type]


def read_headers(response: httpx.Response) -> dict[str, list[str]]:
    names = ("access-control-allow-origin", "access-control-allow-credentials", "vary")
    return {name: response.headers.get_list(name) for name in names}


ALLOWED = {
    "access-control-allow-origin": [PAGE],
    "access-control-allow-credentials": ["true"],
    "vary": ["Origin"],
}


def test_errors_of_the_proxy_have_headers(start: Start, tmp_path: Path) -> None:
    url = start(ERRORS, find_free_port())
    down = get(url)
    large = get(url, "POST", content=bytes(11 * 2**20))
    assert (down.status_code, large.status_code) == (502, 413)
    assert read_headers(down) == read_headers(large) == ALLOWED

    unlisted = get(url, headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in unlisted.headers


def test_responses_of_the_application_have_headers_once(start: Start, port: int) -> None:
    assert read_headers(get(start(ERRORS, port))) == ALLOWED


def test_login_lets_preflights_pass_alone(start: Start, port: int) -> None:
    url = start(LOGIN, port)
    preflight = get(url, "OPTIONS", headers={"Access-Control-Request-Method": "PUT"})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == PAGE
    assert get(url).status_code == 401
    assert get(url, auth=("ada", "secret")).status_code == 200


def test_login_with_the_errors_above_lets_the_page_read_its_401(start: Start, port: int) -> None:
    [login] = re.findall(r"limit_except .*?\}", LOGIN, re.DOTALL)
    both = ERRORS.replace("error_page", "error_page 401").replace(
        "location / {", f"location / {{ {login}"
    )
    refused = get(start(both, port))
    assert refused.status_code == 401
    assert read_headers(refused) == ALLOWED


def show_host(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["HTTP_HOST"].encode()]


HOSTS = {
    "nginx": (nginx.RIGHT["passes all on"][0], "proxy_set_header Host $http_host;"),
    "Apache": (apache.RIGHT["passes all on"][0], "ProxyPreserveHost On"),
    "HAProxy": (haproxy.RIGHT["passes all on"][0], ""),
    "Caddy": (caddy.RIGHT["passes all on"][0], ""),
}
"""Name -> a configuration that passes requests on, and what the page says to set for `Host`."""


@pytest.mark.parametrize("name", HOSTS)
def test_proxy_passes_the_host_that_the_page_says(
    name: str, enter: Callable[[AbstractContextManager[str]], str], tmp_path: Path
) -> None:
    body, setting = HOSTS[name]
    backend = find_port(enter(serving(by_werkzeug, show_host)))
    row_of_name = rf"^\| (?:\w+, )?{name}(?:, \w+)? \| (.*) \|$"
    [row] = re.findall(row_of_name, read_page("proxies"), re.MULTILINE)
    assert (setting in row) if setting else row == "the browser's"

    url = enter(run_proxy(name.lower(), body, backend, tmp_path))
    passed_on = httpx.get(url).text
    assert passed_on == (f"127.0.0.1:{backend}" if setting else url.removeprefix("http://"))


def test_settings_of_the_page_keep_the_host(
    enter: Callable[[AbstractContextManager[str]], str], start: Start, tmp_path: Path
) -> None:
    backend = find_port(enter(serving(by_werkzeug, show_host)))
    url = start(PASSES, backend)
    assert httpx.get(url).text == url.removeprefix("http://")

    folder = tmp_path / "apache"
    folder.mkdir()
    body = f"ProxyPreserveHost On\n{HOSTS['Apache'][0]}"
    url = enter(run_proxy("apache", body, backend, folder))
    assert httpx.get(url).text == url.removeprefix("http://")
