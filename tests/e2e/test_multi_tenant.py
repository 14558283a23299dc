"""docs/multi-tenant.md: the frontends of two tenants and their APIs in Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.e2e.named_hosts import NamedHosts
from support.tenants import run_application, write_application

PAGE = "<!doctype html><title>shop</title><link rel=icon href='data:,'>"
CALL = """
const [url, method] = args;
return (await fetch(`${url}/items`, { method, credentials: "include" })).status;
"""


def test_tenants_are_apart(
    hosts: NamedHosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_application(tmp_path)
    monkeypatch.chdir(tmp_path)
    app = run_application()["app"]
    frontends = {
        "ada": ("https://ada.shops.example.com", "https://www.ada.example"),
        "bo": ("https://bo.shops.example.com",),
    }
    pages = [page for each in frontends.values() for page in each]
    apis = {tenant: f"https://{tenant}.api.example.com" for tenant in frontends}
    hosts.serve({**dict.fromkeys(pages, PAGE), **dict.fromkeys(apis.values(), app)})

    for tenant, origins in frontends.items():
        for page in origins:
            hosts.open(page)
            for api, url in apis.items():
                allowed = api == tenant
                assert hosts.run(CALL, url, "GET") == (
                    200 if allowed else "TypeError: Failed to fetch"
                )
                # 405 is a response that the page can read.
                assert hosts.run(CALL, url, "POST") == (
                    405 if allowed else "TypeError: Failed to fetch"
                )
