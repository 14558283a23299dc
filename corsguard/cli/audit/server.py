"""The server that is audited, as seen from outside: what it answers to whom."""

from __future__ import annotations

from corsguard.browser.engine_quirks import ENGINES
from corsguard.browser.messages import Fields, Send, Sent
from corsguard.browser.safelist import list_unsafe_names
from corsguard.cli.audit.catalogue import Evidence
from corsguard.cli.audit.origins import strangers
from corsguard.fetch_spec import REQUEST_HEADERS, REQUEST_METHOD, is_forbidden_request_header
from corsguard.origin import Origin

__all__ = ["Server"]

_COOKIE = ("Cookie", "corsguard=audit")
_HIDDEN = "..."


class Server:
    """Asks for one URL, and remembers: the same request is sent once.

    What is sent for the user, such as `Authorization`, is hidden in the evidence.
    """

    def __init__(self, send: Send, url: str, page: Origin, fields: Fields = ()) -> None:
        """Prepare to ask for url as page and others would, with these fields on requests.

        Preflights carry none of the fields, only the names of those that need one (Fetch,
        "CORS-preflight fetch").
        """
        self.url = url
        self.page = str(page)
        self.page_origin = page
        self.stranger, *self.other_strangers = strangers(page)
        self.has_fields = bool(fields)
        self._send = send
        self._fields = fields
        # Of a cookie, which no script sets, preflights know nothing.
        settable = [field for field in fields if not is_forbidden_request_header(field[0].lower())]
        self._asked_for = ",".join(list_unsafe_names(tuple(settable), ENGINES["standard"]))
        self._seen: dict[Sent, Evidence] = {}

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self._seen)

    def actual(
        self, origin: str | None, *, url: str | None = None, cookie: bool = False
    ) -> Evidence:
        """A GET by a page of origin, or by no page."""
        headers = () if origin is None else (("Origin", origin),)
        extra = (_COOKIE,) if cookie else ()
        return self._ask("GET", url, (*headers, *extra), self._fields)

    def preflight(self, origin: str, *, url: str | None = None, fields: bool = False) -> Evidence:
        """A preflight of that GET; with the user's fields, as no browser sends them."""
        headers = [("Origin", origin), (REQUEST_METHOD, "GET")]
        if self._asked_for:
            headers.append((REQUEST_HEADERS, self._asked_for))
        return self._ask("OPTIONS", url, tuple(headers), self._fields if fields else ())

    def asked_as(self, origin: str) -> Evidence:
        """A request by a page of origin, of the kind that the page itself is allowed by."""
        if self.actual(self.page).allows(self.page):
            return self.actual(origin)
        by_preflight = self.preflight(self.page).allows(self.page)
        return self.preflight(origin) if by_preflight else self.actual(origin)

    def _ask(self, method: str, url: str | None, headers: Fields, fields: Fields) -> Evidence:
        sent = Sent(method, url or self.url, (*headers, *fields))
        if sent not in self._seen:
            hidden = tuple((name, _HIDDEN) for name, _ in fields)
            shown = sent._replace(headers=(*headers, *hidden))
            self._seen[sent] = Evidence(shown, self._send(sent))
        return self._seen[sent]
