"""Chromium, through its own WebDriver."""

from __future__ import annotations

from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.remote.command import Command
from support.e2e.engines.browser import build_environment, find_programs
from support.e2e.engines.webdriver import WebDriverBrowser

ARGUMENTS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
""".split()


class Chromium(WebDriverBrowser):
    name = "chromium"
    driver: Chrome

    def __init__(self, profile: Path, *arguments: str) -> None:
        browser, driver = find_programs(["chromium", "chromedriver"], "chromium chromium-driver")
        options = ChromeOptions()
        options.binary_location = browser
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}", *arguments):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # The default of Chrome; Debian's Chromium blocks third-party cookies.
        options.add_experimental_option("prefs", {"profile.cookie_controls_mode": 0})
        # With both paths given, Selenium looks nothing up and downloads nothing.
        service = ChromeService(driver, env=build_environment(profile))
        super().__init__(Chrome(options=options, service=service))

    def console(self) -> list[str]:
        entries = self.driver.execute(Command.GET_LOG, {"type": "browser"})["value"]
        return [entry["message"] for entry in entries]
