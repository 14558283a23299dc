"""The decisions that answer most requests without deciding again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from logging import DEBUG
from typing import Any, Final, NamedTuple, TypeVar

from corsguard.engine.csrf import SAFE_METHODS, is_unsafe
from corsguard.engine.decision import Decision, Reason
from corsguard.engine.request import CORSRequest, Headers, Methods, collect_fields
from corsguard.fetch_spec import ALLOW_CREDENTIALS
from corsguard.policy.answers import Answer

__all__ = [
    "MAX_ITEMS",
    "REFUSED_ORIGINS",
    "BoundedCache",
    "CacheLimits",
    "DecisionCache",
    "EnforcedCache",
    "NoCache",
]

Key = TypeVar("Key")
Value = TypeVar("Value")


MAX_ITEMS: Final = 1_024


class BoundedCache(dict[Key, Value]):
    """A dict of at most so many items, 1,024 by default. It starts empty again when it is full."""

    def __init__(self, max_items: int = MAX_ITEMS) -> None:
        super().__init__()
        self.max_items = max_items

    def store(self, key: Key, value: Value) -> None:
        """Add an item. Safe from many threads: each step is one operation on a dict."""
        if len(self) >= self.max_items:
            self.clear()
        self[key] = value


class _Absent:
    """The value of a header field that was not sent."""


_ABSENT: Final = _Absent()
_Value = str | _Absent
_Conditions = tuple[_Value, _Value, _Value, bool, bool]
"""Origin, `Sec-Fetch-Site`, `Sec-Fetch-Mode`, whether a cookie is sent, whether it is unsafe."""
_PreflightKey = tuple[str, str, str, Methods]
"""Origin, requested method, requested headers, and the methods that the policy applies to."""

_MAX_LENGTH = 512
"""Characters of a key: more than browsers send."""
_CROSS_SITE = frozenset({"cross-site", "same-site"})
"""Values of `Sec-Fetch-Site` from pages of another origin."""
_CROSS_SITE_BYTES = frozenset(site.encode() for site in _CROSS_SITE)
REFUSED_ORIGINS = frozenset({Reason.ORIGIN_INVALID, Reason.ORIGIN_NOT_ALLOWED})


class CacheLimits(NamedTuple):
    """The most items of the dictionaries of a cache."""

    items: int = MAX_ITEMS
    origins: int = MAX_ITEMS
    """Those of the dictionaries of allowed origins."""


class DecisionCache:
    """The decisions of one policy at one place, by all that they depend on.

    `store` takes a decision, and `lookup` returns it for a request that asks the same, or None. A
    refusal is stored once it has been logged, and returned while it would not be logged again, at
    DEBUG. Refusals and allowances are kept apart, so that refused origins can't evict allowed ones.

    `no_origin` is the decision on a request without `Origin`. `default` is the decision on every
    request, and `cookieless_default` on every one with `Origin` and without a cookie, where the
    origin does not matter; else None. `allows_credentials` is True if the policy allows
    credentials, or one policy of a list does. `is_enabled_for` is that of the logger.
    """

    _counts_methods = False

    def __init__(
        self,
        no_origin: Decision,
        *,
        default: Decision | None,
        cookieless_default: Decision | None,
        allows_credentials: bool,
        is_enabled_for: Callable[[int], bool],
        limits: CacheLimits = CacheLimits(),  # noqa: B008  # immutable
    ) -> None:
        self._no_origin = no_origin
        self._default = default
        self._cookieless_default = cookieless_default
        self._allows_credentials = allows_credentials
        self._is_enabled_for = is_enabled_for
        # Origin -> Decision, whatever else the request says.
        self._cookieless: BoundedCache[str, Decision] = BoundedCache(limits.origins)
        self._with_cookie: BoundedCache[str, Decision] = BoundedCache(limits.origins)
        # All that a decision depends on -> Decision, where the origin does not decide it alone.
        self._conditional: BoundedCache[_Conditions, Decision] = BoundedCache(limits.items)
        self._refused: BoundedCache[_Conditions, Decision] = BoundedCache(limits.items)
        # Origin -> Decision on a safe request from another site, where no page of it is allowed.
        self._refused_origins: BoundedCache[str, Decision] = BoundedCache(limits.items)
        self._preflights: BoundedCache[_PreflightKey, Decision] = BoundedCache(limits.items)
        self._refused_preflights: BoundedCache[_PreflightKey, Decision] = BoundedCache(limits.items)

    def lookup(
        self,
        environ: Mapping[str, Any],
        method: str,
        methods: Methods = None,
        path: str | None = None,  # noqa: ARG002  # for caches of look-ups by path
    ) -> Decision | None:
        """Return the decision on a request, given as a WSGI environ or as the META of Django.

        `methods` are those of the URL that the policy applies to, None for all of them. `path` is
        given where the framework knows better than the environ.
        """
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            return self._no_origin
        if method == "OPTIONS":
            requested = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
            if requested is not None:
                names = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
                return self._find_preflight((origin, requested, names, methods))
        has_cookie = environ.get("HTTP_COOKIE")
        decision = (self._with_cookie if has_cookie else self._cookieless).get(origin)
        if decision is not None:
            return decision
        if environ.get("HTTP_SEC_FETCH_SITE") in _CROSS_SITE:
            decision = self._refused_origins.get(origin)
            if decision is not None and not self._is_enabled_for(DEBUG):
                return decision
        default = self._default if has_cookie else self._cookieless_default
        return default or self._lookup_conditional(environ, origin, is_unsafe=False)

    def lookup_headers(
        self,
        headers: Headers,
        method: str,
        methods: Methods = None,
        path: str | None = None,  # noqa: ARG002  # for caches of look-ups by path
    ) -> Decision | None:
        """Return the same for a request whose fields are pairs of bytes, as ASGI has them."""
        if method == "OPTIONS":
            return self._lookup_fields(collect_fields(headers), method, methods)
        origin: str | None = None
        for name, value in headers:
            if name == b"origin":
                if origin is not None:  # two lines of it
                    return None
                origin = value.decode("latin-1")
        if origin is None:
            return self._no_origin
        if self._allows_credentials:  # where a cookie makes no difference
            decision = self._with_cookie.get(origin)
            if decision is not None:
                return decision
        decision = self._refused_origins.get(origin)
        if decision is not None and not self._is_enabled_for(DEBUG):
            # Without a dict of all fields, which costs more than all else.
            sites = [value for name, value in headers if name == b"sec-fetch-site"]
            if len(sites) == 1 and sites[0] in _CROSS_SITE_BYTES:
                return decision
        return self._lookup_fields(collect_fields(headers), method)

    def _lookup_fields(
        self, fields: Mapping[bytes, bytes], method: str, methods: Methods = None
    ) -> Decision | None:
        sent = fields.get(b"origin")
        if sent is None:
            return self._no_origin
        origin = sent.decode("latin-1")
        if method == "OPTIONS":
            requested = fields.get(b"access-control-request-method")
            if requested is not None:
                names = fields.get(b"access-control-request-headers", b"").decode("latin-1")
                return self._find_preflight((origin, requested.decode("latin-1"), names, methods))
        has_cookie = fields.get(b"cookie")
        decision = (self._with_cookie if has_cookie else self._cookieless).get(origin)
        if decision is not None:
            return decision
        if fields.get(b"sec-fetch-site") in _CROSS_SITE_BYTES:
            decision = self._refused_origins.get(origin)
            if decision is not None and not self._is_enabled_for(DEBUG):
                return decision
        default = self._default if has_cookie else self._cookieless_default
        return default or self._lookup_conditional_fields(fields, origin, is_unsafe=False)

    def _lookup_conditional(
        self, environ: Mapping[str, Any], origin: _Value, *, is_unsafe: bool
    ) -> Decision | None:
        site = environ.get("HTTP_SEC_FETCH_SITE", _ABSENT)
        mode = environ.get("HTTP_SEC_FETCH_MODE", _ABSENT)
        return self._find((origin, site, mode, bool(environ.get("HTTP_COOKIE")), is_unsafe))

    def _lookup_conditional_fields(
        self, fields: Mapping[bytes, bytes], origin: _Value, *, is_unsafe: bool
    ) -> Decision | None:
        site, mode = fields.get(b"sec-fetch-site"), fields.get(b"sec-fetch-mode")
        return self._find(
            (
                origin,
                _ABSENT if site is None else site.decode("latin-1"),
                _ABSENT if mode is None else mode.decode("latin-1"),
                bool(fields.get(b"cookie")),
                is_unsafe,
            )
        )

    def _find(self, key: _Conditions) -> Decision | None:
        decision = self._conditional.get(key)
        if decision is None and not self._is_enabled_for(DEBUG):
            return self._refused.get(key)
        return decision

    def _find_preflight(self, key: _PreflightKey) -> Decision | None:
        decision = self._preflights.get(key) or self._default
        if decision is None and not self._is_enabled_for(DEBUG):
            return self._refused_preflights.get(key)
        return decision

    def store(self, request: CORSRequest, decision: Decision, methods: Methods = None) -> None:
        """Keep a decision that depends on nothing but the request, and has been logged."""
        unsafe = self._counts_methods and is_unsafe(request)
        if request.is_preflight:
            self._store_preflight(request, decision, methods)
        elif _is_long(request.origin, request.fetch_site, request.fetch_mode):
            return
        elif request.origin is not None and not unsafe and _is_by_origin(request, decision):
            self._cookieless.store(request.origin, decision)
            if _allows_credentials(decision):
                self._with_cookie.store(request.origin, decision)
        elif (
            request.origin is not None
            and not unsafe
            and request.fetch_site in _CROSS_SITE
            and decision.reason in REFUSED_ORIGINS
        ):
            self._refused_origins.store(request.origin, decision)
        elif request.fetch_site is not None or request.origin is None:
            # Without `Sec-Fetch-Site` an origin is compared with `Host`, which is in no key.
            key = (
                _ABSENT if request.origin is None else request.origin,
                _ABSENT if request.fetch_site is None else request.fetch_site,
                _ABSENT if request.fetch_mode is None else request.fetch_mode,
                bool(request.has_cookie),
                unsafe,
            )
            (self._conditional if decision.allowed else self._refused).store(key, decision)

    def store_answered(
        self, request: CORSRequest, decision: Decision, answer: Answer, methods: Methods = None
    ) -> None:
        """Keep nothing: a decision that a look-up has answered is for the caches of look-ups."""

    def _store_preflight(self, request: CORSRequest, decision: Decision, methods: Methods) -> None:
        origin, method = request.origin or "", request.requested_method or ""
        names = request.requested_headers or ""
        if not _is_long(origin, method, names):
            cache = self._preflights if decision.allowed else self._refused_preflights
            cache.store((origin, method, names, methods), decision)


class EnforcedCache(DecisionCache):
    """The same under enforcement, where the method counts as well."""

    _counts_methods = True

    def lookup(
        self,
        environ: Mapping[str, Any],
        method: str,
        methods: Methods = None,
        path: str | None = None,
    ) -> Decision | None:
        """Return the decision on a request; see DecisionCache."""
        if method not in SAFE_METHODS:
            origin = environ.get("HTTP_ORIGIN", _ABSENT)
            return self._lookup_conditional(environ, origin, is_unsafe=True)
        if method == "GET" and "HTTP_UPGRADE" in environ:  # which may be a WebSocket's handshake
            return None
        return DecisionCache.lookup(self, environ, method, methods, path)

    def lookup_headers(
        self, headers: Headers, method: str, methods: Methods = None, path: str | None = None
    ) -> Decision | None:
        """Return the decision on a request; see DecisionCache."""
        if method in {"HEAD", "OPTIONS"}:
            return DecisionCache.lookup_headers(self, headers, method, methods, path)
        if method == "GET":
            for name, _ in headers:
                if name == b"upgrade":
                    return None
            return DecisionCache.lookup_headers(self, headers, method, methods, path)
        fields = collect_fields(headers)
        sent = fields.get(b"origin")
        origin = _ABSENT if sent is None else sent.decode("latin-1")
        return self._lookup_conditional_fields(fields, origin, is_unsafe=True)


class NoCache(DecisionCache):
    """A cache that keeps nothing: where a subscriber is called for every request."""

    def lookup(
        self,
        environ: Mapping[str, Any],
        method: str,
        methods: Methods = None,
        path: str | None = None,
    ) -> None:
        """Return None."""

    def lookup_headers(
        self, headers: Headers, method: str, methods: Methods = None, path: str | None = None
    ) -> None:
        """Return None."""

    def store(self, request: CORSRequest, decision: Decision, methods: Methods = None) -> None:
        """Keep nothing."""


def _is_by_origin(request: CORSRequest, decision: Decision) -> bool:
    """Return True if the origin decides it, and whether a cookie is sent."""
    return decision.reason is Reason.ALLOWED and (
        not request.has_cookie or _allows_credentials(decision)
    )


def _allows_credentials(decision: Decision) -> bool:
    """Return True if the policy that decided allows credentials: one of a list may not."""
    return (ALLOW_CREDENTIALS, "true") in decision.headers


def _is_long(one: str | None, another: str | None, third: str | None) -> bool:
    """Return True if a key of these values would be longer than what browsers send."""
    return len(one or "") + len(another or "") + len(third or "") > _MAX_LENGTH
