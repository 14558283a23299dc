"""What the model of a browser says of a case, and where a real one does something else."""

from __future__ import annotations

from urllib.parse import urlsplit

from e2e.differential.cases import Observation, Seen, Wire
from e2e.differential.play import Play

from corsguard.browser import Browser, EngineName
from corsguard.browser.exchange import Exchange
from corsguard.browser.messages import Answer, SendError, Sent


def exchanges(play: Play, number: int, engine: EngineName) -> list[Exchange]:
    """A case, played by the model of an engine."""
    case = play.cases[number]
    page = "null" if case.sandboxed else play.sites.page
    browser = Browser(page, engine=engine, clock=lambda: 0.0)

    def send(sent: Sent) -> Answer:
        match urlsplit(sent.url).path.split("/")[1:]:
            case ["case", of, hop]:
                return play.answer(int(of), int(hop), sent)
        raise SendError("nothing answers there")

    return [
        browser.play(request._replace(url=play.fill(request.url, number)), send)
        for request in case.requests
    ]


def observation(played: list[Exchange]) -> Observation:
    """The same, as one sees a real browser play it."""
    sent = [hop.sent for exchange in played for hop in exchange.hops if hop.answer is not None]
    return Observation(
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


def differences(expected: Observation, real: Observation) -> list[str]:
    """What the real browser did otherwise, in a line each."""
    pairs = {
        "the script saw": (expected.seen, real.seen),
        "on the wire": (expected.wire, real.wire),
    }
    return [
        f"# {what}\n#   predicted {wanted}\n#   really    {found}"
        for what, (wanted, found) in pairs.items()
        if wanted != found
    ]
