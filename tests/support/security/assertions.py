"""Requests to the stacks of tests/adapters, and assertions about their responses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from support.application import Fields
from support.table import HOST, Answer, Stack, by_name, preflight

from corsguard import Guard, Policy

COM = "https://example.com"
EVIL = "https://evil.example"
COOKIE = ("Cookie", "a=b")
PROTOCOL = "access-control-"

Routes = Mapping[str, Policy | None]


def build_policy(*origins: str | re.Pattern[str], credentials: bool = True) -> Policy:
    return Policy(
        allow_origins=origins,
        allow_credentials=credentials,
        allow_methods=["PUT"],
        allow_headers=["X-A"],
    )


PUBLIC = build_policy("*", credentials=False)


def ask(
    stack: Stack,
    policies: Guard | Policy | Routes,
    headers: Fields,
    method: str = "GET",
    path: str = "/items",
    host: str = HOST,
) -> Answer:
    guard = policies if isinstance(policies, Guard) else Guard(policies)
    return stack.build(guard).send(method, path, [("Host", host), *headers])


def allowed_origin(answer: Answer) -> str | None:
    """Return the origin that may read the response; assert that no other CORS field is sent."""
    fields = by_name(answer.headers)
    origin = fields.get("access-control-allow-origin")
    assert origin or not any(name.startswith(PROTOCOL) for name in fields)
    return origin


def allowed_origin_at(stack: Stack, policies: Routes, path: str, origin: str = EVIL) -> str | None:
    return allowed_origin(ask(stack, policies, [("Origin", origin)], path=path))


def assert_refused(stack: Stack, policy: Policy, origins: Iterable[str]) -> None:
    """Assert a refusal of GET, POST and preflight, with and without cookie and enforcement."""
    for origin in origins:
        for cookies in ([], [COOKIE]):
            for method in ("GET", "POST"):
                answer = ask(stack, policy, [("Origin", origin), *cookies], method)
                assert (allowed_origin(answer), by_name(answer.headers)["vary"]) == (None, "Origin")
            answer = ask(stack, policy, [*preflight(origin), *cookies], "OPTIONS")
            assert (allowed_origin(answer), answer.status, answer.called) == (None, 403, False)
            enforced = Guard(policy, enforce=True)
            answer = ask(stack, enforced, [("Origin", origin), *cookies], "POST")
            assert (allowed_origin(answer), answer.status, answer.called) == (None, 403, False)


def assert_allowed(stack: Stack, policy: Policy, *origins: str) -> None:
    for origin in origins:
        assert allowed_origin(ask(stack, policy, [("Origin", origin)])) == origin
        assert allowed_origin(ask(stack, policy, preflight(origin), "OPTIONS")) == origin
