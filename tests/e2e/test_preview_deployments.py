"""docs/preview-deployments.md: which previews send cookies to an API, and read what it responds."""

from __future__ import annotations

import tomllib
from typing import Any

from flask import Flask, request
from support.doc_pages import read_blocks
from support.e2e.named_hosts import NamedHosts

from corsguard import Guard
from corsguard_flask import CORSGuard

PAGE = "<!doctype html><title>preview</title>"
API = "https://api.example.com"
READ = """
const [url] = args;
return (await fetch(`${url}/me`, { credentials: "include" })).text();
"""


def serve(hosts: NamedHosts, guard: Guard, same_site: str) -> None:
    """Serve an API with a session of the browser, and the previews of two hosts."""
    app = Flask(__name__)
    CORSGuard(app, guard)

    @app.get("/sign-in")
    def sign_in() -> tuple[str, dict[str, str]]:
        cookie = f"session=ada; Path=/; Secure; HttpOnly; SameSite={same_site}"
        return "signed in", {"Set-Cookie": cookie}

    @app.get("/me")
    def me() -> str:
        return request.cookies.get("session", "nobody")

    pages = ("https://pr-12.preview.example.com", "https://app-evil-team.vercel.app")
    hosts.serve({API: app, **dict.fromkeys(pages, PAGE)})
    hosts.open(f"{API}/sign-in")


def read_from(hosts: NamedHosts, page: str) -> Any:
    hosts.open(page)
    return hosts.run(READ, API)


def test_own_domain_sends_lax_cookies(hosts: NamedHosts) -> None:
    names: dict[str, Any] = {}
    exec(read_blocks("preview-deployments", "python")[0].code, names)
    serve(hosts, Guard(names["policy"]), "Lax")

    assert read_from(hosts, "https://pr-12.preview.example.com") == "ada"
    assert read_from(hosts, "https://app-evil-team.vercel.app") == "TypeError: Failed to fetch"


def test_foreign_domain_gets_no_lax_cookie(hosts: NamedHosts) -> None:
    block = read_blocks("preview-deployments", "toml")[1]
    serve(hosts, Guard.from_mapping(tomllib.loads(block.code)), "Lax")

    assert read_from(hosts, "https://app-evil-team.vercel.app") == "nobody"
