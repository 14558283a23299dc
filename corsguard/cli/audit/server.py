"""The server that is audited, and the requests that it has answered."""

from __future__ import annotations

from corsguard.browser.engine_quirks import ENGINES
from corsguard.browser.messages import Fields, Send, Sent
from corsguard.browser.safelist import list_unsafe_names
from corsguard.cli.audit.catalogue import Evidence
from corsguard.cli.audit.origin_probes import list_untrusted_origins
from corsguard.fetch_spec import REQUEST_HEADERS, REQUEST_METHOD, is_forbidden_request_header
from corsguard.origin import Origin

__all__ = ["AuditedServer", "RecordingServer"]

_COOKIE = ("Cookie", "corsguard=audit")
_HIDDEN = "..."


class RecordingServer:
    """A server, and the requests that it has answered: the same one is sent once."""

    def __init__(self, send: Send, url: str) -> None:
        self.url = url
        self._send = send
        self._evidence: dict[Sent, Evidence] = {}
        """request with all its fields -> evidence"""

    @property
    def requests(self) -> int:
        """How many requests the server has answered."""
        return len(self._evidence)

    def send(self, sent: Sent, hidden: Fields = ()) -> Evidence:
        """Send a request with the hidden fields as well. Their values are not in the evidence."""
        whole = sent._replace(headers=(*sent.headers, *hidden))
        if whole not in self._evidence:
            names = tuple((name, _HIDDEN) for name, _ in hidden)
            shown = sent._replace(headers=(*sent.headers, *names))
            self._evidence[whole] = Evidence(shown, self._send(whole))
        return self._evidence[whole]


class AuditedServer(RecordingServer):
    """A server that is audited at one URL.

    The values of the user's header fields, such as `Authorization`, are hidden in the evidence.
    """

    def __init__(self, send: Send, url: str, page: Origin, fields: Fields = ()) -> None:
        """Prepare requests for url, with the user's fields on all but preflights.

        Preflights have only the names of the fields that need one (Fetch, "CORS-preflight
        fetch").
        """
        super().__init__(send, url)
        self.page: str = str(page)
        self.page_origin = page
        self.untrusted_origin: str
        self.other_untrusted_origins: list[str]
        self.untrusted_origin, *self.other_untrusted_origins = list_untrusted_origins(page)
        self.has_fields: bool = bool(fields)
        self._fields = fields
        # No script can set a cookie header, so preflights do not name it.
        settable = [field for field in fields if not is_forbidden_request_header(field[0].lower())]
        self._requested_headers = ",".join(list_unsafe_names(tuple(settable), ENGINES["standard"]))

    def send_actual(
        self, origin: str | None, *, url: str | None = None, cookie: bool = False
    ) -> Evidence:
        """Send a GET as a page of origin does; None sends no `Origin`."""
        headers = () if origin is None else (("Origin", origin),)
        extra = (_COOKIE,) if cookie else ()
        return self._send_once("GET", url, (*headers, *extra), self._fields)

    def send_preflight(
        self, origin: str, *, url: str | None = None, fields: bool = False
    ) -> Evidence:
        """Send a preflight for that GET; with the user's fields, which no browser sends."""
        headers = [("Origin", origin), (REQUEST_METHOD, "GET")]
        if self._requested_headers:
            headers.append((REQUEST_HEADERS, self._requested_headers))
        return self._send_once("OPTIONS", url, tuple(headers), self._fields if fields else ())

    def send_as(self, origin: str) -> Evidence:
        """Send the kind of request that shows the page as allowed, from another origin."""
        if self.send_actual(self.page).allows(self.page):
            return self.send_actual(origin)
        by_preflight = self.send_preflight(self.page).allows(self.page)
        return self.send_preflight(origin) if by_preflight else self.send_actual(origin)

    def _send_once(self, method: str, url: str | None, headers: Fields, fields: Fields) -> Evidence:
        return self.send(Sent(method, url or self.url, headers), fields)
