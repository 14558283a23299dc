"""README.md in Chromium: what a page gets from each block, and the picture."""

from __future__ import annotations

from typing import Any

import pytest
from support.doc_pages import read_blocks
from support.doc_programs import run_block
from support.e2e.named_hosts import NamedHosts
from tools.pictures import PICTURE

PAGE = "<!doctype html><title>page</title>"
SEND = """
const headers = {"Content-Type": "application/json"};
const answer = await fetch(args[0], {method: "POST", headers, body: "{}"});
return await answer.text();
"""


def application(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"items":["pen"]}']


@pytest.mark.parametrize("package", ["corsguard_flask", "corsguard_starlette", "corsguard_wsgi"])
def test_page_reads_the_items(hosts: NamedHosts, package: str) -> None:
    [block] = [block for block in read_blocks("../README", "python") if package in block.code]
    # The servers of these tests have no port but those of http and https.
    page, other = "http://localhost", "http://other.example"
    code = block.code.replace("http://localhost:3000", page)
    app = run_block(block._replace(code=code), app=application)["app"]
    hosts.serve({page: PAGE, other: PAGE, "http://api.example.com": app})
    items = "http://api.example.com/items"

    hosts.open(f"{page}/")
    assert "pen" in hosts.run("return await (await fetch(args[0])).text()", items)
    sent = hosts.run(SEND, items)
    assert ("pen" in sent) is (package != "corsguard_starlette"), sent  # which has no such route
    assert "TypeError" not in sent

    hosts.open(f"{other}/")
    assert hosts.run(SEND, items) == "TypeError: Failed to fetch"


def test_picture_is_drawn_without_a_request(hosts: NamedHosts) -> None:
    page = '<!doctype html><img src="/explain.svg">'

    async def site(scope: Any, receive: Any, send: Any) -> None:
        is_picture = scope["path"] == "/explain.svg"
        asked.append(scope["path"])
        text = PICTURE.read_text(encoding="utf-8") if is_picture else page
        kind = b"image/svg+xml" if is_picture else b"text/html"
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]}
        )
        await send({"type": "http.response.body", "body": text.encode()})

    asked: list[str] = []
    hosts.serve({"https://docs.example.com": site})
    hosts.open("https://docs.example.com/")
    script = "const image = document.images[0]; await image.decode(); return image.naturalWidth"
    assert hosts.run(script) > 0
    assert set(asked) <= {"/", "/explain.svg", "/favicon.ico"}
