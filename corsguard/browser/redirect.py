"""Following a redirect, or not (Fetch, "HTTP-redirect fetch")."""

from __future__ import annotations

from typing import NoReturn

from corsguard.browser.caveats import is_mixed_content, mixed_content
from corsguard.browser.clauses import Clause
from corsguard.browser.engine_quirks import Traits
from corsguard.browser.exchange import BlockReason
from corsguard.browser.header_values import split_lines
from corsguard.browser.messages import Answer
from corsguard.browser.referrer_policy import policy_after
from corsguard.browser.request_constructor import Fetching
from corsguard.browser.trace import Trail
from corsguard.browser.url import HTTP_SCHEMES, URL, URLError
from corsguard.fetch_spec import REQUEST_BODY_HEADERS
from corsguard.origin import Origin

__all__ = ["REDIRECT_STATUSES", "followed", "refuse_mixed_content"]

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 20
_STEP = "redirect"


def followed(
    fetching: Fetching, page: Origin, engine: Traits, answer: Answer, trail: Trail
) -> bool:
    """Point fetching at where answer redirects to; False where it says nowhere.

    Raises Refused.
    """
    locations = split_lines(answer, "location")
    if not locations or (locations == [""] and engine.empty_location == "ignored"):
        text = f"{answer.status} without Location: an answer as any other"
        trail.passed(_STEP, Clause.REDIRECT_FETCH, text)
        return False
    url = _Target(fetching, page, engine, answer.status, locations, trail).url()
    if not engine.drops_headers_for_good:
        fetching.headers = fetching.headers_at_first
    changes = _rewrite(fetching, url, answer.status)
    crosses = url.origin != fetching.url.origin
    if crosses and fetching.method == "DELETE" and not engine.keeps_delete:
        fetching.method, fetching.body = "GET", None
        changes.append("DELETE becomes GET, as this engine has it")
    fetching.urls.append(url)
    fetching.referrer_policy = policy_after(answer, fetching.referrer_policy)
    text = f"{answer.status} to {url}" + "".join(f"; {change}" for change in changes)
    trail.passed(_STEP, Clause.REDIRECT_FETCH, text)
    return True


def refuse_mixed_content(page: Origin, url: URL, trail: Trail) -> NoReturn:
    """Refuse a redirect that leads from https to plain http (Fetch, "main fetch")."""
    text = f"mixed content: {page} is https, and browsers do not follow a redirect to {url}"
    fix = (
        "redirect to https: where a proxy ends TLS, have the application take the scheme from "
        "that proxy's X-Forwarded-Proto"
    )
    mixed_content(page, url, trail)
    reason = BlockReason.REDIRECT_SCHEME
    trail.refuse(_STEP, Clause.MAIN_FETCH, reason, text, fix=fix, detail=str(url))


class _Target:
    """Where a redirect points to, if that is where it may."""

    def __init__(
        self,
        fetching: Fetching,
        page: Origin,
        engine: Traits,
        status: int,
        locations: list[str],
        trail: Trail,
    ) -> None:
        self._fetching = fetching
        self._page = page
        self._engine = engine
        self._status = status
        self._locations = locations
        self._trail = trail

    def url(self) -> URL:
        """The URL that is next; raises Refused."""
        url = self._parsed()
        self._check_scheme(url)
        self._check_count()
        self._check_userinfo(url)
        self._check_body()
        return url

    def _parsed(self) -> URL:
        locations, engine = self._locations, self._engine
        same = engine.follows_equal_locations and len(set(locations)) == 1
        if len(locations) > 1 and not same:
            text = "the answer has several lines of Location"
            self._refuse(BlockReason.REDIRECT_INVALID, text, "send one")
        if locations == [""] and engine.empty_location == "refused":
            self._refuse(BlockReason.REDIRECT_INVALID, "Location is empty", "send a URL in it")
        try:
            url = URL.parse(locations[0], self._fetching.url)
        except URLError as error:
            fix = "send an absolute URL in Location"
            self._refuse(BlockReason.REDIRECT_INVALID, str(error), fix)
        # Fetch, "location URL": a fragment lasts until there is a new one.
        return url if url.fragment else url._replace(fragment=self._fetching.url.fragment)

    def _check_scheme(self, url: URL) -> None:
        if url.scheme not in HTTP_SCHEMES:
            text = f"a redirect to {url.scheme}: is not followed"
            self._refuse(BlockReason.REDIRECT_SCHEME, text, "redirect to https")
        last = self._fetching.url
        downgraded = last.scheme == "https" and last.origin.host == url.origin.host
        if downgraded and is_mixed_content(self._page, url):
            refuse_mixed_content(self._page, url, self._trail)

    def _check_count(self) -> None:
        if len(self._fetching.urls) > _MOST_REDIRECTS:
            text = f"more than {_MOST_REDIRECTS} redirects"
            fix = "mend the loop, or fetch the final URL"
            self._refuse(BlockReason.REDIRECT_LIMIT, text, fix)

    def _check_userinfo(self, url: URL) -> None:
        fetching = self._fetching
        crosses = fetching.mode == "cors" and (self._page.opaque or url.origin != self._page)
        allowed = not crosses and fetching.tainting != "cors" and self._engine.follows_userinfo
        if url.userinfo and not allowed:
            text = "a redirect to a URL with a user name or a password is not followed"
            fix = "redirect to a URL without them"
            self._refuse(BlockReason.REDIRECT_WITH_CREDENTIALS, text, fix)

    def _check_body(self) -> None:
        fetching, status = self._fetching, self._status
        if fetching.streamed and fetching.body is not None and status != 303:
            text = f"a streamed body can't be sent a second time, as {status} asks"
            fix = "redirect with 303, or send the body whole"
            self._refuse(BlockReason.REDIRECT_STREAM, text, fix)

    def _refuse(self, reason: BlockReason, text: str, fix: str) -> NoReturn:
        detail = ", ".join(dict.fromkeys(self._locations))
        self._trail.refuse(_STEP, Clause.REDIRECT_FETCH, reason, text, fix=fix, detail=detail)


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
