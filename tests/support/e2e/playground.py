"""The playground of `corsguard demo` in Chromium, as a user sees it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait
from support.demo_visit import ask

if TYPE_CHECKING:
    from selenium.webdriver.remote.webelement import WebElement
    from support.e2e.engines import Chromium

    from corsguard.cli.demo.servers import Origins

FIRST_BLOCKED = ["patch", "unlisted-header"]
"""The calls of the frontend that the first policy does not allow."""
PATIENCE = 30  # seconds, where something is broken
MOST_TABS = 120
READ_ROWS = """
return [...document.querySelectorAll("#rows > li")].map((row) => [row.dataset.call,
  [...row.querySelectorAll(".cell")].map((cell) => [
    cell.dataset.verdict,
    cell.querySelector(".badge").textContent,
    cell.querySelector(".reach").textContent,
  ])]);
"""
READ_PANELS = """
return [...document.querySelectorAll("#rows > li")].map((row) => [row.dataset.call,
  [...row.querySelectorAll(".panel")].map((panel) =>
    [...panel.querySelectorAll(".facts code")].map((code) => code.textContent))]);
"""
OPEN_ROWS = "for (const row of document.querySelectorAll('#rows details')) row.open = true;"
ARE_PANELS_DRAWN = """
return [...document.querySelectorAll("#rows > li > details[open] .panel")]
  .every((panel) => panel.querySelector(".facts"));
"""


class Cell(NamedTuple):
    """The verdict of a call for one page, and how far the request came."""

    verdict: str
    badge: str
    reach: str


class Playground:
    """The page of the playground."""

    def __init__(self, chromium: Chromium) -> None:
        self.chromium = chromium
        self.driver = chromium.driver

    def open(self, origins: Origins, *, width: int = 1280, scheme: str = "light") -> None:
        """Show the playground with the policy that it starts with, and wait for its calls."""
        policy = json.loads(ask(origins.frontend, "/settings.json").body)["presets"][-1]
        headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        body = json.dumps({"toml": policy["toml"]})
        assert ask(origins.frontend, "/policy", "POST", headers, body).status == 200
        feature = {"name": "prefers-color-scheme", "value": scheme}
        metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.console()  # what earlier pages left
        self.chromium.open(origins.frontend)
        self.wait_for_calls()

    # What the page shows

    def rows(self) -> dict[str, list[Cell]]:
        """Return call -> its cell for the frontend, and that for the untrusted page; in order."""
        return {name: [Cell(*cell) for cell in cells] for name, cells in self.script(READ_ROWS)}

    def panels(self) -> dict[str, list[list[str]]]:
        """Return call -> what the script gets and the decision, for each page; all rows open."""
        self.script(OPEN_ROWS)
        self.wait(lambda: self.script(ARE_PANELS_DRAWN))
        return dict(self.script(READ_PANELS))

    def summaries(self) -> tuple[str, str]:
        return self.text("#frontend-summary"), self.text("#untrusted-summary")

    def state(self) -> str:
        return self.text("#policy-status")

    def problems(self) -> list[str]:
        """Return the code of each problem and warning that is shown."""
        return [each.get_attribute("data-code") or "" for each in self.all(".policy .problem")]

    def marked_lines(self) -> list[str]:
        return [each.text for each in self.all(".lines [data-mark]")]

    def toml(self) -> str:
        value: str = self.script("return document.getElementById('toml').value")
        return value

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def console(self) -> list[str]:
        """Return the console lines since the last call."""
        return self.chromium.console()

    # What a user does

    def type(self, text: str) -> None:
        """Type at the end of the policy."""
        self.find("#toml").send_keys(Keys.CONTROL + Keys.END, Keys.NULL, text)

    def write(self, text: str) -> None:
        """Type a policy in the place of the one that is there."""
        self.find("#toml").send_keys(Keys.CONTROL + "a", Keys.NULL, text)

    def choose_preset(self, name: str) -> None:
        Select(self.find("#preset")).select_by_value(name)
        self.wait_for_check()

    def open_row(self, name: str) -> None:
        """Open the details of a call, and wait for the explanations."""
        self.script("document.querySelector(arguments[0]).open = true", f"{row(name)} details")
        self.wait(lambda: self.script(ARE_PANELS_DRAWN))

    def click(self, selector: str) -> None:
        self.script("arguments[0].scrollIntoView({ block: 'center' })", self.find(selector))
        self.find(selector).click()

    def press(self, *keys: str) -> None:
        """Press keys together, wherever the focus is."""
        actions = ActionChains(self.driver)
        for key in keys:
            actions.key_down(key)
        for key in reversed(keys):
            actions.key_up(key)
        actions.perform()

    def tab_to(self, selector: str, *, backwards: bool = False) -> None:
        """Press Tab until an element has the focus."""
        for _ in range(MOST_TABS):
            if self.has_focus(selector):
                return
            self.press(*([Keys.SHIFT] if backwards else []), Keys.TAB)
        raise AssertionError(f"no Tab leads to {selector}")

    def has_focus(self, selector: str) -> bool:
        return bool(self.script("return document.activeElement.matches(arguments[0])", selector))

    # What they wait for

    def wait_for_calls(self) -> None:
        """Wait until the policy is checked, and all calls are made and shown."""
        self.wait_for_check()
        self.wait(lambda: self.script("return document.body.dataset.state") == "done")

    def wait_for_check(self) -> None:
        state = "return document.getElementById('policy-state').dataset.state"
        self.wait(lambda: self.script(state) in {"in-force", "refused"})

    def wait(self, condition: Callable[[], object]) -> None:
        # What is looked at may be drawn anew at any moment.
        ignored = (StaleElementReferenceException, NoSuchElementException)
        waiting = WebDriverWait(self.driver, PATIENCE, 0.05, ignored)
        waiting.until(lambda _: condition())

    # Selenium

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def script(self, source: str, *args: object) -> Any:
        return self.driver.execute_script(source, *args)

    def save(self, file: Path) -> None:
        """Save a picture of the page in its whole height."""
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"}
        )
        file.write_bytes(base64.b64decode(shot["data"]))


def row(name: str) -> str:
    """Return the selector of the row of a call."""
    return f"[data-call={name}]"
