"""docs/development-and-production.md in Chromium: the origins of one machine, and Vite's file."""

from __future__ import annotations

import re

import pytest
from support.doc_pages import read_blocks, read_page
from support.e2e.named_hosts import NamedHosts
from support.e2e.pages import blank
from support.e2e.sockets import by_wsgi

from corsguard_wsgi import CORSMiddleware

NAME = "development-and-production"
ORIGINS = re.findall(r"^\| `(https?://[^`]+)` \| `(.+)` \|$", read_page(NAME), re.MULTILINE)


def test_file_of_vite_is_a_module(hosts: NamedHosts) -> None:
    [block] = read_blocks(NAME, "js")
    hosts.serve({"https://app.example.com": blank})
    hosts.open("https://app.example.com/")
    load = """
        const file = new Blob([args[0]], { type: "text/javascript" });
        return (await import(URL.createObjectURL(file))).default;
    """
    assert hosts.run(load, block.code) == {"server": {"proxy": {"/api": "http://localhost:5000"}}}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_page_over_https_may_fetch_from_localhost(scheme: str, hosts: NamedHosts) -> None:
    page = f"{scheme}://localhost"
    hosts.serve({page: blank})
    with by_wsgi(CORSMiddleware(blank, allow_origins=[page])) as api:
        hosts.open(f"{page}/")
        assert hosts.run("return (await fetch(args[0])).status", api) == 200


def test_addresses_have_the_origins_of_the_table(hosts: NamedHosts) -> None:
    hosts.open("about:blank")
    addresses = [address for address, _ in ORIGINS]
    origins = hosts.run("return args.map((address) => new URL(address).origin)", *addresses)
    assert origins == [origin for _, origin in ORIGINS]
    assert len(set(origins)) == 4
