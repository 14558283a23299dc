"""docs/cross-site-requests.md in Chromium: what a form and a script of each site reach."""

from __future__ import annotations

import tomllib

import pytest
from flask import Flask, Response
from flask import request as flask_request
from support.doc_pages import read_blocks
from support.e2e.named_hosts import NamedHosts

from corsguard import Guard
from corsguard_flask import CORSGuard

[REPORT, ENFORCED] = [
    tomllib.loads(block.code) for block in read_blocks("cross-site-requests", "toml")
]
API = "https://shop.example.com"
PAGE = f"""<!doctype html>
<form method="post" action="{API}/items" target="answer"><button>Send</button></form>
<iframe name="answer"></iframe>
"""
SUBMIT = """
const frame = document.querySelector("iframe");
const loaded = new Promise(resolve => frame.onload = resolve);
document.querySelector("form").submit();
await loaded;
"""
WRITE = f"""
const answer = await fetch("{API}/items", {{method: "POST", body: "pen", credentials: "include"}});
return answer.status;
"""


def build_shop(guard: Guard) -> tuple[Flask, list[str]]:
    """Return a shop whose cookie goes to it from every site, and the origins that wrote."""
    app, written = Flask("shop"), list[str]()

    @app.get("/")
    def index() -> Response:
        response = Response(PAGE)
        response.set_cookie("session", "1", secure=True, samesite="None")
        return response

    @app.post("/items")
    @app.post("/webhooks")
    def write() -> str:
        assert flask_request.cookies["session"] == "1"
        written.append(flask_request.headers["Origin"])
        return "written"

    CORSGuard(app, guard)
    return app, written


def serve(hosts: NamedHosts, guard: Guard) -> list[str]:
    app, written = build_shop(guard)
    hosts.serve({API: app, "https://app.example.com": PAGE, "https://evil.example": PAGE})
    hosts.open(f"{API}/")
    return written


@pytest.mark.parametrize(
    ("origin", "arrives"),
    [(API, True), ("https://app.example.com", True), ("https://evil.example", False)],
)
def test_form_of_each_site(hosts: NamedHosts, origin: str, arrives: bool) -> None:
    written = serve(hosts, Guard.from_mapping(ENFORCED))
    hosts.open(f"{origin}/")
    hosts.run(SUBMIT)
    assert written == [origin] * arrives


def test_script_of_each_site(hosts: NamedHosts) -> None:
    written = serve(hosts, Guard.from_mapping(ENFORCED))
    assert hosts.run(WRITE) == 200
    hosts.open("https://app.example.com/")
    assert hosts.run(WRITE) == 200
    hosts.open("https://evil.example/")
    assert hosts.run(WRITE) == "TypeError: Failed to fetch"
    assert hosts.run(WRITE.replace("/items", "/webhooks")) == "TypeError: Failed to fetch"
    assert written == [API, "https://app.example.com", "https://evil.example"]


def test_report_lets_the_form_arrive(hosts: NamedHosts) -> None:
    written = serve(hosts, Guard.from_mapping(REPORT))
    hosts.open("https://evil.example/")
    hosts.run(SUBMIT)
    assert written == ["https://evil.example"]
