"""docs/tutorial.md: every step is taken, with the page's own servers and Chromium."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from support.e2e.engines import Chromium
from support.tutorial import follow, start_command

PORTS = ("3000", "5000")
PATIENCE = 60  # seconds, where something is broken
PAUSE = 0.02  # seconds between two attempts to connect


class ChromiumReader:
    """A reader with Chromium, whose servers are those of the page."""

    def __init__(self, folder: Path, chromium: Chromium) -> None:
        self.folder = folder
        self._driver = chromium.driver
        self._chromium = chromium
        self._console = ""
        self._ports = {port: find_port(int(port)) for port in PORTS}
        self._servers: dict[str, subprocess.Popen[bytes]] = {}  # port -> process
        self._log = ""

    def adapt(self, text: str) -> str:
        for documented, port in self._ports.items():
            text = text.replace(documented, port)
        return text

    def start(self, command: str) -> str:
        port = command.split()[-1]
        output = self.folder / f"{port}.log"
        if port in self._servers:
            self._stop(port)
        server = start_command(command, self.folder, output)
        if not is_ready(server, int(port)):
            return output.read_text(encoding="utf-8")
        self._servers[port] = server
        return ""

    def press(self, button: str) -> str:
        if not self._driver.current_url.endswith(f":{self._ports['3000']}/"):
            self._chromium.open(f"http://localhost:{self._ports['3000']}/")
        result = self._driver.find_element(By.ID, "result")
        self._driver.execute_script("arguments[0].textContent = ''", result)
        self._driver.find_element(By.XPATH, f"//button[.='{button}']").click()
        WebDriverWait(self._driver, PATIENCE).until(lambda _: result.text)
        return result.text

    def read_console(self) -> str:
        lines = [line for line in self._chromium.console() if "CORS policy" in line]
        self._console = lines[-1] if lines else self._console
        return self._console

    def read_log(self) -> str:
        output = self.folder / f"{self._ports['5000']}.log"
        return output.read_text(encoding="utf-8") if output.exists() else ""

    def _stop(self, port: str) -> None:
        server = self._servers.pop(port)
        server.terminate()
        server.wait()

    def close(self) -> None:
        for port in list(self._servers):
            self._stop(port)


def find_port(port: int) -> str:
    """Return the port as text if it is free, else that of another one."""
    for number in (port, 0):
        try:
            with socket.create_server(("127.0.0.1", number)) as held:
                return str(held.getsockname()[1])
        except OSError:
            continue
    raise AssertionError("no port is free")


def is_ready(server: subprocess.Popen[bytes], port: int) -> bool:
    """Return True when a server accepts connections, and False if it has ended."""
    end = time.monotonic() + PATIENCE
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "the server does not start"
            time.sleep(PAUSE)
        else:
            return True
    return False


@pytest.fixture
def reader(tmp_path: Path, chromium: Chromium) -> Iterator[ChromiumReader]:
    chromium.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.console()
    reader = ChromiumReader(tmp_path, chromium)
    yield reader
    reader.close()


def test_tutorial_works_in_chromium(reader: ChromiumReader) -> None:
    follow(reader)

    # The last server is that of development.toml.
    assert reader.press("List").startswith("200 ")
