"""The cost of the shadow mode beside that of the policy in force: `python -m tools.shadow_cost`.

Both are differences to the application alone, in microseconds for a request with `Origin`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from timeit import repeat
from typing import Any

from corsguard import Policy
from corsguard_wsgi import CORSMiddleware

__all__ = ["main", "measure"]

ORIGIN = "https://app.example"
PLAIN = [("Content-Type", "text/plain"), ("Content-Length", "2")]
OLD = [
    *PLAIN,
    ("Access-Control-Allow-Origin", ORIGIN),
    ("Access-Control-Allow-Credentials", "true"),
    ("Vary", "Origin"),
]
POLICY = Policy(allow_origins=[ORIGIN], allow_credentials=True)


def measure(*, has_cookie: bool, number: int = 1_000, times: int = 100) -> tuple[float, float]:
    """Return the cost of the policy in force, and that of the shadow mode, in microseconds."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api",
        "HTTP_ORIGIN": ORIGIN,
        "HTTP_HOST": "api.example",
        "HTTP_SEC_FETCH_MODE": "cors",
        "HTTP_SEC_FETCH_SITE": "cross-site",
        **({"HTTP_COOKIE": "session=1"} if has_cookie else {}),
    }

    def build(headers: list[tuple[str, str]]) -> Any:
        def application(_: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [*headers])
            return [b"ok"]

        return application

    def cost(app: Any) -> float:
        run: Callable[[], object] = lambda: app(environ, lambda *_: None)  # noqa: E731
        return min(repeat(run, number=number, repeat=times)) / number * 1e6

    plain, old = build(PLAIN), build(OLD)  # the new policy replaces the old layer
    in_force = cost(CORSMiddleware(plain, POLICY)) - cost(plain)
    shadowed = cost(CORSMiddleware(old, POLICY, shadow=True)) - cost(old)
    return in_force, shadowed


def main() -> None:
    """Print a line for requests with and without a cookie."""
    logging.getLogger("corsguard").setLevel(logging.ERROR)
    for has_cookie in (False, True):
        in_force, shadowed = measure(has_cookie=has_cookie)
        kind = "with a cookie" if has_cookie else "without a cookie"
        print(f"{kind}: in force {in_force:.2f}, shadow {shadowed:.2f} microseconds")  # noqa: T201


if __name__ == "__main__":
    main()
