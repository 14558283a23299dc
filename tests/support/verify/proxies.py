"""nginx, HAProxy, Caddy and Apache, each started on a free port with a configuration."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

START_SECONDS = 20
PAUSE = 0.02  # seconds between two attempts to connect

NGINX = """\
daemon off;
user root;
pid nginx.pid;
error_log error.log;
worker_processes 1;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    BODY
}
"""
HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
    retries 0
BODY
"""
CADDY = """\
{
    admin off
    auto_https off
}
http://127.0.0.1:PORT {
    BODY
}
"""
APACHE = """\
ServerRoot FOLDER
ServerName 127.0.0.1
PidFile FOLDER/apache.pid
Mutex file:FOLDER
ErrorLog FOLDER/error.log
User nobody
Group nogroup
Listen 127.0.0.1:PORT
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authz_core_module MODULES/mod_authz_core.so
LoadModule authn_core_module MODULES/mod_authn_core.so
LoadModule authn_file_module MODULES/mod_authn_file.so
LoadModule auth_basic_module MODULES/mod_auth_basic.so
LoadModule authz_user_module MODULES/mod_authz_user.so
LoadModule authz_host_module MODULES/mod_authz_host.so
LoadModule alias_module MODULES/mod_alias.so
LoadModule setenvif_module MODULES/mod_setenvif.so
LoadModule headers_module MODULES/mod_headers.so
LoadModule rewrite_module MODULES/mod_rewrite.so
LoadModule proxy_module MODULES/mod_proxy.so
LoadModule proxy_http_module MODULES/mod_proxy_http.so
BODY
"""


class Proxy(NamedTuple):
    """A server program."""

    program: str
    package: str
    """Debian's name of what installs the program."""
    template: str
    build_command: Callable[[str, Path], list[str]]
    """Returns the command for the path of the program, and of the configuration."""


PROXIES = {
    "nginx": Proxy(
        "nginx",
        "nginx-light",
        NGINX,
        lambda run, file: [run, "-p", str(file.parent), "-c", str(file)],
    ),
    "haproxy": Proxy(
        "haproxy", "haproxy", HAPROXY, lambda run, file: [run, "-db", "-f", str(file)]
    ),
    "caddy": Proxy(
        "caddy",
        "caddy",
        CADDY,
        lambda run, file: [run, "run", "--config", str(file), "--adapter", "caddyfile"],
    ),
    "apache": Proxy(
        "apache2", "apache2", APACHE, lambda run, file: [run, "-DFOREGROUND", "-f", str(file)]
    ),
}
MODULES = "/usr/lib/apache2/modules"


def find_free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


@contextmanager
def run_proxy(name: str, body: str, backend: int, folder: Path) -> Iterator[str]:
    """Yield the URL of a proxy in front of the port backend, until the end of the block.

    In the body of its configuration, BACKEND is replaced by the backend's host and port, PORT by
    the port to listen on, and FOLDER by the folder of the test.
    """
    proxy, port = PROXIES[name], find_free_port()
    program = shutil.which(proxy.program, path=f"{os.environ['PATH']}:/usr/sbin") or pytest.fail(
        f"{proxy.program} is needed: apt install {proxy.package}", pytrace=False
    )
    text = proxy.template.replace("BODY", body)
    values = {"BACKEND": f"127.0.0.1:{backend}", "PORT": str(port)}
    for key, value in {**values, "FOLDER": str(folder), "MODULES": MODULES}.items():
        text = text.replace(key, value)
    file = folder / "configuration"
    file.write_text(text, encoding="utf-8")
    with (folder / "output").open("w+b") as output:
        process = subprocess.Popen(
            proxy.build_command(program, file),
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )
        try:
            _wait_until_ready(process, port, folder / "output")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    """Return when the program accepts connections."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, output.read_text(encoding="utf-8")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(PAUSE)
        else:
            return
    pytest.fail(f"not ready after {START_SECONDS} s")
