"""docs/graphql.md: what the requests of GraphQL clients need, tried on the page's application."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.doc_pages import read_blocks

from corsguard.browser import Blocked, Browser, Cookie

PAGE = "graphql"
APP, API, EVIL = "https://app.example.com", "https://api.example.com", "https://evil.example"
JSON = {"Content-Type": "application/json"}
QUERY = json.dumps({"query": "{ items }"})
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
UPLOAD = (
    '--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n'
    '{"query": "mutation { deleteAll }"}\r\n--x--\r\n'
)
COOKIE = Cookie("session", "ada", "api.example.com", secure=True, same_site="None")


def run_application(change: tuple[str, str] = ("", "")) -> Any:
    code = read_blocks(PAGE, "python")[0].code.replace(*change)
    names: dict[str, Any] = {"__name__": "main"}
    exec(compile(code, f"{PAGE}.md", "exec"), names)
    return names["app"]


def open_browser(app: Any, page: str = APP) -> Browser:
    return Browser.on(app, page=page, url=API, cookies=[COOKIE])


def test_page_has_no_other_blocks() -> None:
    # tests/e2e runs the js, and tests/ecosystem the application with Strawberry.
    languages = [block.language for block in read_blocks(PAGE)]
    assert languages == ["python", "js", "js", "python"]
    assert "strawberry" in read_blocks(PAGE)[3].code


@pytest.mark.parametrize(
    ("request_", "preflights"),
    [
        ({"method": "POST", "headers": JSON, "body": QUERY}, 1),
        ({"url": "/graphql?query=%7B+items+%7D"}, 0),
        ({"method": "POST", "headers": MULTIPART, "body": UPLOAD}, 0),
        ({"method": "POST", "headers": {**JSON, "Authorization": "x"}, "body": QUERY}, 1),
        ({"url": "/graphql?query=%7B%7D", "headers": {"Apollo-Require-Preflight": "true"}}, 1),
        (
            {
                "url": "/graphql?query=%7B%7D",
                "headers": {"Accept": "application/graphql-response+json"},
            },
            0,
        ),
    ],
    ids=["json", "get", "upload", "authorization", "apollo", "accept"],
)
def test_request_needs_what_the_table_says(request_: dict[str, Any], preflights: int) -> None:
    browser = open_browser(run_application())
    arguments = {"url": "/graphql", **request_}
    assert browser.fetch(credentials="include", **arguments).status == 200
    assert browser.preflights == preflights


def test_all_queries_share_a_preflight() -> None:
    browser = open_browser(run_application())
    for _ in range(3):
        browser.fetch("/graphql", method="POST", headers=JSON, body=QUERY)
    assert browser.preflights == 1


def test_error_of_a_query_is_read() -> None:
    browser = open_browser(run_application())
    assert browser.fetch("/graphql", method="POST", headers=JSON, body="{").status == 400


def test_content_type_must_be_listed() -> None:
    app = run_application(('        "Content-Type",\n', ""))
    with pytest.raises(Blocked, match="content-type"):
        open_browser(app).fetch("/graphql", method="POST", headers=JSON, body=QUERY)


@pytest.mark.parametrize(("enforce", "status"), [(True, 403), (False, 200)])
def test_upload_of_another_site_is_refused(enforce: bool, status: int) -> None:
    app = run_application(("", "") if enforce else ("    enforce=True,\n", ""))
    with pytest.raises(Blocked) as caught:
        open_browser(app, EVIL).fetch(
            "/graphql", method="POST", headers=MULTIPART, body=UPLOAD, credentials="include"
        )
    [hop] = caught.value.exchange.hops
    assert hop.answer is not None
    assert hop.answer.status == status
    assert ("Cookie", "session=ada") in hop.sent.headers
