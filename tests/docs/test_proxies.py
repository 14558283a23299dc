"""docs/proxies.md: what needs no proxy. tests/proxies/test_proxies_page.py has the rest."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest
from support.doc_pages import read_blocks
from support.page_code import run_python
from werkzeug.test import Client

from corsguard import Guard

OWN = {"Origin": "https://api.example.com", "Host": "10.0.0.7:8000"}
"""A request of the service's own page, where a proxy has replaced `Host`."""


def test_every_block_is_run_here_or_with_a_proxy() -> None:
    languages = Counter(block.language for block in read_blocks("proxies"))
    assert languages == {"nginx": 3, "sh": 2, "text": 1, "toml": 1, "python": 1}


def test_own_origins_recognise_what_a_proxy_hides() -> None:
    [block] = read_blocks("proxies", "toml")
    guard = Guard.from_mapping(tomllib.loads(block.code))
    unlisted = Guard(guard.policy_for("/"), enforce=True)
    assert guard.decide("/", OWN["Origin"], "POST", OWN).status is None
    assert unlisted.decide("/", OWN["Origin"], "POST", OWN).status == 403


def test_host_and_fetch_site_are_own_requests_in_their_order() -> None:
    [block] = read_blocks("proxies", "toml")
    guard = Guard.from_mapping(tomllib.loads(block.code))

    def decide(origin: str, **headers: str) -> int | None:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return guard.decide("/", origin, "POST", given).status

    assert decide("https://new.example", Host="new.example") is None
    assert decide("https://new.example", Host="other.example") == 403
    assert decide("https://new.example", Host="other.example", Sec_Fetch_Site="same-origin") is None
    assert decide(OWN["Origin"], Sec_Fetch_Site="cross-site") == 403


@pytest.mark.parametrize(("origin", "status"), [(OWN["Origin"], 404), ("https://a.example", 403)])
def test_proxy_fix_in_front_puts_the_host_in_place(origin: str, status: int) -> None:
    [block] = read_blocks("proxies", "python")
    app = run_python(block.code)["app"]
    headers = {**OWN, "Origin": origin, "X-Forwarded-Host": "api.example.com"}
    assert Client(app).post("/", headers=headers).status_code == status


def test_forwarded_headers_alone_are_not_read() -> None:
    [block] = read_blocks("proxies", "python")
    code = block.code.replace("app.wsgi_app = ", "unused = ")
    app = run_python(code)["app"]
    forwarded = {"X-Forwarded-Host": "api.example.com", "Forwarded": "host=api.example.com"}
    response = Client(app).post("/", headers={**OWN, **forwarded})
    assert response.status_code == 403
