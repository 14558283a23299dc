"""The table of docs/cookies.md, and an API that signs in with the cookie of a row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from support.doc_pages import read_page

from corsguard import Policy
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ATTRIBUTES", "ROWS", "CookieRow", "build_api"]

ATTRIBUTES = ("SameSite=Lax", "SameSite=None; Secure")
"""The cookies that are tried for each row."""


class CookieRow(NamedTuple):
    """A page, an API, and what the table says of them."""

    page: str
    api: str
    is_one_site: bool
    sent: str

    def is_sent(self, attributes: str) -> bool:
        """Return True if the table says that a cookie with these attributes is sent."""
        return self.is_one_site or attributes == self.sent


_ROW = re.compile(
    r"^\| `(https?://[^`]+)` \| `(https?://[^`]+)` \| (yes|no).*? \| `?(.+?)`? \|$", re.MULTILINE
)
ROWS = [
    CookieRow(found[1], found[2], found[3] == "yes", found[4])
    for found in _ROW.finditer(read_page("cookies"))
]


def build_api(row: CookieRow, attributes: str) -> WSGIApplication:
    """Return an API that sets a cookie at /login, and returns what it gets."""

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [("Content-Type", "text/plain")]
        if environ["PATH_INFO"] == "/login":
            headers.append(("Set-Cookie", f"user=ada; Path=/; {attributes}"))
        start_response("200 OK", headers)
        return [environ.get("HTTP_COOKIE", "").encode()]

    policy = Policy(allow_origins=[row.page], allow_credentials=True)
    return CORSMiddleware(respond, policy)
