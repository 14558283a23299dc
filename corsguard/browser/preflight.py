"""The preflight: asking a server before the request itself (Fetch, "CORS-preflight fetch")."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from corsguard.browser.clauses import Clause
from corsguard.browser.engine_quirks import Traits
from corsguard.browser.exchange import BlockReason
from corsguard.browser.header_values import join_lines, parse_list, parse_max_age, split_lines
from corsguard.browser.messages import Answer, Fields
from corsguard.browser.preflight_cache import CacheKey, PreflightCache
from corsguard.browser.redirect import REDIRECT_STATUSES
from corsguard.browser.request_constructor import Fetching
from corsguard.browser.response_checks import check_cors
from corsguard.browser.safelist import list_unsafe_names
from corsguard.browser.trace import Trail
from corsguard.fetch_spec import (
    ALLOW_HEADERS,
    ALLOW_METHODS,
    REQUEST_HEADERS,
    REQUEST_METHOD,
    SAFELISTED_METHODS,
)

__all__ = ["Preflight"]

_STEP = "preflight"
# Fetch, "HTTP-network-or-cache fetch", 8: these take a request out of the HTTP cache.
_CONDITIONAL = frozenset(
    {"if-modified-since", "if-none-match", "if-unmodified-since", "if-match", "if-range"}
)


class Preflight:
    """Whether one request needs a preflight, what it asks, and whether the answer will do."""

    def __init__(
        self,
        fetching: Fetching,
        origin: str,
        engine: Traits,
        cache: PreflightCache,
        clock: Callable[[], float],
        trail: Trail,
    ) -> None:
        self._fetching = fetching
        self._origin = origin
        self._engine = engine
        self._cache = cache
        self._clock = clock
        self._trail = trail
        self._include = fetching.credentials == "include"
        self._key = CacheKey(origin, str(fetching.url), self._include)
        names = list_unsafe_names(fetching.headers, engine)
        dropped = set(fetching.unsafe_at_first).difference(names)
        self._names = sorted([*names, *dropped]) if engine.asks_for_dropped_headers else names

    @property
    def is_needed(self) -> bool:
        """Whether the request is one that needs a preflight, whatever is cached."""
        # Fetch, "main fetch", 12: the use-CORS-preflight flag, or what is not safelisted.
        return (
            self._fetching.uses_preflight
            or self._unsafe_method
            or bool(self._names)
            or self._is_again
        )

    def look_up(self) -> bool:
        """Whether an earlier answer covers it (Fetch, "HTTP fetch", 4.1)."""
        given = {name.lower() for name, _ in self._fetching.headers}
        if given & _CONDITIONAL and not self._engine.looks_up_conditional:
            return False
        covered = self._is_covered()
        if not covered and not self._engine.keeps_what_does_not_cover:
            self._cache.clear(self._key)
        return covered

    def _is_covered(self) -> bool:
        cache, engine, now = self._cache, self._engine, self._clock()
        uploads = self._fetching.uses_preflight
        method = self._fetching.method
        if (
            self._unsafe_method
            or (uploads and engine.looks_up_uploaded_method)
            or (method == "HEAD" and engine.looks_up_head)
        ):
            if not cache.allows_method(self._key, method, now):
                return False
        elif (uploads or self._is_again) and not cache.holds_any(self._key, now):
            return False
        return all(cache.allows_header(self._key, name, now) for name in self._names)

    @property
    def why(self) -> str:
        """What makes it needed, in words."""
        whys = []
        if self._unsafe_method:
            whys.append(f"the method {self._fetching.method} is not safelisted")
        if self._names:
            whys.append(f"the headers {', '.join(self._names)} are not safelisted")
        if self._fetching.uses_preflight:
            whys.append("an upload is listened to, or streamed")
        if not whys:
            whys.append("this engine asks again after a redirect")
        return "; ".join(whys)

    @property
    def headers(self) -> Fields:
        """The fields that only a preflight has, and the one that every one has."""
        self._cache.ask_again(self._key)
        fields = [("Accept", "*/*"), (REQUEST_METHOD, self._fetching.method)]
        if self._names:
            # The standard: no space after the comma, for servers that compare the bytes.
            fields.append((REQUEST_HEADERS, ",".join(self._names)))
        return tuple(fields)

    def check(self, answer: Answer) -> None:
        """Refuse, or keep in the cache what the answer allows."""
        self._check_status_and_origin(answer)
        methods = parse_list(answer, ALLOW_METHODS)
        names = parse_list(answer, ALLOW_HEADERS)
        if methods is None:
            reason = BlockReason.ALLOW_METHODS_INVALID
            self._refuse_list(reason, ALLOW_METHODS, answer)
        if names is None:
            reason = BlockReason.ALLOW_HEADERS_INVALID
            self._refuse_list(reason, ALLOW_HEADERS, answer)
        uploads = self._fetching.uses_preflight and self._engine.allows_uploaded_method
        if uploads and join_lines(answer, ALLOW_METHODS) is None:
            methods = [self._fetching.method]  # Fetch, "CORS-preflight fetch", 7.4
        if self._engine.caches_refused:
            self._keep(answer, methods, names)
        self._check_method(methods)
        self._check_headers(names)
        if not self._engine.caches_refused:
            self._keep(answer, methods, names)

    @property
    def _unsafe_method(self) -> bool:
        return self._fetching.method not in SAFELISTED_METHODS

    @property
    def _is_at_home(self) -> bool:
        return str(self._fetching.url.origin) == self._origin

    @property
    def _is_again(self) -> bool:
        """Whether an engine asks again, after a redirect, what it would not ask at first."""
        fetching = self._fetching
        return self._engine.preflights_again and (
            fetching.preflighted or bool(fetching.unsafe_at_first)
        )

    def _refuse(self, reason: BlockReason, text: str, detail: str, fix: str) -> NoReturn:
        self._trail.refuse(
            _STEP,
            Clause.PREFLIGHT_FETCH,
            reason,
            text,
            fix=fix,
            detail=detail,
            in_preflight=True,
        )

    def _check_status_and_origin(self, answer: Answer) -> None:
        status = answer.status
        if status in REDIRECT_STATUSES and any(split_lines(answer, "location")):
            # Chromium tells this before it looks at any other header.
            text = f"a preflight is not redirected, and the answer is {status}"
            fix = "answer OPTIONS at this URL, or fetch the URL that it redirects to"
            self._refuse(BlockReason.PREFLIGHT_REDIRECTED, text, str(status), fix)
        if self._engine.checks_preflights_at_home or not self._is_at_home:
            check_cors(self._fetching, self._origin, answer, self._trail, in_preflight=True)
        if not 200 <= status <= 299:
            text = f"the answer is {status}, and a preflight needs 200 to 299"
            fix = "answer OPTIONS with 204 before authentication and routing (corsguard does)"
            self._refuse(BlockReason.PREFLIGHT_STATUS, text, str(status), fix)
        self._trail.passed(_STEP, Clause.PREFLIGHT_FETCH, f"the status {status} is one of success")

    def _refuse_list(self, reason: BlockReason, header: str, answer: Answer) -> NoReturn:
        value = join_lines(answer, header) or ""
        text = f"{header} is {value!r}: no list of names"
        self._refuse(reason, text, value, f"send {header} as names with commas between them")

    def _check_method(self, methods: list[str]) -> None:
        method = self._fetching.method
        wildcard = "*" in methods and not self._include
        if self._unsafe_method and method not in methods and not wildcard:
            fix = f"add {method} to {ALLOW_METHODS} (a policy's allow_methods)"
            text = f"{method} is not in {ALLOW_METHODS}"
            if "*" in methods:
                text = f"{text}, where `*` is only a name when credentials are sent"
            elif method.upper() in methods:
                text = f"{text}: methods are case-sensitive"
                fix = f"fetch with {method.upper()}"
            self._refuse(BlockReason.METHOD_NOT_ALLOWED, text, method, fix)
        self._trail.passed(_STEP, Clause.PREFLIGHT_FETCH, f"the method {method} is allowed")

    def _check_headers(self, names: list[str]) -> None:
        allowed = {name.lower() for name in names}
        wildcard = "*" in allowed and not self._include
        # Chromium names the first offender in the order of the request's headers.
        given = [name.lower() for name, _ in self._fetching.headers]
        for name in dict.fromkeys((*given, *self._names)):
            if name not in self._names:
                continue
            # Fetch, "CORS non-wildcard request-header name": Authorization, and it alone.
            covered = wildcard and (
                name != "authorization" or self._engine.wildcard_covers_authorization
            )
            if name in allowed or covered:
                continue
            text = f"{name} is not in {ALLOW_HEADERS}"
            if wildcard:
                text = f"{text}, where `*` does not cover it"
            elif "*" in allowed:
                text = f"{text}, where `*` is only a name when credentials are sent"
            fix = f"add {name} to {ALLOW_HEADERS} (a policy's allow_headers)"
            self._refuse(BlockReason.HEADER_NOT_ALLOWED, text, name, fix)
        if self._names:
            text = f"the headers {', '.join(self._names)} are allowed"
            self._trail.passed(_STEP, Clause.PREFLIGHT_FETCH, text)

    def _keep(self, answer: Answer, methods: list[str], names: list[str]) -> None:
        age = parse_max_age(answer, self._engine)
        if self._origin == "null" and not self._engine.caches_for_null:
            age = 0
        self._cache.add(self._key, methods, names, self._clock(), age)
        text = f"the answer holds for {age} s" if age else "the answer is not kept"
        self._trail.passed("preflight cache", Clause.PREFLIGHT_CACHE, text)
