"""The fixture `hosts`: pages and APIs at the origins that the documentation names."""

from __future__ import annotations

from fastapi import FastAPI
from flask import Flask
from support.e2e.named_hosts import NamedHosts

from corsguard_flask import CORSGuard
from corsguard_starlette import CORSGuard as StarletteGuard

PAGE = "<!doctype html><title>page</title>"
FETCH = "return (await fetch(args[0])).text()"


def test_page_reads_what_its_policy_allows(hosts: NamedHosts) -> None:
    flask, fastapi = Flask(__name__), FastAPI()
    flask.add_url_rule("/items", view_func=lambda: "from flask")
    fastapi.add_api_route("/items", lambda: "from fastapi")
    CORSGuard(flask, allow_origins=["https://app.example.com"])
    StarletteGuard(fastapi, allow_origins=["https://other.example"])
    hosts.serve(
        {
            "https://app.example.com": PAGE,
            "https://api.example.com": flask,
            "https://api.example.org": fastapi,
            "http://app.example.com": PAGE,
        }
    )
    hosts.open("https://app.example.com/")

    assert hosts.run("return [location.origin, isSecureContext]") == [
        "https://app.example.com",
        True,
    ]
    assert hosts.run(FETCH, "https://api.example.com/items") == "from flask"
    assert hosts.run(FETCH, "https://api.example.org/items") == "TypeError: Failed to fetch"
    assert any("https://api.example.org/items" in line for line in hosts.console())
    assert hosts.run(FETCH, "https://nothing.example/") == "TypeError: Failed to fetch"

    hosts.open("http://app.example.com/")
    assert hosts.run("return [location.origin, isSecureContext]") == [
        "http://app.example.com",
        False,
    ]
