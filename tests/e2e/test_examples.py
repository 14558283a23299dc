"""The examples, as a page of the origin that they list uses them in real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from support.e2e.engines import RealBrowser
from support.e2e.pages import Pages, pages
from support.servers.example import example

EXAMPLES = {
    "wsgi_app.py": "/public/items",
    "flask_app.py": "/public/items",
    "django_app.py": "/public/items",
    "fastapi_app.py": "/public/count",
}
"""Of each, what any page may read."""
CALL = """
const [url, method, value, credentials] = args;
const options = { method, credentials };
if (value !== null) {
  options.headers = { "Content-Type": "application/json" };
  options.body = JSON.stringify(value);
}
try {
  const response = await fetch(url, options);
  return [response.status, await response.text(), Object.fromEntries(response.headers)];
} catch (error) {
  return [error.name, "", {}];
}
"""
REFUSED = "TypeError"


@pytest.fixture(scope="module")
def listed() -> Iterator[Pages]:
    """Return pages at the port of the origin that the examples list."""
    with pages(3000) as opened:
        yield opened


@pytest.fixture(scope="module", params=EXAMPLES)
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    with example(request.param) as url:
        yield Api(url, EXAMPLES[request.param])


class Api(NamedTuple):
    url: str
    public: str


class Script:
    """Calls an API from a page."""

    def __init__(self, browser: RealBrowser, page: str, api: Api) -> None:
        browser.open(page)
        self.browser = browser
        self.api = api

    def call(
        self, method: str, path: str, value: object = None, credentials: str = "include"
    ) -> tuple[int | str, str, dict[str, str]]:
        """Return status, text and headers, as far as a script may read them, or an error's name."""
        answer: Any = self.browser.run(CALL, self.api.url + path, method, value, credentials)
        return tuple(answer)

    def status(self, method: str, path: str, value: object = None) -> int | str:
        return self.call(method, path, value)[0]


def test_listed_page_can_use_the_whole_api(browser: RealBrowser, listed: Pages, api: Api) -> None:
    page = Script(browser, listed.listed, api)
    item = {"name": "tea"}

    # Without a session, the page can read the error.
    assert page.call("POST", "/api/items", item, "omit")[0] in {401, 403}
    assert page.status("POST", "/api/login", {"user": "ada", "password": "lovelace"}) == 204

    status, _, headers = page.call("POST", "/api/items", item)
    assert status == 201
    where = headers["location"]  # exposed
    assert "tea" in page.call("GET", where)[1]
    assert page.status("PUT", where, {"name": "coffee"}) == 200
    assert "coffee" in page.call("GET", where)[1]
    assert page.status("DELETE", where) == 204
    assert page.status("GET", where) == 404
    assert page.status("GET", "/api/failure") == 500
    status, _, headers = page.call("GET", "/api/items.csv")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="items.csv"')
    assert page.status("PATCH", where, item) == REFUSED


def test_unlisted_page_reads_only_public_items(
    browser: RealBrowser, listed: Pages, api: Api
) -> None:
    page = Script(browser, listed.stranger, api)

    assert page.call("GET", api.public, credentials="omit")[0] == 200
    assert page.status("GET", "/api/items") == REFUSED
    assert page.status("POST", "/api/login", {"user": "ada", "password": "lovelace"}) == REFUSED
