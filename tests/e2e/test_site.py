"""The documentation site in Chromium: on a desk and on a phone, light and dark, by keyboard."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from support.docs_site import build_site
from support.e2e.axe import find_violations
from support.e2e.engines import Chromium

PATIENCE = 30  # seconds
WIDTHS = {"desk": 1440, "phone": 390}
SCHEMES = ("light", "dark")
LOOKS = [*product(WIDTHS, SCHEMES)]
# Prose, long tables, signatures, and lists of everything.
TYPICAL = ["index.html", "blocked.html", "api-metrics.html", "search.html"]
FIND_WIDE = """
const wide = document.documentElement.scrollWidth - innerWidth;
return wide > 0 ? [`${location.pathname}: ${wide} px too wide`] : [];
"""
FIND_FOREIGN = """
return performance.getEntriesByType("resource").map((entry) => entry.name)
  .filter((url) => !url.startsWith(`${location.origin}/`) && !url.startsWith("data:"));
"""


class Reader:
    """Somebody who reads the site in Chromium."""

    def __init__(self, chromium: Chromium, url: str) -> None:
        self.driver = chromium.driver
        self.url = url

    def choose(self, device: str, scheme: str) -> None:
        """Show pages as on a device, in a colour scheme of the system."""
        size = {"width": WIDTHS[device], "height": 900, "deviceScaleFactor": 1}
        is_phone = device == "phone"
        self._send("Emulation.setDeviceMetricsOverride", {**size, "mobile": is_phone})
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._send("Emulation.setEmulatedMedia", {"features": features})

    def open(self, name: str) -> None:
        """Open a page of the site."""
        self.driver.get(f"{self.url}/{name}")

    def ask(self, script: str) -> list[str]:
        """Return the list that a script returns."""
        found: list[str] = self.driver.execute_script(script)
        return found

    def close(self) -> None:
        """Undo what `choose` did, for the next test of this browser."""
        self._send("Emulation.clearDeviceMetricsOverride", {})
        self._send("Emulation.setEmulatedMedia", {"features": []})
        self.driver.get("about:blank")

    def _send(self, command: str, parameters: dict[str, object]) -> None:
        self.driver.execute_cdp_cmd(command, parameters)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, which is built once."""
    folder = tmp_path_factory.mktemp("site")
    build_site(folder)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """Yield the origin that the site is served at."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def reader(chromium: Chromium, url: str) -> Iterator[Reader]:
    reader = Reader(chromium, url)
    yield reader
    reader.close()


@pytest.mark.parametrize("device", WIDTHS)
def test_pages_fit_and_need_no_other_server(device: str, folder: Path, reader: Reader) -> None:
    reader.choose(device, "light")
    found = []
    for page in sorted(folder.glob("*.html")):
        reader.open(page.name)
        found += reader.ask(FIND_WIDE) + reader.ask(FIND_FOREIGN)

    assert found == []


def test_structure_of_every_page_is_accessible(folder: Path, reader: Reader) -> None:
    reader.choose("phone", "light")
    found = []
    for page in sorted(folder.glob("*.html")):
        reader.open(page.name)
        violations = find_violations(reader.driver, without=["color-contrast"])
        found += [f"{page.name}: {violation}" for violation in violations]

    assert found == []


@pytest.mark.parametrize(("device", "scheme"), LOOKS)
def test_typical_pages_are_accessible(device: str, scheme: str, reader: Reader) -> None:
    reader.choose(device, scheme)
    found = []
    for name in TYPICAL:
        reader.open(name)
        found += [f"{name}: {violation}" for violation in find_violations(reader.driver)]

    assert found == []


def test_scheme_of_the_system_is_that_of_the_page(reader: Reader) -> None:
    colours = []
    for scheme in SCHEMES:
        reader.choose("desk", scheme)
        reader.open("index.html")
        colours += reader.ask("return [getComputedStyle(document.body).backgroundColor]")

    assert colours[0] == "rgb(255, 255, 255)"
    assert colours[1] != colours[0]


def test_search_finds_pages_by_a_word(reader: Reader) -> None:
    reader.choose("desk", "light")
    reader.open("index.html")
    field = reader.driver.find_element(By.CSS_SELECTOR, "input[name=q]")
    field.send_keys("Vary")
    field.submit()
    found = WebDriverWait(reader.driver, PATIENCE).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "#search-results li a")
    )

    assert any("blocked.html" in str(link.get_attribute("href")) for link in found)
