"""Look-ups and callables that see the request, under WSGI and Flask."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from support.stacks.wsgi import application, environ_of, through_validator

from corsguard import CORSRequest, Guard, OriginLookup, Policy, PolicyError
from corsguard_flask import CORSGuard, cors_policy
from corsguard_wsgi import CORSMiddleware

APP, EVIL = "https://app.one.example", "https://evil.example"


def allow_tenant(origin: str, request: CORSRequest) -> bool:
    return origin == f"https://app.{request.host}" and request.path != "/closed"


def is_allowed(app: Any, path: str, host: str, origin: str = APP, method: str = "GET") -> bool:
    headers = [("Host", host), ("Origin", origin)]
    if method == "OPTIONS":
        headers.append(("Access-Control-Request-Method", "GET"))
    _, fields, _ = through_validator(app, environ_of(method, path, headers))
    return "access-control-allow-origin" in {name.lower() for name, _ in fields}


def flask_app(entry: Any, *, by_view: bool) -> Flask:
    app = Flask(__name__)

    def view(name: str = "") -> str:
        return name

    if by_view:
        view = cors_policy(allow_origins=[entry])(view)
    app.add_url_rule("/<name>", "view", view)
    CORSGuard(app, allow_origins=["https://listed.example"] if by_view else [entry])
    return app


def wsgi_app(entry: Any) -> Any:
    return CORSMiddleware(application, Policy(allow_origins=[entry]))


@pytest.mark.parametrize("is_lookup", [False, True])
@pytest.mark.parametrize(
    "build",
    [
        wsgi_app,
        lambda entry: flask_app(entry, by_view=False),
        lambda entry: flask_app(entry, by_view=True),
    ],
    ids=["WSGI", "Flask", "a view of Flask"],
)
def test_tenants_on_two_hosts_never_read_each_others_answers(build: Any, is_lookup: bool) -> None:
    app = build(OriginLookup(allow_tenant) if is_lookup else allow_tenant)
    for _ in range(3):
        for method in ("GET", "OPTIONS"):
            assert is_allowed(app, "/items", "one.example", method=method)
            assert not is_allowed(app, "/items", "two.example", method=method)
            assert not is_allowed(app, "/closed", "one.example", method=method)
            assert not is_allowed(app, "/items", "one.example", EVIL, method=method)


def test_lookup_is_asked_once_and_can_be_told_to_forget() -> None:
    tenants = {APP}
    lookup = OriginLookup(lambda origin: origin in tenants)
    app = wsgi_app(lookup)
    for _ in range(3):
        assert is_allowed(app, "/items", "one.example")
        assert not is_allowed(app, "/items", "one.example", EVIL)
    assert lookup.stats.questions == 2
    assert lookup.stats.hits == 2  # of the refused origin: the cache has answered for the other
    tenants.clear()
    lookup.forget(APP)
    assert not is_allowed(app, "/items", "one.example")


def test_async_lookup_does_not_start_under_wsgi() -> None:
    async def allow(origin: str) -> bool:
        raise NotImplementedError

    with pytest.raises(PolicyError, match="callable-async") as caught:
        wsgi_app(OriginLookup(allow))
    assert "OriginLookup(" in str(caught.value)
    guard = Guard(Policy(allow_origins=[OriginLookup(allow)]))
    assert guard.adapter.has_async_callables
