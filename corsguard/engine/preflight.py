"""The response to a preflight (Fetch, "CORS-preflight fetch")."""

from __future__ import annotations

from collections.abc import Sequence

from corsguard import fetch_spec
from corsguard.engine.decision import Decision, Kind, LazyDetail, Reason
from corsguard.engine.header_names import parse_names
from corsguard.engine.request import Methods
from corsguard.engine.response_headers import Fields, ResponseFields
from corsguard.escaping import escape_text
from corsguard.policy import Policy

__all__ = ["PreflightResponder"]

_TOO_MANY_NAMES = "more header names than any page sends"


class PreflightResponder:
    """The methods, headers and max-age of one policy, compiled."""

    def __init__(self, policy: Policy, fields: ResponseFields) -> None:
        self._fields = fields
        self._methods = frozenset({*policy.allow_methods, *fetch_spec.SAFELISTED_METHODS})
        self._names = frozenset(name.lower() for name in policy.allow_headers)
        # With credentials a browser reads `*` literally (Fetch, "CORS-preflight fetch", 7.5 and
        # 7.7), so the response then names what was requested.
        self._echoes_methods = "*" in policy.allow_methods and policy.allow_credentials
        self._echoes_names = "*" in policy.allow_headers and policy.allow_credentials
        self._allow_methods: Fields = ()
        if policy.allow_methods:
            self._allow_methods = (_list_methods(policy.allow_methods),)
        self._allow_headers: Fields = ()
        if policy.allow_headers:
            self._allow_headers = ((fetch_spec.ALLOW_HEADERS, ", ".join(policy.allow_headers)),)
        self._max_age: Fields = ()
        if policy.max_age is not None:
            self._max_age = ((fetch_spec.MAX_AGE, str(policy.max_age)),)

    def refuse(self, evaluation: Decision) -> Decision:
        """Return the response to a preflight from an origin that is not allowed: 403."""
        return Decision(
            Kind.PREFLIGHT,
            evaluation.reason,
            evaluation.lazy_detail,
            403,
            self._fields.preflight_vary,
            evaluation.faults,
        )

    def respond(
        self,
        evaluation: Decision,
        method: str,
        requested_headers: str | None,
        methods: Methods,
    ) -> Decision:
        """Return the response to a preflight from an allowed origin: the policy's whole lists.

        They are sent even if the method or a header is not among them: the browser then names the
        culprit in its console. `methods` are those of the URL that this policy applies to, None
        for all of them.
        """
        names = parse_names(requested_headers)
        reason, detail = self._check(method, names)
        headers = (
            evaluation.headers[0],
            *self._fields.credentials,
            *self._list_methods(method, methods),
            *(_echo_names(names) if self._echoes_names else self._allow_headers),
            *self._max_age,
            *self._fields.preflight_vary,
        )
        return Decision(Kind.PREFLIGHT, reason, detail, 204, headers, evaluation.faults)

    def _check(self, method: str, names: list[str] | None) -> tuple[Reason, str | LazyDetail]:
        """Return what a browser makes of the lists (Fetch, "CORS-preflight fetch", 7.5 to 7.7)."""
        if method not in self._methods and not self._allows_method(method):
            return Reason.METHOD_NOT_ALLOWED, LazyDetail(escape_text, (method,))
        if names is None:
            return Reason.HEADERS_NOT_ALLOWED, _TOO_MANY_NAMES
        for name in names:
            if name not in self._names and not self._allows_header(name):
                return Reason.HEADERS_NOT_ALLOWED, LazyDetail(escape_text, (name,))
        return Reason.ALLOWED, ""

    def _allows_method(self, method: str) -> bool:
        if method in self._methods:
            return True
        # Fetch, "methods": no page can send a forbidden one, so `*` need not cover it.
        return (
            "*" in self._methods
            and fetch_spec.is_token(method)
            and method.upper() not in fetch_spec.FORBIDDEN_METHODS
        )

    def _allows_header(self, name: str) -> bool:
        """Return True if `*` covers a name that is not listed."""
        if "*" not in self._names:
            return False
        # Fetch, "CORS non-wildcard request-header name": `*` does not cover Authorization.
        is_covered = name != "authorization" or self._echoes_names
        return is_covered and fetch_spec.is_token(name)

    def _list_methods(self, method: str, methods: Methods) -> Fields:
        """Return Allow-Methods for a preflight that requests `method`."""
        if methods is not None:
            named = [name for name in sorted(methods) if self._allows_method(name)]
            return ((fetch_spec.ALLOW_METHODS, ", ".join(named)),) if named else ()
        if self._echoes_methods:
            return (_list_methods((method,)),) if self._allows_method(method) else ()
        return self._allow_methods


def _list_methods(methods: Sequence[str]) -> tuple[str, str]:
    """Return Allow-Methods with the safelisted ones: an upload listener preflights a POST."""
    if methods == ("*",):
        return fetch_spec.ALLOW_METHODS, "*"
    names = dict.fromkeys((*fetch_spec.SAFELISTED_METHODS, *methods))
    return fetch_spec.ALLOW_METHODS, ", ".join(names)


def _echo_names(names: list[str] | None) -> Fields:
    """Return the requested names, written anew; nothing if one of them is not a token."""
    if not names or not all(map(fetch_spec.is_token, names)):
        return ()
    return ((fetch_spec.ALLOW_HEADERS, ", ".join(names)),)
