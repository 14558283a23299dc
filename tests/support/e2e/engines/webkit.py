"""WebKit, as GTK's small browser, on a virtual display."""

from __future__ import annotations

import os
import subprocess
import warnings
from pathlib import Path

from selenium.webdriver import WebKitGTK, WebKitGTKOptions, WebKitGTKService
from support.e2e.engines.browser import PATIENCE, build_environment, find_programs
from support.e2e.engines.webdriver import WebDriverBrowser

PACKAGES = "webkit2gtk-driver xvfb xauth"
BROWSERS = "/usr/lib/*-linux-gnu/webkit2gtk-4.*/MiniBrowser"


class WebKit(WebDriverBrowser):
    name = "webkit"

    def __init__(self, profile: Path) -> None:
        driver, xvfb = find_programs(["WebKitWebDriver", "Xvfb"], PACKAGES)
        browsers = [str(path) for path in Path("/").glob(BROWSERS[1:])]
        (browser,) = find_programs([*browsers, "MiniBrowser"][:1], PACKAGES)
        self._display = Display(xvfb)
        options = WebKitGTKOptions()
        options.binary_location = browser
        options.add_argument("--automation")
        shown = {**build_environment(profile), "DISPLAY": self._display.name}
        service = WebKitGTKService(driver, env=shown)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Selenium, by Selenium
            super().__init__(WebKitGTK(options=options, service=service))

    def console(self) -> list[str]:
        return []  # its driver has no command for it

    def close(self) -> None:
        super().close()
        self._display.close()


class Display:
    """An X server without a screen."""

    def __init__(self, xvfb: str) -> None:
        reading, writing = os.pipe()
        command = [
            xvfb,
            "-displayfd",
            str(writing),
            "-screen",
            "0",
            "1280x1024x24",
            "-nolisten",
            "tcp",
        ]
        self._process = subprocess.Popen(
            command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(writing)
        with open(reading, encoding="ascii") as display:
            # Up to the end of the line: it dies of a pipe that is closed before.
            self.name = f":{display.readline().strip()}"

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
