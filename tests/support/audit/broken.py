"""Servers with a fault each, in plain WSGI."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PAGE = "https://app.example.com"
HOST = "app.example.com"
FREE = "200 OK"

Fields = list[tuple[str, str]]


class Api:
    """An API for those whom `allows` takes; faults are subclasses."""

    vary = True
    credentials = "true"
    path = "/v1/items"

    def __init__(self, allows: Callable[[str], Any] = PAGE.__eq__) -> None:
        self.allows = allows

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        preflight = environ["REQUEST_METHOD"] == "OPTIONS"
        status = self.status(environ, preflight)
        fields = self.cors(environ, origin, preflight)
        start_response(status, [("Content-Type", "text/plain"), *fields])
        return [b"" if preflight else status.encode()]

    def status(self, environ: WSGIEnvironment, preflight: bool) -> str:
        return FREE if self.routed(environ) == self.path else "404 Not Found"

    def routed(self, environ: WSGIEnvironment) -> str:
        """The path that this application takes the request to be for."""
        return str(environ["PATH_INFO"])

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        vary = [("Vary", "Accept-Encoding, Origin")] if self.vary else []
        if origin is None or not self.allows(origin):
            return vary
        return [*vary, *self.allowed(origin, preflight)]

    def allowed(self, origin: str, preflight: bool) -> Fields:
        fields = [("Access-Control-Allow-Origin", origin)]
        if self.credentials:
            fields.append(("Access-Control-Allow-Credentials", self.credentials))
        if preflight:
            fields.append(("Access-Control-Allow-Methods", "GET, PUT"))
        return fields


class NoCredentials(Api):
    credentials = ""


class NoVary(Api):
    vary = False


class NotKept(NoVary):
    """No cache keeps its answers, so none can hand them to another page."""

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        return [("Cache-Control", "private, no-store"), *super().cors(environ, origin, preflight)]


class Static(Api):
    """Sends the same to everyone."""

    def __init__(self, *fields: tuple[str, str]) -> None:
        super().__init__()
        self.fields = list(fields)

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        return self.fields


class Misspelt(Api):
    credentials = "True"


class Leaking(Api):
    """Tells everyone what methods there are."""

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        fields = super().cors(environ, origin, preflight)
        is_untrusted = origin != PAGE and preflight
        return [*fields, ("Access-Control-Allow-Methods", "GET, PUT")] if is_untrusted else fields


class Twice(Api):
    """Both the application and its proxy set the header."""

    def allowed(self, origin: str, preflight: bool) -> Fields:
        return [*super().allowed(origin, preflight), ("Access-Control-Allow-Origin", origin)]


class WildcardMethods(Api):
    def allowed(self, origin: str, preflight: bool) -> Fields:
        fields = super().allowed(origin, preflight)
        return [*fields, ("Access-Control-Allow-Headers", "x-a, *")] if preflight else fields


class LoginFirst(Api):
    """Asks for a login before anything else, preflights included."""

    answer = "401 Unauthorized"

    def is_known(self, environ: WSGIEnvironment) -> bool:
        return "HTTP_AUTHORIZATION" in environ

    def status(self, environ: WSGIEnvironment, preflight: bool) -> str:
        return super().status(environ, preflight) if self.is_known(environ) else self.answer

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        return super().cors(environ, origin, preflight) if self.is_known(environ) else []


class LoginPage(LoginFirst):
    answer = "302 Found"

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        location = [] if self.is_known(environ) else [("Location", "/login")]
        return [*super().cors(environ, origin, preflight), *location]


class PostOnly(LoginFirst):
    """The same, and a GET fails, with headers, for who has a login."""

    def status(self, environ: WSGIEnvironment, preflight: bool) -> str:
        status = super().status(environ, preflight)
        return "405 Method Not Allowed" if status == FREE and not preflight else status


class PreflightForbidden(Api):
    """Refuses preflights alone, as a firewall that does not know OPTIONS."""

    def status(self, environ: WSGIEnvironment, preflight: bool) -> str:
        return "403 Forbidden" if preflight else super().status(environ, preflight)

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        return [] if preflight else super().cors(environ, origin, preflight)


class BareErrors(Api):
    """As nginx without `always`: preflights are answered, errors have no headers."""

    def status(self, environ: WSGIEnvironment, preflight: bool) -> str:
        return FREE if preflight else super().status(environ, preflight)

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        if self.status(environ, preflight) != FREE:
            return []
        return super().cors(environ, origin, preflight)


class BareLogin(BareErrors):
    """The resource itself fails, without headers, for who has no login."""

    def status(self, environ: WSGIEnvironment, preflight: bool) -> str:
        return FREE if preflight else "401 Unauthorized"


class PreflightOnly(Api):
    """Only preflights say whom it allows."""

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        return super().cors(environ, origin, preflight) if preflight else []


class WithCookie(Api):
    """Checks the origin of those alone who send no cookie."""

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        if origin and "HTTP_COOKIE" in environ:
            return self.allowed(origin, preflight)
        return super().cors(environ, origin, preflight)


class Public(Api):
    """A rule for the raw path opens what begins with /api; the router knows better."""

    counter = 0

    def routed(self, environ: WSGIEnvironment) -> str:
        path = unquote(environ["PATH_INFO"])
        while "/../" in path:
            path = re.sub(r"/[^/]+/\.\./", "/", path, count=1)
        return path

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        if origin and environ["PATH_INFO"].startswith("/api/"):
            return [("Vary", "Origin"), *self.allowed(origin, preflight)]
        return super().cors(environ, origin, preflight)


class Slashes(Public):
    """The default is open, and a rule for the exact path closes it; the router merges slashes."""

    def routed(self, environ: WSGIEnvironment) -> str:
        return re.sub("/+", "/", environ["PATH_INFO"])

    def cors(self, environ: WSGIEnvironment, origin: str | None, preflight: bool) -> Fields:
        if environ["PATH_INFO"] == self.path:
            return Api.cors(self, environ, origin, preflight)
        return [("Access-Control-Allow-Origin", "*")]


class OpenElsewhere(Slashes):
    """The same default, and a router that takes no other spelling."""

    def routed(self, environ: WSGIEnvironment) -> str:
        return str(environ["PATH_INFO"])


class Changing(Slashes):
    """The same, and no two of its bodies are the same."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.counter += 1
        return [*super().__call__(environ, start_response), str(self.counter).encode()]


def matching(pattern: str) -> Callable[[str], object]:
    """What `re.match` takes for allowed."""
    return re.compile(pattern).match


def either(*tests: Callable[[str], object]) -> Callable[[str], object]:
    return lambda origin: any(test(origin) for test in tests)


FAULTS: dict[str, tuple[WSGIApplication, set[str]]] = {
    "reflects": (NoCredentials(lambda _: True), {"origin-reflected"}),
    "reflects, credentials": (Api(lambda _: True), {"reflected-with-credentials"}),
    "reflects for a cookie": (WithCookie(), {"reflected-with-credentials"}),
    "any .com": (Api(matching(r"https://.*\.com$")), {"reflected-with-credentials"}),
    "null": (Api(either(PAGE.__eq__, "null".__eq__)), {"null-allowed"}),
    "prefix": (Api(lambda origin: origin.startswith(PAGE)), {"prefix-match"}),
    "no end of the label": (
        Api(lambda origin: origin.startswith(PAGE.rpartition(".")[0])),
        {"prefix-match"},
    ),
    "no end anchor": (Api(matching(re.escape(PAGE))), {"prefix-match"}),
    "suffix of the site": (
        Api(lambda origin: origin.endswith("example.com")),
        {"suffix-match"},
    ),
    "suffix of the host": (Api(lambda origin: origin.endswith(HOST)), {"suffix-match"}),
    "substring": (Api(lambda origin: HOST in origin), {"substring-match"}),
    "dots": (Api(matching(r"https://app.example.com\Z")), {"unescaped-dot"}),
    "a special character": (
        Api(matching(r"https://app\.example\.com([^.\w:-].*)?$")),
        {"special-characters"},
    ),
    "scheme": (Api(matching(r"https?://app\.example\.com$")), {"scheme-downgrade"}),
    "port": (Api(matching(r"https://app\.example\.com(:\d+)?$")), {"any-port"}),
    "two at once": (
        Api(matching(r"https?://app.example\.com(:\d+)?$")),
        {"unescaped-dot", "scheme-downgrade", "any-port"},
    ),
    "preflights alone reflect": (
        PreflightOnly(lambda origin: origin.startswith(PAGE)),
        {"prefix-match"},
    ),
    "null in preflights": (
        PreflightOnly(either(PAGE.__eq__, "null".__eq__)),
        {"null-allowed"},
    ),
    "path by `..`": (Public(), {"path-spelling"}),
    "path by `//`": (Slashes(), {"path-spelling"}),
    "path by `//`, changing": (Changing(), {"path-spelling"}),
    "no Vary": (NoVary(), {"vary-missing"}),
    "leaks methods": (Leaking(), {"policy-leaked"}),
    "leaks the origin": (
        Static(("Access-Control-Allow-Origin", PAGE)),
        {"policy-leaked"},
    ),
    "two lines": (Twice(), {"allow-origin-repeated"}),
    "a list": (
        Static(("Access-Control-Allow-Origin", f"{PAGE}, https://b.example")),
        {"allow-origin-repeated"},
    ),
    "a slash": (Static(("Access-Control-Allow-Origin", f"{PAGE}/")), {"allow-origin-invalid"}),
    "no scheme": (Static(("Access-Control-Allow-Origin", HOST)), {"allow-origin-invalid"}),
    "static null": (Static(("Access-Control-Allow-Origin", "null")), {"null-allowed"}),
    "True": (Misspelt(), {"credentials-invalid"}),
    "`*` with credentials": (
        Static(("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true")),
        {"wildcard-with-credentials"},
    ),
    "`*` headers with credentials": (WildcardMethods(), {"wildcard-with-credentials"}),
    "login first": (LoginFirst(), {"preflight-authenticated"}),
    "preflights forbidden": (PreflightForbidden(), {"preflight-authenticated"}),
    "bare 404": (BareErrors(), {"errors-without-headers"}),
    "bare 401": (BareLogin(), {"errors-without-headers"}),
}

SOUND: dict[str, WSGIApplication] = {
    "lists the page": Api(),
    "lists subdomains": Api(matching(r"https://([a-z0-9-]+\.)+example\.com$")),
    "is public": Static(("Access-Control-Allow-Origin", "*")),
    "is open where nothing is": OpenElsewhere(),
    "is not kept by caches": NotKept(),
    "has no CORS": Static(),
}
