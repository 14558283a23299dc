"""The cases that are being played: what each URL answers, and what arrived there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from support.e2e.differential.cases import Case, Hop, Sites, Wire

from corsguard import Engine
from corsguard.browser.messages import Answer, Sent

WITHOUT_BODY = {204, 304}


class Run:
    """The cases, by number; `/case/NUMBER/HOP` is the path of a hop."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.cases: list[Case] = []
        self.arrived: defaultdict[int, list[Wire]] = defaultdict(list)

    def take(self, cases: Sequence[Case]) -> range:
        """Play cases from now on; their numbers."""
        first = len(self.cases)
        self.cases.extend(cases)
        return range(first, len(self.cases))

    def url(self, number: int, hop: int) -> str:
        site: str = getattr(self.sites, self._hop(number, hop).site)
        return f"{site}/case/{number}/{hop}"

    def fill(self, text: str, number: int, hop: int = 0) -> str:
        """Return text with the URLs of this run filled in."""
        urls = {"first": self.url(number, 0), "next": self.url(number, hop + 1)}
        for name, url in (*urls.items(), *self.sites._asdict().items()):
            text = text.replace(f"{{{name}}}", url)
            text = text.replace(f"{{{name}-with-userinfo}}", url.replace("//", "//me:secret@"))
        return text

    def receive(self, number: int, hop: int, sent: Sent) -> Answer:
        """Note a request that arrived, and return its response."""
        self.arrived[number].append(Wire.of(sent))
        return self.answer(number, hop, sent)

    def answer(self, number: int, hop: int, sent: Sent) -> Answer:
        """Return the response to a request; hops beyond the last get the last one's."""
        status, headers, body = self._script(self._hop(number, hop), sent)
        filled = tuple((name, self.fill(value, number, hop)) for name, value in headers)
        # The HTTP cache is another matter.
        filled = (("Cache-Control", "no-store"), *filled)
        if status in WITHOUT_BODY:
            return Answer(status, filled)
        return Answer(status, (*filled, ("Content-Length", str(len(body)))), body)

    def _hop(self, number: int, hop: int) -> Hop:
        hops = self.cases[number].hops
        return hops[min(hop, len(hops) - 1)]

    @staticmethod
    def _script(hop: Hop, sent: Sent) -> Answer:
        if hop.policy is None:
            return hop.preflight if hop.preflight and Wire.of(sent).is_preflight else hop.actual
        fields = {name.lower(): value for name, value in sent.headers}
        engine = Engine(hop.policy)
        decision = engine.decide(fields.get("origin"), sent.method, fields, "cookie" in fields)
        if decision.status is not None:
            return Answer(decision.status, decision.headers)
        return hop.actual._replace(headers=hop.actual.headers + decision.headers)
