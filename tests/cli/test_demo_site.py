from __future__ import annotations

import json
import re

import pytest
from support.demo_visit import Running, ask


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/demo.css", "text/css; charset=utf-8"),
        ("/demo.js", "text/javascript; charset=utf-8"),
        ("/card.js", "text/javascript; charset=utf-8"),
        ("/calls.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/settings.json", "application/json"),
    ],
)
def test_page_is_the_same_on_both_origins(demo: Running, path: str, content_type: str) -> None:
    here, there = ask(demo.origins.frontend, path), ask(demo.origins.stranger, path)

    assert here.status == there.status == 200
    assert here.body == there.body
    assert here.header("Content-Type") == content_type
    assert here.header("X-Content-Type-Options") == "nosniff"


def test_page_loads_from_its_own_origin_and_calls_the_api(demo: Running) -> None:
    policy = ask(demo.origins.frontend, "/").header("Content-Security-Policy")

    assert policy is not None
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "img-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": f"'self' {demo.origins.api}",
    }


def test_page_refers_to_no_other_host(demo: Running) -> None:
    for path in ("/", "/demo.css", "/demo.js", "/card.js", "/calls.js"):
        page = ask(demo.origins.frontend, path).body

        assert "//" not in re.sub(r"(?m)^\s*//( .*)?$", "", page)  # comments aside


def test_settings_have_the_origins_and_the_policy(demo: Running) -> None:
    settings = json.loads(ask(demo.origins.stranger, "/settings.json").body)

    assert settings == {
        **demo.origins._asdict(),
        "policy": {
            "allow_origins": [demo.origins.frontend],
            "allow_credentials": True,
            "allow_methods": ["PUT", "DELETE"],
            "allow_headers": ["Content-Type", "Authorization", "X-Demo-Trace"],
            "expose_headers": ["X-Total-Count"],
            "max_age": 7200,
        },
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/../api.py", 404, "there is nothing here\n"),
        ("GET", "/index.html", 404, "there is nothing here\n"),
        ("POST", "/", 405, "only GET and HEAD\n"),
        ("HEAD", "/", 200, ""),
    ],
)
def test_site_serves_nothing_else(
    demo: Running, method: str, path: str, status: int, body: str
) -> None:
    answer = ask(demo.origins.frontend, path, method)

    assert (answer.status, answer.body) == (status, body)
