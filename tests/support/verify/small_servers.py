"""Small servers with a fault each, that behave as proxies in front of an application do."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from support.verify.policies import ONE, PAGE, build_bare

from corsguard import Guard
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "Access-Control-"
Answer = tuple[int, list[tuple[str, str]]]
Change = Callable[["WSGIEnvironment", int, list[tuple[str, str]]], Answer]
"""Takes a request, the status and the header fields of its response; returns those to send."""


def is_preflight(environ: WSGIEnvironment) -> bool:
    return "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ


def build_guarded(toml: str = ONE) -> WSGIApplication:
    return CORSMiddleware(build_bare, Guard.from_mapping(tomllib.loads(toml)))


def change(change_answer: Change, toml: str = ONE) -> WSGIApplication:
    """Return a layer in front of an application with the policies of toml."""
    guarded = build_guarded(toml)

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen: list[Answer] = []

        def remember(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            kept = [field for field in headers if field[0] != "Content-Length"]
            seen.append((int(status.split()[0]), kept))

        list(guarded(environ, remember))  # type: ignore[arg-type]
        status, headers = change_answer(environ, *seen[-1])
        start_response(f"{status} Status", headers)
        return [b"" if status == 204 else b"body"]

    return respond


def without(*names: str) -> Change:
    """Return a layer that drops header fields."""
    dropped = {name.lower() for name in names}
    return lambda _, status, headers: (
        status,
        [field for field in headers if field[0].lower() not in dropped],
    )


def add(*fields: tuple[str, str]) -> Change:
    """Return a layer that adds header fields to those of the application."""
    return lambda _, status, headers: (status, [*headers, *fields])


def replace(name: str, value: str, *, only_allowed: bool = True) -> Change:
    """Return a layer that puts another value into a header field."""

    def put(environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]]) -> Answer:
        has_name = any(field[0] == name for field in headers)
        others = [field for field in headers if field[0] != name]
        return status, [*others, (name, value)] if has_name or not only_allowed else others

    return put


def on_preflights(status: int, *fields: tuple[str, str]) -> Change:
    """Return a layer that answers preflights itself."""
    return lambda environ, given, headers: (
        (status, [*fields]) if is_preflight(environ) else (given, headers)
    )


def on_all(status: int, *fields: tuple[str, str]) -> Change:
    """Return a layer that answers everything itself."""
    return lambda *_: (status, [*fields])


def on_path(path: str, inner: Change) -> Change:
    """Return a layer that does something at one path only."""
    return lambda environ, status, headers: (
        inner(environ, status, headers) if environ["PATH_INFO"] == path else (status, headers)
    )


def allow(test: Callable[[str], bool], *, credentials: bool = True) -> Change:
    """Return a layer that allows the origins that a test accepts, whatever the application does."""

    def put(environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]]) -> Answer:
        origin = environ.get("HTTP_ORIGIN", "")
        if any(field[0] == f"{PREFIX}Allow-Origin" for field in headers) or not test(origin):
            return status, headers
        allowed = [(f"{PREFIX}Allow-Origin", origin)]
        if credentials:
            allowed.append((f"{PREFIX}Allow-Credentials", "true"))
        return status, [*headers, *allowed]

    return put


def drop_on_errors(environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]]) -> Answer:
    """Do as nginx does without `always`."""
    return without(*CORS)(environ, status, headers) if status >= 400 else (status, headers)


def drop_for_admin(environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]]) -> Answer:
    """Do as a proxy with an older list of origins does."""
    is_admin = environ.get("HTTP_ORIGIN") == "https://admin.example.com"
    return without(*CORS)(environ, status, headers) if is_admin else (status, headers)


class Cache:
    """A cache whose key is the URL alone."""

    def __init__(self) -> None:
        self._stored: dict[str, Answer] = {}

    def __call__(
        self, environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]]
    ) -> Answer:
        if environ["REQUEST_METHOD"] != "GET":
            return status, headers
        key = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        return self._stored.setdefault(key, (status, headers))


CORS = tuple(
    f"{PREFIX}{name}"
    for name in (
        "Allow-Origin",
        "Allow-Credentials",
        "Allow-Methods",
        "Allow-Headers",
        "Max-Age",
        "Expose-Headers",
    )
)


def gateway_down(environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]]) -> Answer:
    """Do as a proxy that answers preflights itself, without its application."""
    return (status, headers) if is_preflight(environ) else (502, [])


class Case(NamedTuple):
    """A layer, and what is found."""

    layer: Change
    findings: set[str]
    notes: AbstractSet[str] = frozenset()
    toml: str = ONE
    paths: tuple[str, ...] = ("/api",)


ORIGIN, CREDENTIALS = f"{PREFIX}Allow-Origin", f"{PREFIX}Allow-Credentials"
METHODS, HEADERS = f"{PREFIX}Allow-Methods", f"{PREFIX}Allow-Headers"
EXPOSED, MAX_AGE = f"{PREFIX}Expose-Headers", f"{PREFIX}Max-Age"
OPEN = """\
[routes."/api"]
allow_origins = ["*"]
allow_headers = ["*", "Authorization"]
expose_headers = ["*"]
"""
NO_CREDENTIALS = ONE.replace("allow_credentials = true", "allow_credentials = false")
NONE = '[routes]\n"/api" = false\n'
TWO_PATHS = ("/api", "/api/items")

CASES: Mapping[str, Case] = {
    "right": Case(add(), set()),
    "right, any origin": Case(add(), set(), toml=OPEN),
    "right, no CORS": Case(add(), set(), toml=NONE),
    "no CORS at all": Case(
        lambda environ, status, headers: (405 if is_preflight(environ) else status, []),
        {"headers-missing"},
    ),
    "200 to preflights": Case(
        lambda environ, status, headers: (200 if status == 204 else status, headers),
        set(),
        {"preflight-status"},
    ),
    "wider and in another order": Case(
        replace(METHODS, "delete,POST,  PUT,GET,OPTIONS,DELETE"), {"methods-wider"}
    ),
    "sorted": Case(replace(HEADERS, "x-trace,CONTENT-TYPE, Accept"), set()),
    "a method less": Case(replace(METHODS, "PUT"), {"methods-missing"}),
    "a header less": Case(replace(HEADERS, "X-Trace"), {"request-headers-missing"}),
    "a header more": Case(
        replace(HEADERS, "X-Trace, Content-Type, X-More"), {"request-headers-wider"}
    ),
    "`*` with credentials": Case(replace(METHODS, "*"), {"methods-missing"}),
    "`*` methods": Case(replace(METHODS, "*"), {"methods-wider"}, toml=NO_CREDENTIALS),
    "not `*`": Case(replace(HEADERS, "X-Trace"), {"request-headers-missing"}, toml=OPEN),
    "nothing exposed": Case(without(EXPOSED), {"expose-missing"}),
    "more exposed": Case(replace(EXPOSED, "X-Total, X-More, Expires"), set(), {"expose-wider"}),
    "all exposed": Case(replace(EXPOSED, "*"), set(), {"expose-wider"}, toml=NO_CREDENTIALS),
    "another max-age": Case(replace(MAX_AGE, "5"), set(), {"max-age-differs"}),
    "no max-age": Case(without(MAX_AGE), set(), {"max-age-differs"}),
    "two lines": Case(add((ORIGIN, PAGE)), {"allow-origin-repeated"}),
    "two different lines": Case(
        add((ORIGIN, PAGE), (ORIGIN, "https://b.example")), {"allow-origin-repeated"}
    ),
    "a slash": Case(replace(ORIGIN, f"{PAGE}/"), {"allow-origin-invalid"}),
    "one origin for all": Case(
        replace(ORIGIN, PAGE, only_allowed=False), {"origin-missing"}, {"policy-leaked"}
    ),
    "one listed origin": Case(drop_for_admin, {"origin-missing"}),
    "any page": Case(
        replace(ORIGIN, "*", only_allowed=False),
        {"wildcard-sent"},
        toml=NO_CREDENTIALS,
    ),
    "any page, with credentials": Case(
        replace(ORIGIN, "*", only_allowed=False), {"wildcard-sent", "wildcard-with-credentials"}
    ),
    "origins instead of `*`": Case(
        lambda environ, status, headers: (
            status,
            [
                (name, environ.get("HTTP_ORIGIN", value) if name == ORIGIN else value)
                for name, value in headers
            ],
        ),
        {"vary-missing"},
        {"origin-instead-of-wildcard"},
        toml=OPEN,
    ),
    "credentials twice": Case(add((CREDENTIALS, "true")), {"header-repeated"}),
    "credentials in upper case": Case(replace(CREDENTIALS, "True"), {"credentials-invalid"}),
    "no credentials": Case(without(CREDENTIALS), {"credentials-missing"}),
    "credentials added": Case(
        add((CREDENTIALS, "true")),
        {"credentials-added"},
        {"credentials-on-refused"},
        toml=NO_CREDENTIALS,
    ),
    "headers of preflights everywhere": Case(
        lambda environ, status, headers: (
            (status, headers) if is_preflight(environ) else (status, [*headers, (MAX_AGE, "5")])
        ),
        set(),
        {"headers-added"},
    ),
    "an unknown header": Case(
        add((f"{PREFIX}Allow-Private-Network", "true")), set(), {"headers-added"}
    ),
    "any origin": Case(allow(bool, credentials=False), {"origin-reflected"}),
    "any origin, with credentials": Case(allow(bool), {"reflected-with-credentials"}),
    "any .com": Case(allow(lambda origin: origin.endswith(".com")), {"reflected-with-credentials"}),
    "any origin, with credentials on preflights": Case(
        lambda environ, status, headers: allow(bool, credentials=is_preflight(environ))(
            environ, status, headers
        ),
        {"reflected-with-credentials"},
    ),
    "null": Case(allow("null".__eq__), {"null-allowed"}),
    "prefix": Case(allow(lambda origin: origin.startswith(PAGE)), {"prefix-match"}),
    "dot": Case(allow(f"{PAGE}.".__eq__), {"trailing-dot"}),
    "upper case": Case(allow(lambda origin: origin.lower() == PAGE), set(), {"case-ignored"}),
    "CORS without a policy": Case(allow(bool), {"cors-without-policy"}, toml=NONE),
    "no Vary": Case(without("Vary"), {"vary-missing"}, {"preflight-vary"}),
    "no Vary, not stored": Case(
        lambda environ, status, headers: (
            status,
            [
                *without("Vary", "Cache-Control")(environ, status, headers)[1],
                ("Cache-Control", "no-store"),
            ],
        ),
        set(),
        {"preflight-vary"},
    ),
    "any Vary": Case(replace("Vary", "*"), set()),
    "cache": Case(Cache(), {"cache-ignores-vary"}),
    "login": Case(on_preflights(401), {"preflight-authenticated"}),
    "login before all": Case(on_all(401), {"preflight-authenticated"}),
    "https": Case(on_all(301, ("Location", "https://b.example/")), {"preflight-redirected"}),
    "redirect to nowhere": Case(on_preflights(302), {"preflight-redirected"}),
    "no OPTIONS": Case(on_preflights(405), {"preflight-not-answered"}),
    "firewall": Case(on_preflights(403), {"preflight-refused"}),
    "firewall before all": Case(on_all(403), {"preflight-refused"}),
    "OPTIONS is a bad gateway": Case(on_preflights(502), {"preflight-refused"}),
    "own 204": Case(on_preflights(204), {"preflight-swallowed"}),
    "errors": Case(drop_on_errors, {"errors-without-headers"}),
    "login after preflights": Case(
        lambda environ, status, headers: (status, headers) if is_preflight(environ) else (401, []),
        {"errors-without-headers"},
    ),
    "no path but errors": Case(drop_on_errors, {"errors-without-headers"}, paths=("/api/none",)),
    "path": Case(
        on_path("/api/items", without(*CORS)), {"headers-missing-on-path"}, paths=TWO_PATHS
    ),
    "static path": Case(
        on_path("/api/items", on_all(404)), {"headers-missing-on-path"}, paths=TWO_PATHS
    ),
    "gateway": Case(gateway_down, {"gateway-errors-without-headers"}),
}
