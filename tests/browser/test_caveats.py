"""Caveats: mixed content, and the user's own network."""

from __future__ import annotations

import pytest
from support.scripted_server import API, OTHER, PAGE, allow, play, redirect


def list_codes(page: str, url: str) -> list[str]:
    exchange = play(allow(origin="*"), page=page, url=url)
    assert exchange.allowed
    return [caveat.code for caveat in exchange.caveats]


@pytest.mark.parametrize(
    ("page", "url", "mixed"),
    [
        (PAGE, "http://api.example.com/", True),
        (PAGE, API, False),
        ("http://app.example.com", "http://api.example.com/", False),
        ("null", "http://api.example.com/", False),
    ],
)
def test_mixed_content_is_reported(page: str, url: str, mixed: bool) -> None:
    assert list_codes(page, url) == (["mixed-content"] if mixed else [])


@pytest.mark.parametrize(
    ("page", "url", "asks"),
    [
        (PAGE, "http://localhost:8000/", True),
        (PAGE, "http://127.0.0.1:8000/", True),
        (PAGE, "http://[::1]:8000/", True),
        (PAGE, "https://192.168.0.1/", True),
        (PAGE, "https://10.0.0.1/", True),
        (PAGE, "https://100.64.0.1/", True),
        (PAGE, "https://169.254.0.1/", True),
        (PAGE, "https://[fd00::1]/", True),
        (PAGE, "https://printer.local/", True),
        (PAGE, "https://8.8.8.8/", False),
        (PAGE, API, False),
        ("https://192.168.0.2", "https://192.168.0.1/", False),
        ("https://192.168.0.2", "http://localhost:8000/", True),
        ("http://localhost:3000", "http://localhost:8000/", False),
        ("http://localhost:3000", "https://192.168.0.1/", False),
        ("null", "http://localhost:8000/", False),
        ("app://1.2.3", "https://192.168.0.1/", True),
        ("app://1.2.3", API, False),
        ("app://localhost", "https://192.168.0.1/", False),
    ],
)
def test_local_network_access_is_reported(page: str, url: str, asks: bool) -> None:
    assert list_codes(page, url) == (["local-network-access"] if asks else [])


def test_caveats_of_all_hops_are_reported_once() -> None:
    plain = "http://other.example/"
    exchange = play(
        redirect(plain, origin=PAGE),
        redirect(plain, origin="null"),
        redirect("http://localhost/", origin="null"),
        allow(origin="null"),
    )
    assert [caveat.code for caveat in exchange.caveats] == [
        "mixed-content",
        "local-network-access",
    ]
    assert exchange.caveats[0].text == (
        f"mixed content: {PAGE} is https, and browsers block requests to http://other.example"
    )
    assert exchange.caveats[1].text.endswith(
        f"asks the user for permission before {PAGE} may reach it"
    )
    assert play(allow(), url=OTHER).caveats == ()
