"""docs/graphql.md: queries of the page, and an upload of another site, in Chromium."""

from __future__ import annotations

from typing import Any

import pytest
from support.doc_pages import read_blocks
from support.e2e.named_hosts import NamedHosts

APP, API, EVIL = "https://app.example.com", "https://api.example.com", "https://evil.example"
PAGE = "<!doctype html><title>page</title><link rel=icon href='data:,'>"
QUERY, UPLOAD = (block.code for block in read_blocks("graphql", "js"))


def serve(hosts: NamedHosts, *, enforce: bool = True) -> list[tuple[str, int]]:
    """Serve the page's application, and return the method and status of each response."""
    code = read_blocks("graphql", "python")[0].code
    names: dict[str, Any] = {"__name__": "main"}
    exec(code if enforce else code.replace("    enforce=True,\n", ""), names)
    app, responses = names["app"], []

    def counted(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: Any, error: Any = None) -> Any:
            responses.append((environ["REQUEST_METHOD"], int(status[:3])))
            return start_response(status, headers, error)

        return app(environ, start)

    hosts.serve({API: counted, APP: PAGE, EVIL: PAGE})
    return responses


def test_query_is_read_after_a_preflight(hosts: NamedHosts) -> None:
    responses = serve(hosts)
    hosts.open(APP)
    assert hosts.run(QUERY + "return data;") == {"ran": "{ items }"}
    assert responses == [("OPTIONS", 204), ("POST", 200)]


@pytest.mark.parametrize(("enforce", "status"), [(True, 403), (False, 200)])
def test_upload_of_another_site(hosts: NamedHosts, enforce: bool, status: int) -> None:
    responses = serve(hosts, enforce=enforce)
    hosts.open(EVIL)
    assert hosts.run(UPLOAD) is None
    assert responses == [("POST", status)]
