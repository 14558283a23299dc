"""What a server behind corsguard answers: the policies, without the application."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from corsguard.browser.messages import Answer, Headers, Send, Sent
from corsguard.browser.url import URL
from corsguard.engine.decision import Reason
from corsguard.guard import Guard

__all__ = ["policy_server"]


def policy_server(guard: Guard) -> Send:
    """A send function that reaches, at every origin, an application behind guard.

    The application answers 200 to everything, but 405 to OPTIONS where no policy holds.
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
        is_unknown = sent.method == "OPTIONS" and decision.reason is Reason.NO_POLICY
        return Answer(405 if is_unknown else 200, decision.headers)

    return send
