"""The preflight that precedes a request (Fetch, "CORS-preflight fetch")."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from corsguard.browser.clauses import Clause
from corsguard.browser.engine_quirks import EngineQuirks
from corsguard.browser.exchange import BlockReason
from corsguard.browser.header_values import join_lines, parse_list, parse_max_age, split_lines
from corsguard.browser.messages import Answer, Fields
from corsguard.browser.preflight_cache import CacheKey, PreflightCache
from corsguard.browser.redirect import REDIRECT_STATUSES
from corsguard.browser.request_constructor import FetchRequest
from corsguard.browser.response_checks import check_cors
from corsguard.browser.safelist import list_unsafe_names
from corsguard.browser.trace import Trace
from corsguard.fetch_spec import (
    ALLOW_HEADERS,
    ALLOW_METHODS,
    REQUEST_HEADERS,
    REQUEST_METHOD,
    SAFELISTED_METHODS,
)

__all__ = ["Preflight"]

_STEP = "preflight"
# Fetch, "HTTP-network-or-cache fetch", 8: the headers of a conditional request.
_CONDITIONAL = frozenset(
    {"if-modified-since", "if-none-match", "if-unmodified-since", "if-match", "if-range"}
)


class Preflight:
    """The preflight of one request: its need, its headers and the check of its response."""

    def __init__(
        self,
        request: FetchRequest,
        origin: str,
        engine: EngineQuirks,
        cache: PreflightCache,
        clock: Callable[[], float],
        trace: Trace,
    ) -> None:
        self._request = request
        self._origin = origin
        self._engine = engine
        self._cache = cache
        self._clock = clock
        self._trace = trace
        self._include = request.credentials == "include"
        self._key = CacheKey(origin, str(request.url), self._include)
        names = list_unsafe_names(request.headers, engine)
        removed = set(request.initial_unsafe_names).difference(names)
        self._names = sorted([*names, *removed]) if engine.lists_removed_headers else names

    @property
    def is_needed(self) -> bool:
        """True if the request needs a preflight, sent or cached (Fetch, "main fetch", 12)."""
        return (
            self._request.uses_preflight
            or self._has_unsafe_method
            or bool(self._names)
            or self._is_repeated
        )

    def look_up(self) -> bool:
        """Return True if the cache covers the request (Fetch, "HTTP fetch", 4.1).

        Chromium clears what it has cached for the URL where that does not cover the request.
        """
        names = {name.lower() for name, _ in self._request.headers}
        if names & _CONDITIONAL and not self._engine.looks_up_conditional:
            return False
        is_covered = self._is_covered()
        if not is_covered and not self._engine.keeps_uncovering_entries:
            self._cache.clear(self._key)
        return is_covered

    def _is_covered(self) -> bool:
        cache, engine, now = self._cache, self._engine, self._clock()
        is_upload = self._request.uses_preflight
        method = self._request.method
        if (
            self._has_unsafe_method
            or (is_upload and engine.looks_up_upload_method)
            or (method == "HEAD" and engine.looks_up_head)
        ):
            if not cache.allows_method(self._key, method, now):
                return False
        elif (is_upload or self._is_repeated) and not cache.has_any(self._key, now):
            return False
        return all(cache.allows_header(self._key, name, now) for name in self._names)

    @property
    def why(self) -> str:
        """The reasons why it is needed, in words."""
        reasons = []
        if self._has_unsafe_method:
            reasons.append(f"the method {self._request.method} is not safelisted")
        if self._names:
            reasons.append(f"the headers {', '.join(self._names)} are not safelisted")
        if self._request.uses_preflight:
            reasons.append("the upload has a listener, or is streamed")
        if not reasons:
            reasons.append("this engine repeats the preflight after a redirect")
        return "; ".join(reasons)

    def build_headers(self) -> Fields:
        """Return Accept and the Access-Control-Request fields.

        WebKit also clears what its cache has for the URL without credentials.
        """
        self._cache.prepare(self._key)
        fields = [("Accept", "*/*"), (REQUEST_METHOD, self._request.method)]
        if self._names:
            # Fetch, "CORS-preflight fetch", 5: no space after the comma, which some servers need.
            fields.append((REQUEST_HEADERS, ",".join(self._names)))
        return tuple(fields)

    def check(self, answer: Answer) -> None:
        """Cache what the response allows. Raises Refused where that does not cover the request."""
        self._check_status_and_origin(answer)
        methods = parse_list(answer, ALLOW_METHODS)
        names = parse_list(answer, ALLOW_HEADERS)
        if methods is None:
            reason = BlockReason.ALLOW_METHODS_INVALID
            self._refuse_list(reason, ALLOW_METHODS, answer)
        if names is None:
            reason = BlockReason.ALLOW_HEADERS_INVALID
            self._refuse_list(reason, ALLOW_HEADERS, answer)
        is_upload = self._request.uses_preflight and self._engine.allows_upload_method
        if is_upload and join_lines(answer, ALLOW_METHODS) is None:
            methods = [self._request.method]  # Fetch, "CORS-preflight fetch", 7.4
        if self._engine.caches_refused:
            self._cache_response(answer, methods, names)
        self._check_method(methods)
        self._check_headers(names)
        if not self._engine.caches_refused:
            self._cache_response(answer, methods, names)

    @property
    def _has_unsafe_method(self) -> bool:
        return self._request.method not in SAFELISTED_METHODS

    @property
    def _is_same_origin(self) -> bool:
        return str(self._request.url.origin) == self._origin

    @property
    def _is_repeated(self) -> bool:
        """True if the engine repeats a preflight after a redirect that made it unnecessary."""
        request = self._request
        return self._engine.repeats_preflights and (
            request.preflighted or bool(request.initial_unsafe_names)
        )

    def _refuse(self, reason: BlockReason, text: str, detail: str, fix: str) -> NoReturn:
        self._trace.refuse(
            (_STEP, Clause.PREFLIGHT_FETCH),
            reason,
            text,
            fix=fix,
            detail=detail,
            in_preflight=True,
        )

    def _check_status_and_origin(self, answer: Answer) -> None:
        status = answer.status
        if status in REDIRECT_STATUSES and any(split_lines(answer, "location")):
            # Chromium checks this before any other header.
            text = f"browsers do not follow the redirect of a preflight, and the status is {status}"
            fix = "answer OPTIONS at this URL, or fetch the final URL"
            self._refuse(BlockReason.PREFLIGHT_REDIRECTED, text, str(status), fix)
        if self._engine.checks_same_origin_preflights or not self._is_same_origin:
            check_cors(self._request, self._origin, answer, self._trace, in_preflight=True)
        if not 200 <= status <= 299:
            text = f"the status is {status}, and a preflight needs 200 to 299"
            fix = "answer OPTIONS with 204 before authentication and routing (corsguard does)"
            self._refuse(BlockReason.PREFLIGHT_STATUS, text, str(status), fix)
        self._trace.add_step(_STEP, Clause.PREFLIGHT_FETCH, f"the status {status} is a success")

    def _refuse_list(self, reason: BlockReason, header: str, answer: Answer) -> NoReturn:
        value = join_lines(answer, header) or ""
        text = f"{header} is {value!r}: not a valid list of names"
        self._refuse(reason, text, value, f"send {header} as a comma-separated list of names")

    def _check_method(self, methods: list[str]) -> None:
        method = self._request.method
        has_wildcard = "*" in methods and not self._include
        if self._has_unsafe_method and method not in methods and not has_wildcard:
            fix = f"add {method} to {ALLOW_METHODS} (a policy's allow_methods)"
            text = f"{method} is not in {ALLOW_METHODS}"
            if "*" in methods:
                text = f"{text}: with credentials, `*` is not a wildcard"
            elif method.upper() in methods:
                text = f"{text}: methods are case-sensitive"
                fix = f"fetch with {method.upper()}"
            self._refuse(BlockReason.METHOD_NOT_ALLOWED, text, method, fix)
        self._trace.add_step(_STEP, Clause.PREFLIGHT_FETCH, f"the method {method} is allowed")

    def _check_headers(self, names: list[str]) -> None:
        allowed = {name.lower() for name in names}
        has_wildcard = "*" in allowed and not self._include
        # Chromium names the first missing header in the order of the request's headers.
        ordered = [name.lower() for name, _ in self._request.headers]
        for name in dict.fromkeys((*ordered, *self._names)):
            if name not in self._names:
                continue
            # Fetch, "CORS non-wildcard request-header name": only Authorization is one.
            is_covered = has_wildcard and (
                name != "authorization" or self._engine.wildcard_covers_authorization
            )
            if name in allowed or is_covered:
                continue
            text = f"{name} is not in {ALLOW_HEADERS}"
            if has_wildcard:
                text = f"{text}: `*` does not cover it"
            elif "*" in allowed:
                text = f"{text}: with credentials, `*` is not a wildcard"
            fix = f"add {name} to {ALLOW_HEADERS} (a policy's allow_headers)"
            self._refuse(BlockReason.HEADER_NOT_ALLOWED, text, name, fix)
        if self._names:
            text = f"the headers {', '.join(self._names)} are allowed"
            self._trace.add_step(_STEP, Clause.PREFLIGHT_FETCH, text)

    def _cache_response(self, answer: Answer, methods: list[str], names: list[str]) -> None:
        age = parse_max_age(answer, self._engine)
        if self._origin == "null" and not self._engine.caches_for_null:
            age = 0
        self._cache.add(self._key, methods, names, self._clock(), age)
        text = f"the response is cached for {age} s" if age else "the response is not cached"
        self._trace.add_step("preflight cache", Clause.PREFLIGHT_CACHE, text)
