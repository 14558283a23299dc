"""A browser that Selenium drives."""

from __future__ import annotations

from selenium.webdriver.remote.webdriver import WebDriver
from support.e2e.engines.browser import PATIENCE, RealBrowser


class WebDriverBrowser(RealBrowser):
    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver
        self.version: str = driver.capabilities["browserVersion"]
        driver.set_script_timeout(PATIENCE)
        driver.set_page_load_timeout(PATIENCE)

    def open(self, url: str) -> None:
        self.driver.get(url)

    def close(self) -> None:
        self.driver.quit()

    def _call(self, function: str, text: str) -> str:
        script = f"const [text, done] = arguments; ({function})(text).then(done);"
        answer: str = self.driver.execute_async_script(script, text)
        return answer
