"""axe-core in a page: what keeps somebody from using it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

from selenium.webdriver.remote.webdriver import WebDriver

# The newest axe-core on PyPI. The package's own functions, which need Playwright, are not used.
PACKAGE = "axe_playwright_python"
RUN = """
const [rules, done] = arguments;
axe.run(document, { resultTypes: ["violations"], rules }).then(
  (results) => done({ violations: results.violations }),
  (error) => done({ error: String(error) }),
);
"""


@cache
def read_program() -> str:
    """Return the text of axe.min.js."""
    return resources.files(PACKAGE).joinpath("axe.min.js").read_text(encoding="utf-8")


def find_violations(driver: WebDriver, *, without: Iterable[str] = ()) -> list[str]:
    """Return a line for each element of the page in which axe finds fault, frames included.

    A line has the rule, the element's selector and the failure. The rules of `without` don't run:
    `color-contrast` takes most of the time.
    """
    rules = {rule: {"enabled": False} for rule in without}
    driver.execute_script(f"if (!window.axe) {{ {read_program()} }}")
    results: dict[str, Any] = driver.execute_async_script(RUN, rules)
    assert "error" not in results, results
    return [
        f"{violation['id']}: {describe_selector(node['target'])}: {describe_failure(node)}"
        for violation in results["violations"]
        for node in violation["nodes"]
    ]


def describe_selector(target: Iterable[Any]) -> str:
    """Return an element's selector, after those of the frames and shadow roots around it."""
    return " > ".join(part if isinstance(part, str) else " ".join(part) for part in target)


def describe_failure(node: dict[str, Any]) -> str:
    """Return what axe says of an element, in one line."""
    return " ".join(node["failureSummary"].split())
