from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from corsguard.cli.demo.servers import Origins, serve_demo

if TYPE_CHECKING:
    from support.e2e.engines import Chromium


class Row(NamedTuple):
    """The result of a call, as the listed frontend sees it."""

    verdict: str
    preflight: str
    reason: str
    seen: str


FAILED = "TypeError: Failed to fetch"
ROWS = {
    "get": Row("readable", "no", "ALLOWED", '200 {"items": ["apple", "banana", "cherry"]}'),
    "post": Row("readable", "yes", "ALLOWED", '201 {"id": 4, "received": "17 bytes"}'),
    "put": Row("readable", "yes", "ALLOWED", '200 {"id": 1, "received": "6 bytes"}'),
    "delete": Row("readable", "yes", "ALLOWED", "204 (no content)"),
    "header": Row("readable", "yes", "ALLOWED", '200 {"trace": "42"}'),
    "authorization": Row("readable", "yes", "ALLOWED", '200 {"you": "bearer of the demo token"}'),
    "cookies": Row("readable", "no", "ALLOWED", '200 {"you": "signed in by a cookie"}'),
    "exposed": Row("readable", "no", "ALLOWED", "X-Total-Count: 3"),
    "hidden": Row("readable", "no", "ALLOWED", "X-Build: null"),
    "patch": Row("blocked", "yes", "METHOD_NOT_ALLOWED", FAILED),
    "unlisted-header": Row("blocked", "yes", "HEADERS_NOT_ALLOWED", FAILED),
    "error": Row("readable", "no", "ALLOWED", '500 {"error": "the database is on fire"}'),
    "stream": Row("readable", "no", "ALLOWED", "200 part 6 of 6"),
}
STRANGERS_ROWS = {
    name: Row("blocked", row.preflight, "ORIGIN_NOT_ALLOWED", FAILED) for name, row in ROWS.items()
}
# WCAG 2.2, 1.4.3: the least contrast of every text that is shown, with its element.
LEAST_CONTRAST = """
const luminance = (colour) => {
  const [red, green, blue] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const ground = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return colour.endsWith(", 0)") ? ground(element.parentElement) : colour;
};
return [...document.body.querySelectorAll("*")]
  .filter((element) => element.checkVisibility() &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .map((element) => {
    const [dark, light] = [getComputedStyle(element).color, ground(element)]
      .map(luminance).sort((one, other) => one - other);
    return [(light + 0.05) / (dark + 0.05), element.outerHTML.slice(0, 80)];
  })
  .sort(([one], [other]) => one - other)[0];
"""


@pytest.fixture(scope="module")
def demo() -> Iterator[Origins]:
    ports = {"api": 0, "frontend": 0, "stranger": 0}
    with serve_demo(ports, lambda decision, facts: None) as origins:
        yield origins


class Page:
    """The demo's page in a browser, as a user sees it."""

    def __init__(self, chromium: Chromium) -> None:
        self.chromium = chromium
        self.browser = chromium.driver

    def open(self, origin: str, *, width: int = 1280, scheme: str = "light") -> None:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.console()  # what earlier pages left
        self.chromium.open(origin)
        self.wait()

    def wait(self) -> None:
        WebDriverWait(self.browser, 60).until(
            lambda browser: browser.execute_script("return document.body.dataset.state") == "done"
        )

    def rows(self) -> dict[str, Row]:
        found = self.script(
            "return [...document.querySelectorAll('[data-row]')].map((row) => [row.dataset.row, "
            "[row.dataset.verdict, row.dataset.preflight, row.dataset.reason, "
            "row.querySelector('.seen').textContent]])"
        )
        return {name: Row(*row) for name, row in found}

    def text(self, selector: str) -> str:
        return self.browser.find_element(By.CSS_SELECTOR, selector).text

    def console(self) -> list[str]:
        """Return the console lines since the last call."""
        return self.chromium.console()

    def script(self, source: str) -> Any:
        return self.browser.execute_script(source)

    def save(self, file: Path) -> None:
        """Save a picture of the page in its whole height."""
        shot = self.browser.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"}
        )
        file.write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture
def page(chromium: Chromium) -> Page:
    return Page(chromium)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("who", ["frontend", "stranger"])
def test_row_on_either_origin_shows_its_result(
    page: Page, demo: Origins, tmp_path: Path, who: str, scheme: str, width: int
) -> None:
    origin = getattr(demo, who)
    page.open(origin, width=width, scheme=scheme)
    page.save(tmp_path / f"{who}-{scheme}-{width}.png")

    assert page.rows() == (ROWS if who == "frontend" else STRANGERS_ROWS)
    assert page.text("#page-origin") == origin
    assert page.text("#api-origin") == demo.api
    assert page.text("#summary") == (
        "11 readable, 2 blocked" if who == "frontend" else "0 readable, 13 blocked"
    )
    for row in page.browser.find_elements(By.CSS_SELECTOR, "[data-row]"):
        shown = row.find_element(By.CLASS_NAME, "verdict").text
        assert shown[2:].lower() == row.get_attribute("data-verdict")
    # Nothing sticks out to the side, and everything can be read.
    assert page.script("return document.documentElement.scrollWidth") == width
    contrast, element = page.script(LEAST_CONTRAST)
    assert contrast >= 4.5, element
    dark = page.script("return matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark is (scheme == "dark")


def test_colours_follow_the_scheme(page: Page, demo: Origins) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page.open(demo.frontend, scheme=scheme)
        grounds.append(page.script("return getComputedStyle(document.body).backgroundColor"))

    assert grounds[0] != grounds[1]


def test_page_shows_whether_it_is_listed_and_links_the_other(page: Page, demo: Origins) -> None:
    page.open(demo.frontend)
    assert page.text("#listed") == "\u2713 Listed in the API\u2019s policy"

    page.browser.find_element(By.LINK_TEXT, "Open as stranger").click()
    WebDriverWait(page.browser, 60).until(lambda b: b.current_url == f"{demo.stranger}/")
    page.wait()
    assert page.text("#listed") == "\u2717 Not listed in the API\u2019s policy"

    page.browser.find_element(By.LINK_TEXT, "Open as frontend").click()
    WebDriverWait(page.browser, 60).until(lambda b: b.current_url == f"{demo.frontend}/")


def test_run_again_button_repeats_every_request(page: Page, demo: Origins) -> None:
    page.open(demo.frontend)

    click = "const again = document.getElementById('again'); again.click();"
    state = page.script(f"{click} return [document.body.dataset.state, again.disabled]")
    assert state == ["running", True]
    page.wait()

    assert page.rows() == ROWS


def test_streamed_response_is_read_in_parts(page: Page, demo: Origins) -> None:
    page.open(demo.frontend)

    parts = page.script("return document.querySelector('[data-row=stream]').dataset.parts")
    assert int(parts) > 1


def test_simple_request_of_an_unlisted_page_reaches_the_view(page: Page, demo: Origins) -> None:
    page.open(demo.stranger)

    assert page.text("[data-row=get] .reached") == "yes"
    assert page.text("[data-row=cookies] .reached") == "yes, with the cookie"
    assert page.text("[data-row=put] .reached") == "no"


def test_response_headers_are_shown(page: Page, demo: Origins) -> None:
    page.open(demo.frontend)

    assert page.text("[data-row=put] h3") == "OPTIONS \u2192 204"
    assert page.text("[data-row=put] .exchange:last-child h3") == "PUT \u2192 200"
    assert set(page.text("[data-row=put] .exchange pre").splitlines()) == {
        f"Access-Control-Allow-Origin: {demo.frontend}",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, DELETE",
        "Access-Control-Allow-Headers: Content-Type, Authorization, X-Demo-Trace",
        "Access-Control-Max-Age: 7200",
        "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    assert set(page.text("[data-row=put] .exchange:last-child pre").splitlines()) == {
        f"Access-Control-Allow-Origin: {demo.frontend}",
        "Access-Control-Allow-Credentials: true",
        "Vary: Origin",
        "Access-Control-Expose-Headers: X-Total-Count",
    }


def test_console_has_only_the_browsers_cors_messages(page: Page, demo: Origins) -> None:
    page.open(demo.frontend)

    errors = page.console()
    about = {"PATCH": "/items/1", "x-not-listed": "/items"}
    for name, path in about.items():
        assert any(f"{demo.api}{path}?call=" in error and name in error for error in errors)
    expected = ("blocked by CORS policy", "net::ERR_FAILED", "status of 500")
    assert [error for error in errors if not any(part in error for part in expected)] == []


def test_page_reports_a_stopped_api(page: Page) -> None:
    ports = {"api": 0, "frontend": 0, "stranger": 0}
    with serve_demo(ports, lambda decision, facts: None) as origins:
        page.open(origins.frontend)

    page.browser.find_element(By.ID, "again").click()
    page.wait()

    assert page.text("#summary") == "0 readable, 0 blocked, 13 without an answer"
    assert page.text("[data-row=get] .verdict") == "! No answer"
    assert page.text("[data-row=get] .why").endswith("is the demo still running?")


def test_page_loads_only_from_its_own_origin(page: Page, demo: Origins) -> None:
    page.open(demo.frontend)

    loaded = page.script("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert {url.split("/", 3)[2] for url in loaded} == {
        demo.frontend.removeprefix("http://"),
        demo.api.removeprefix("http://"),
    }
    assert page.script("return document.fonts.size") == 0
