"""docs/cookies.md in Chromium: the table of cookies, and the page's JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from support.cookie_rows import ATTRIBUTES, ROWS, CookieRow, build_api
from support.doc_pages import read_blocks
from support.e2e.named_hosts import NamedHosts
from support.e2e.pages import blank
from support.e2e.sockets import by_wsgi
from support.page_code import run_python
from support.page_django import use_django

from corsguard_flask import CORSGuard

PAGE, API = "https://app.example.com", "https://api.example.com"
CALL = """
const [api] = args, credentials = "include";
await fetch(`${api}/login`, { method: "POST", credentials });
return (await fetch(`${api}/me`, { credentials })).text();
"""


@contextmanager
def serve(row: CookieRow, attributes: str, hosts: NamedHosts) -> Iterator[CookieRow]:
    """Serve the page and the API of a row, and yield the row with their real ports."""
    if row.page.startswith("https:"):
        hosts.serve({row.page: blank, row.api: build_api(row, attributes)})
        yield row
        return
    with by_wsgi(blank) as url:
        page = url.replace("localhost", row.page.split("/")[2].partition(":")[0])
        with by_wsgi(build_api(row._replace(page=page), attributes)) as api:
            yield row._replace(page=page, api=api)


@pytest.mark.parametrize("attributes", ATTRIBUTES)
@pytest.mark.parametrize("row", ROWS)
def test_table_has_the_cookies_that_chromium_sends(
    row: CookieRow, attributes: str, hosts: NamedHosts
) -> None:
    with serve(row, attributes, hosts) as served:
        hosts.open(f"{served.page}/")
        received = hosts.run(CALL, served.api)
    assert received == ("user=ada" if row.is_sent(attributes) else "")


def test_login_of_the_page_gets_its_response(hosts: NamedHosts) -> None:
    app = Flask(__name__)
    app.add_url_rule("/login", view_func=lambda: "welcome", methods=["POST"])
    CORSGuard(app, allow_origins=[PAGE], allow_credentials=True)
    hosts.serve({PAGE: blank, API: app})
    hosts.open(f"{PAGE}/")
    login, _ = (block.code for block in read_blocks("cookies", "js"))
    assert hosts.run(f"{login} return response.text()") == "welcome"


def test_page_posts_with_the_token_of_django(hosts: NamedHosts) -> None:
    *_, settings, token = (block.code for block in read_blocks("cookies", "python"))
    _, post = (block.code for block in read_blocks("cookies", "js"))
    with use_django(run_python(settings), run_python(token)["csrf"]) as app:
        hosts.serve({PAGE: blank, API: app})
        hosts.open(f"{PAGE}/")
        without = post.replace("credentials, headers", "credentials")
        assert hosts.run(f"{without} return response.status") == 403
        assert hosts.run(f"{post} return response.text()") == "added"


@pytest.mark.parametrize(("attributes", "received"), [("", ""), ("; Partitioned", "user=ada")])
def test_partitioned_cookie_is_sent_where_others_are_blocked(
    attributes: str, received: str, hosts: NamedHosts
) -> None:
    row = ROWS[-1]
    hosts.serve({row.page: blank, row.api: build_api(row, f"{row.sent}{attributes}")})
    with third_party_cookies_blocked(hosts):
        hosts.open(f"{row.page}/")
        assert hosts.run(CALL, row.api) == received


@contextmanager
def third_party_cookies_blocked(hosts: NamedHosts) -> Iterator[None]:
    """Block third-party cookies, as Chrome's setting does, until the end of the block."""

    def restrict(enabled: bool) -> None:
        controls = {
            "enableThirdPartyCookieRestriction": enabled,
            "disableThirdPartyCookieMetadata": False,
            "disableThirdPartyCookieHeuristics": False,
        }
        hosts.chromium.driver.execute_cdp_cmd("Network.enable", {})
        hosts.chromium.driver.execute_cdp_cmd("Network.setCookieControls", controls)

    restrict(True)
    try:
        yield
    finally:
        restrict(False)
