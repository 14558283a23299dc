"""The policies that the servers under load are given in turn, and what each of them answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from corsguard import Decision, Guard, Policies, Policy

PATH = "/load"
BROKEN = "/load/broken"
"""Where the application raises after its first chunk."""
APP, EVIL = "https://app.example", "https://evil.example"
NUMBERS = range(8)

Fields = tuple[tuple[str, str], ...]


def policy(number: int) -> Policy:
    """Build a policy whose number shows in each field and in the origins that it allows."""
    return Policy(
        allow_origins=[APP, origin_of(number)],
        allow_credentials=number % 2 == 0,
        allow_methods=["PUT", f"METHOD-{number}"],
        allow_headers=["X-Load", f"X-Asked-{number}"],
        expose_headers=[f"X-Exposed-{number}"],
        max_age=number,
    )


def origin_of(number: int) -> str:
    """Return an origin that only this policy lists."""
    return f"https://p{number}.example"


class LoadRequest(NamedTuple):
    """A request to each server, and to the guard that predicts its response."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def origin(self) -> str | None:
        return dict(self.headers).get("origin")


class Expected:
    """The expected responses of each policy, as a guard in this process decides them."""

    def __init__(self) -> None:
        self._guards = [Guard({PATH: policy(number)}, enforce=True) for number in NUMBERS]
        self.of = lru_cache(1_024)(self._of)
        """The decisions of all policies, cached: most requests repeat."""

    def _of(self, asked: LoadRequest) -> list[Decision]:
        headers = dict(asked.headers)
        cookie = "cookie" in headers
        return [
            guard.decide(asked.path, asked.origin, asked.method, headers, cookie)
            for guard in self._guards
        ]


def routes_with(policies: Policies, number: int) -> Policies:
    """Return an application's own routes, and the policy of that number for `/load`."""
    own = policies if isinstance(policies, Mapping) else {}
    return {**own, PATH: policy(number)}
