"""The application that `probe` sends requests to in the tests."""

from __future__ import annotations

from typing import Any

from corsguard import Reason

__all__ = ["service"]


def service(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer 200, but 405 to OPTIONS where no policy applies, as the policy server does."""
    is_unrouted = environ["REQUEST_METHOD"] == "OPTIONS" and (
        environ["corsguard.decision"].reason is Reason.NO_POLICY
    )
    start_response("405 Method Not Allowed" if is_unrouted else "200 OK", [("Content-Length", "0")])
    return []
