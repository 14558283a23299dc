"""The redirect of a request to another URL (Fetch, "HTTP-redirect fetch")."""

from __future__ import annotations

from typing import NoReturn

from corsguard.browser.caveats import is_mixed_content, report_mixed_content
from corsguard.browser.clauses import Clause
from corsguard.browser.engine_quirks import EngineQuirks
from corsguard.browser.exchange import BlockReason
from corsguard.browser.header_values import split_lines
from corsguard.browser.messages import Answer
from corsguard.browser.referrer_policy import update_policy
from corsguard.browser.request_constructor import FetchRequest
from corsguard.browser.trace import Trace
from corsguard.browser.url import HTTP_SCHEMES, URL, URLError
from corsguard.fetch_spec import REQUEST_BODY_HEADERS
from corsguard.origin import Origin

__all__ = ["REDIRECT_STATUSES", "follow_redirect", "refuse_mixed_content"]

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 20
_STEP = "redirect"


def follow_redirect(
    request: FetchRequest, page: Origin, engine: EngineQuirks, answer: Answer, trace: Trace
) -> bool:
    """Change request to the URL that answer redirects to.

    Return False if answer names none, so that it is the response. Raises Refused.
    """
    locations = split_lines(answer, "location")
    if not locations or (locations == [""] and engine.empty_location == "ignored"):
        text = f"{answer.status} without Location is not a redirect"
        trace.add_step(_STEP, Clause.REDIRECT_FETCH, text)
        return False
    url = _RedirectTarget(request, page, engine, answer.status, locations, trace).resolve()
    if not engine.removes_headers_for_good:
        request.headers = request.initial_headers
    changes = _rewrite(request, url, answer.status)
    is_cross_origin = url.origin != request.url.origin
    if is_cross_origin and request.method == "DELETE" and not engine.keeps_delete:
        request.method, request.body = "GET", None
        changes.append("this engine changes DELETE to GET")
    request.urls.append(url)
    request.referrer_policy = update_policy(answer, request.referrer_policy)
    text = f"{answer.status} to {url}" + "".join(f"; {change}" for change in changes)
    trace.add_step(_STEP, Clause.REDIRECT_FETCH, text)
    return True


def refuse_mixed_content(page: Origin, url: URL, trace: Trace) -> NoReturn:
    """Raise Refused for a redirect from https to plain http (Fetch, "main fetch")."""
    text = f"mixed content: {page} is https, and browsers do not follow a redirect to {url}"
    fix = (
        "redirect to https: behind a proxy that terminates TLS, configure the application to take "
        "the scheme from X-Forwarded-Proto"
    )
    report_mixed_content(page, url, trace)
    reason = BlockReason.REDIRECT_SCHEME
    trace.refuse((_STEP, Clause.MAIN_FETCH), reason, text, fix=fix, detail=str(url))


class _RedirectTarget:
    """The target of a redirect, and the checks that it has to pass."""

    def __init__(
        self,
        request: FetchRequest,
        page: Origin,
        engine: EngineQuirks,
        status: int,
        locations: list[str],
        trace: Trace,
    ) -> None:
        self._request = request
        self._page = page
        self._engine = engine
        self._status = status
        self._locations = locations
        self._trace = trace

    def resolve(self) -> URL:
        """Return the next URL. Raises Refused."""
        url = self._parse_location()
        self._check_scheme(url)
        self._check_count()
        self._check_userinfo(url)
        self._check_body()
        return url

    def _parse_location(self) -> URL:
        locations, engine = self._locations, self._engine
        is_one = engine.follows_equal_locations and len(set(locations)) == 1
        if len(locations) > 1 and not is_one:
            text = "the response has several Location headers"
            self._refuse(BlockReason.REDIRECT_INVALID, text, "send one Location header")
        if locations == [""] and engine.empty_location == "refused":
            self._refuse(
                BlockReason.REDIRECT_INVALID, "Location is empty", "send a URL in Location"
            )
        try:
            url = URL.parse(locations[0], self._request.url)
        except URLError as error:
            fix = "send an absolute URL in Location"
            self._refuse(BlockReason.REDIRECT_INVALID, str(error), fix)
        # Fetch, "location URL": the fragment is inherited where Location has none.
        return url if url.fragment else url._replace(fragment=self._request.url.fragment)

    def _check_scheme(self, url: URL) -> None:
        if url.scheme not in HTTP_SCHEMES:
            text = f"browsers do not follow a redirect to the scheme `{url.scheme}`"
            self._refuse(BlockReason.REDIRECT_SCHEME, text, "redirect to https")
        last = self._request.url
        is_downgrade = last.scheme == "https" and last.origin.host == url.origin.host
        if is_downgrade and is_mixed_content(self._page, url):
            refuse_mixed_content(self._page, url, self._trace)

    def _check_count(self) -> None:
        if len(self._request.urls) > _MAX_REDIRECTS:
            text = f"more than {_MAX_REDIRECTS} redirects"
            fix = "fix the redirect loop, or fetch the final URL"
            self._refuse(BlockReason.REDIRECT_LIMIT, text, fix)

    def _check_userinfo(self, url: URL) -> None:
        request = self._request
        is_cors = request.mode == "cors" and (self._page.opaque or url.origin != self._page)
        is_allowed = not is_cors and request.tainting != "cors" and self._engine.follows_userinfo
        if url.userinfo and not is_allowed:
            text = "browsers do not follow this redirect to a URL with a user name or a password"
            fix = "redirect to a URL without them"
            self._refuse(BlockReason.REDIRECT_WITH_CREDENTIALS, text, fix)

    def _check_body(self) -> None:
        request, status = self._request, self._status
        if request.streamed and request.body is not None and status != 303:
            text = f"{status} requires the body again, and a streamed body can't be sent twice"
            fix = "redirect with 303, or send a body that is not streamed"
            self._refuse(BlockReason.REDIRECT_STREAM, text, fix)

    def _refuse(self, reason: BlockReason, text: str, fix: str) -> NoReturn:
        detail = ", ".join(dict.fromkeys(self._locations))
        self._trace.refuse((_STEP, Clause.REDIRECT_FETCH), reason, text, fix=fix, detail=detail)


def _rewrite(request: FetchRequest, url: URL, status: int) -> list[str]:
    """Change method, body and headers as the standard says; return the changes in words."""
    changes = []
    method = request.method
    if (status in {301, 302} and method == "POST") or (
        status == 303 and method not in {"GET", "HEAD"}
    ):
        request.method, request.body = "GET", None
        _remove_headers(request, REQUEST_BODY_HEADERS)
        changes.append(f"{method} becomes GET, without its body")
    if url.origin != request.url.origin and _remove_headers(request, frozenset({"authorization"})):
        changes.append("Authorization is removed: the origin changes")
    return changes


def _remove_headers(request: FetchRequest, names: frozenset[str]) -> bool:
    """Remove the headers called names, in lower case; return True if there were any."""
    remaining = tuple(field for field in request.headers if field[0].lower() not in names)
    is_changed = remaining != request.headers
    request.headers = remaining
    return is_changed
