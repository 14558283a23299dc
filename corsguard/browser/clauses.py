"""The clauses of Fetch that the model follows."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Clause"]

_FETCH = "https://fetch.spec.whatwg.org/"


class Clause(StrEnum):
    """A clause, by its permanent address."""

    REQUEST_CONSTRUCTOR = f"{_FETCH}#dom-request"
    FORBIDDEN_METHOD = f"{_FETCH}#forbidden-method"
    METHOD_NORMALIZATION = f"{_FETCH}#concept-method-normalize"
    FORBIDDEN_HEADER = f"{_FETCH}#forbidden-request-header"
    NO_CORS_SAFELISTED_HEADER = f"{_FETCH}#no-cors-safelisted-request-header"
    UNSAFE_HEADER_NAMES = f"{_FETCH}#cors-unsafe-request-header-names"
    MAIN_FETCH = f"{_FETCH}#main-fetch"
    PORT_BLOCKING = f"{_FETCH}#port-blocking"
    HTTP_FETCH = f"{_FETCH}#http-fetch"
    REDIRECT_FETCH = f"{_FETCH}#http-redirect-fetch"
    NETWORK_FETCH = f"{_FETCH}#http-network-or-cache-fetch"
    REQUEST_ORIGIN = f"{_FETCH}#byte-serializing-a-request-origin"
    PREFLIGHT_FETCH = f"{_FETCH}#cors-preflight-fetch"
    PREFLIGHT_CACHE = f"{_FETCH}#concept-cache-match"
    CORS_CHECK = f"{_FETCH}#concept-cors-check"
    RESOURCE_POLICY = f"{_FETCH}#cross-origin-resource-policy-header"
    CORS_FILTERED = f"{_FETCH}#concept-filtered-response-cors"
    FILTERED = f"{_FETCH}#concept-filtered-response"

    @property
    def words(self) -> str:
        """The standard and the clause's name, such as: Fetch, "CORS check"."""
        return f'Fetch, "{_NAMES[self]}"'


_NAMES = {
    Clause.REQUEST_CONSTRUCTOR: "new Request()",
    Clause.FORBIDDEN_METHOD: "forbidden method",
    Clause.METHOD_NORMALIZATION: "normalize a method",
    Clause.FORBIDDEN_HEADER: "forbidden request-header",
    Clause.NO_CORS_SAFELISTED_HEADER: "no-CORS-safelisted request-header",
    Clause.UNSAFE_HEADER_NAMES: "CORS-unsafe request-header names",
    Clause.MAIN_FETCH: "main fetch",
    Clause.PORT_BLOCKING: "port blocking",
    Clause.HTTP_FETCH: "HTTP fetch",
    Clause.REDIRECT_FETCH: "HTTP-redirect fetch",
    Clause.NETWORK_FETCH: "HTTP-network-or-cache fetch",
    Clause.REQUEST_ORIGIN: "byte-serializing a request origin",
    Clause.PREFLIGHT_FETCH: "CORS-preflight fetch",
    Clause.PREFLIGHT_CACHE: "CORS-preflight cache",
    Clause.CORS_CHECK: "CORS check",
    Clause.RESOURCE_POLICY: "cross-origin resource policy check",
    Clause.CORS_FILTERED: "CORS filtered response",
    Clause.FILTERED: "filtered response",
}
