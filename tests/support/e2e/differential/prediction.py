"""The model's prediction for a case, and its differences from a real browser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from support.e2e.differential.cases import Case, Observation, Seen, Wire
from support.e2e.differential.run import Run

from corsguard.browser import Browser, EngineName
from corsguard.browser.exchange import Exchange
from corsguard.browser.messages import Answer, SendError, Sent


def play_case(run: Run, number: int, engine: EngineName) -> list[Exchange]:
    """Play a case in the model of an engine."""
    case = run.cases[number]
    page = "null" if case.sandboxed else run.sites.page
    browser = Browser(page, engine=engine, clock=lambda: 0.0)

    def send(sent: Sent) -> Answer:
        match urlsplit(sent.url).path.split("/")[1:]:
            case ["case", of, hop]:
                return run.answer(int(of), int(hop), sent)
        raise SendError("nothing answers there")

    return [
        browser.play(request._replace(url=run.fill(request.url, number)), send)
        for request in case.requests
    ]


def build_observation(played: list[Exchange]) -> Observation:
    """Build the observation that a real browser would give of these exchanges."""
    sent = [hop.sent for exchange in played for hop in exchange.hops if hop.answer is not None]
    return Observation(
        played[0].engine,
        tuple(_seen(exchange) for exchange in played),
        tuple(Wire.of(each) for each in sent),
        tuple(exchange.console for exchange in played if exchange.console),
    )


def _seen(exchange: Exchange) -> Seen:
    response = exchange.response
    if response is None:
        return Seen("blocked")
    # An XMLHttpRequest does not tell it.
    type_ = "" if exchange.request.upload_listener else response.type
    headers = tuple(sorted((name.lower(), value) for name, value in response.headers.items()))
    return Seen("allowed", type_, response.status, headers)


def find_differences(case: Case, expected: Observation, real: Observation) -> list[str]:
    """Return the differences of the real browser, in a few lines each."""
    pairs: dict[str, tuple[object, object]] = {
        "the script saw": (expected.seen, real.seen),
        "on the wire": (expected.wire, real.wire),
    }
    # Chromium's console, which is the one that the model speaks; that of a frame in another
    # process can't be read, and a line without the URL of a case belongs to none.
    if real.engine == "chromium" and not case.sandboxed:
        said = "\n".join(_without_header(line) for line in real.console)
        sentences = [_without_header(each) for each in expected.console if "/case/" in each]
        unsaid = [each for each in sentences if each not in said]
        pairs["in the console"] = (unsaid, real.console if unsaid else [])
    return [
        f"# {what}\n#   predicted {wanted}\n#   really    {found}"
        for what, (wanted, found) in pairs.items()
        if wanted != found
    ]


def _without_header(line: str) -> str:
    # Which of several refused headers it names follows no order that a model could know.
    return re.sub(r"Request header field \S+ ", "Request header field ", line)
