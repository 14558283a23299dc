"""The number of preflights that a page needs: each is one more round trip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import NamedTuple

import pytest
from flask_cors import CORS
from starlette.middleware.cors import CORSMiddleware as Starlette
from support.e2e.adapters import (
    asgi_application,
    by_django,
    count_asgi_requests,
    count_wsgi_requests,
    flask_application,
    wsgi_application,
)
from support.e2e.engines import RealBrowser
from support.e2e.pages import Pages, pages
from support.e2e.report import Report
from support.e2e.site import Site
from support.e2e.sockets import by_asgi, by_wsgi

from corsguard import Policy
from corsguard_wsgi import CORSMiddleware

# GET, POST, PUT, PATCH and DELETE on one URL, in JSON.
CALLS = """
const [url, headers] = args;
for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
  const body = method === "GET" || method === "DELETE" ? undefined : "{}";
  const type = body && { "Content-Type": "application/json" };
  await fetch(url, { method, body, headers: { ...headers, ...type } });
}
"""
WAIT = "await new Promise((resolve) => setTimeout(resolve, 1000 * args[0]))"
SECONDS = 6  # more than the five that a browser keeps an answer without max-age (Fetch)
TOKEN = {"Authorization": "Bearer token"}


class Counts(NamedTuple):
    """The number of preflights that a page needs for five methods on one URL."""

    methods: int
    with_token: int
    with_pause: int
    """The methods twice, with six seconds between."""


def corsguard(site: Site, page: str) -> AbstractContextManager[str]:
    policy = Policy(
        allow_origins=[page],
        allow_methods=["PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
    )
    return by_wsgi(count_wsgi_requests(site, CORSMiddleware(wsgi_application(site), policy)))


def flask_cors(site: Site, page: str) -> AbstractContextManager[str]:
    app = flask_application(site)
    CORS(app, origins=[page])
    return by_wsgi(count_wsgi_requests(site, app))


def django_cors_headers(site: Site, page: str) -> AbstractContextManager[str]:
    middleware = ["corsheaders.middleware.CorsMiddleware"]
    return by_django(site, MIDDLEWARE=middleware, CORS_ALLOWED_ORIGINS=[page])


def starlette(site: Site, page: str) -> AbstractContextManager[str]:
    app = Starlette(
        asgi_application(site), allow_origins=[page], allow_methods=["*"], allow_headers=["*"]
    )
    return by_asgi(count_asgi_requests(site, app))


SERVED = {
    "corsguard": corsguard,
    "flask-cors": flask_cors,
    "django-cors-headers": django_cors_headers,
    "starlette": starlette,
}
"""Each as its own documentation begins, for one origin."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Pages]:
    with pages() as served:
        yield served


def test_page_needs_the_documented_preflights(
    browser: RealBrowser, opened: Pages, report: Report
) -> None:
    sites = {name: Site() for name in SERVED}
    with ExitStack() as stack:
        urls = {
            name: stack.enter_context(serve(sites[name], opened.listed))
            for name, serve in SERVED.items()
        }
        browser.open(opened.listed)
        # Each URL is a separate key in the preflight cache.
        for url in urls.values():
            browser.run(CALLS, f"{url}/once", {})
            browser.run(CALLS, f"{url}/token", TOKEN)
            browser.run(CALLS, f"{url}/again", {})
        browser.run(WAIT, SECONDS)
        for url in urls.values():
            browser.run(CALLS, f"{url}/again", {})

    counts = {
        name: Counts(
            *(site.arrived.count(("OPTIONS", path)) for path in ("/once", "/token", "/again"))
        )
        for name, site in sites.items()
    }
    for name, found in counts.items():
        report.count("preflights", engine=browser.name, library=name, **found._asdict())
        summary = "{} for five methods, {} with a token, {} with a pause of six seconds"
        report.add(f"preflights, {name}, {browser.name}", summary.format(*found))
    assert counts == {
        "corsguard": (1, 1, 1),
        "flask-cors": (1, 2, 2),
        "django-cors-headers": (1, 1, 1),
        "starlette": (1, 2, 1),
    }
