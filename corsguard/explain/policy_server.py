"""A server that answers by the policies of a guard, without an application behind it."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from corsguard.browser.messages import Answer, Headers, Send, Sent
from corsguard.browser.url import URL
from corsguard.engine.decision import Reason
from corsguard.guard import Guard

__all__ = ["build_policy_server"]


def build_policy_server(guard: Guard) -> Send:
    """Return a send function that reaches, at every origin, an application behind guard.

    The application answers with status 200 to everything, but 405 to an OPTIONS request where no
    policy applies.
    """

    def send(sent: Sent) -> Answer:
        # Decoded once, as the router of an application sees it.
        path = unquote_to_bytes(URL.parse(sent.url).path).decode("utf-8", "replace")
        headers = Headers(sent.headers)
        decision = guard.decide(
            path, headers.get("origin"), sent.method, headers, "cookie" in headers
        )
        if decision.status is not None:
            return Answer(decision.status, tuple(decision.answer_headers), decision.body)
        is_unrouted = sent.method == "OPTIONS" and decision.reason is Reason.NO_POLICY
        return Answer(405 if is_unrouted else 200, decision.headers)

    return send
