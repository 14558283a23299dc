"""Following a redirect, or not (Fetch, "HTTP-redirect fetch")."""

from __future__ import annotations

from typing import NoReturn

from corsguard.browser.clauses import Clause
from corsguard.browser.exchange import BlockReason
from corsguard.browser.making import Fetching
from corsguard.browser.messages import Answer
from corsguard.browser.trail import Trail
from corsguard.browser.url import HTTP_SCHEMES, URL, URLError
from corsguard.fetch import REQUEST_BODY_HEADERS
from corsguard.origin import Origin

__all__ = ["REDIRECT_STATUSES", "followed"]

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 20
_STEP = "redirect"


def followed(fetching: Fetching, page: Origin, answer: Answer, trail: Trail) -> bool:
    """Point fetching at where answer redirects to; False where it says nowhere.

    Raises Refused.
    """
    location = next((value for name, value in answer.headers if name.lower() == "location"), None)
    if location is None:
        text = f"{answer.status} without Location: an answer as any other"
        trail.passed(_STEP, Clause.REDIRECT_FETCH, text)
        return False
    url = _target(fetching, page, answer.status, location, trail)
    changes = _rewrite(fetching, url, answer.status)
    fetching.urls.append(url)
    text = f"{answer.status} to {url}" + "".join(f"; {change}" for change in changes)
    trail.passed(_STEP, Clause.REDIRECT_FETCH, text)
    return True


def _target(fetching: Fetching, page: Origin, status: int, location: str, trail: Trail) -> URL:
    """The URL that is allowed to be next."""

    def refuse(reason: BlockReason, text: str, fix: str) -> NoReturn:
        trail.refuse(_STEP, Clause.REDIRECT_FETCH, reason, text, fix=fix, detail=location)

    try:
        url = URL.parse(location, fetching.url)
    except URLError as error:
        refuse(BlockReason.REDIRECT_INVALID, str(error), "send an absolute URL in Location")
    if url.scheme not in HTTP_SCHEMES:
        text = f"a redirect to {url.scheme}: is not followed"
        refuse(BlockReason.REDIRECT_SCHEME, text, "redirect to https")
    if len(fetching.urls) > _MOST_REDIRECTS:
        text = f"more than {_MOST_REDIRECTS} redirects"
        refuse(BlockReason.REDIRECT_LIMIT, text, "mend the loop, or fetch the final URL")
    if fetching.streamed and fetching.body is not None and status != 303:
        text = f"a streamed body can't be sent a second time, as {status} asks"
        refuse(BlockReason.REDIRECT_STREAM, text, "redirect with 303, or send the body whole")
    crosses = page.opaque or url.origin != page
    if url.userinfo and ((fetching.mode == "cors" and crosses) or fetching.tainting == "cors"):
        text = "a redirect to a URL with a user name or a password is not followed"
        fix = "redirect to a URL without them"
        refuse(BlockReason.REDIRECT_WITH_CREDENTIALS, text, fix)
    return url


def _rewrite(fetching: Fetching, url: URL, status: int) -> list[str]:
    """Change method, body and headers as the redirect asks; what was changed, in words."""
    changes = []
    method = fetching.method
    if (status in {301, 302} and method == "POST") or (
        status == 303 and method not in {"GET", "HEAD"}
    ):
        fetching.method, fetching.body = "GET", None
        _drop(fetching, REQUEST_BODY_HEADERS)
        changes.append(f"{method} becomes GET, without its body")
    if url.origin != fetching.url.origin and _drop(fetching, frozenset({"authorization"})):
        changes.append("Authorization is dropped: another origin")
    return changes


def _drop(fetching: Fetching, names: frozenset[str]) -> bool:
    kept = tuple(field for field in fetching.headers if field[0].lower() not in names)
    dropped = kept != fetching.headers
    fetching.headers = kept
    return dropped
