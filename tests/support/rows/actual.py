"""Requests that are no preflight: headers, errors, Vary, replaced fields, and the reasons."""

from __future__ import annotations

import re

from support.table import APP, EVIL, Row, cors, origin

from corsguard import Guard, Policy, Reason

VARY = cors(vary="Origin")
ECHO = cors(allow_origin=APP, vary="Origin")
FULL_ECHO = {**ECHO, **cors(allow_credentials="true", expose_headers="X-Total, X-Page")}
ANY = cors(allow_origin="*")
ANY_EXPOSING = {**ANY, **cors(expose_headers="X-Total")}
COOKIE = ("Cookie", "session=1")


def listed() -> Guard:
    return Guard(Policy(allow_origins=[APP, "https://*.example.org", "http://localhost:*"]))


def full() -> Guard:
    return Guard(
        Policy(
            allow_origins=[APP],
            allow_credentials=True,
            allow_methods=["PUT"],
            allow_headers=["X-A"],
            expose_headers=["X-Total", "X-Page"],
        )
    )


def anyone() -> Guard:
    return Guard(Policy(allow_origins=["*"]))


def anyone_exposing() -> Guard:
    return Guard(Policy(allow_origins=["*"], expose_headers=["X-Total"]))


def everything_exposed() -> Guard:
    return Guard(Policy(allow_origins=["*"], expose_headers=["*"]))


def regex() -> Guard:
    return Guard(Policy(allow_origins=[re.compile(r"https://pr-\d+\.example\.com")]))


def allow_all() -> Guard:
    """Build a guard whose callable allows every origin."""
    return Guard(Policy(allow_origins=[lambda value: True]))


def allow_all_with_credentials() -> Guard:
    return Guard(Policy(allow_origins=[lambda value: True], allow_credentials=True))


def raises() -> Guard:
    def predicate(value: str) -> bool:
        raise LookupError

    return Guard(Policy(allow_origins=[predicate]))


def null_allowed() -> Guard:
    return Guard(Policy(allow_origins=["null"], dangerously_allow_null_origin=True))


def only_api() -> Guard:
    return Guard({"/api": Policy(allow_origins=[APP])})


def _invalid_origin_row(what: str, value: str) -> Row:
    name = f"an Origin with {what} is invalid, and no callable is asked"
    return Row(name, allow_all, Reason.ORIGIN_INVALID, headers=origin(value), cors=VARY)


def _status_rows(path: str, what: str) -> list[Row]:
    return [
        Row(
            f"{what} carries the headers",
            full,
            Reason.ALLOWED,
            path=path,
            headers=origin(APP),
            cors=FULL_ECHO,
        ),
        Row(
            f"{what} for an origin that is not allowed has Vary alone",
            full,
            Reason.ORIGIN_NOT_ALLOWED,
            path=path,
            headers=origin(EVIL),
            cors=VARY,
        ),
    ]


def _vary_row(path: str, expected: str) -> Row:
    return Row(
        f"Vary is merged at {path}",
        listed,
        Reason.ALLOWED,
        path=path,
        headers=origin(APP),
        cors={**ECHO, "vary": expected},
    )


HEADER_ROWS = [
    Row("`*`: no Origin, the same answer", anyone, Reason.NOT_CORS, cors=ANY),
    Row("`*`: an origin", anyone, Reason.ALLOWED, headers=origin(EVIL), cors=ANY),
    Row("`*`: an invalid Origin", anyone, Reason.ALLOWED, headers=origin("%"), cors=ANY),
    Row("`*`: null", anyone, Reason.ALLOWED, headers=origin("null"), cors=ANY),
    Row("`*`: Expose-Headers, if any", anyone_exposing, Reason.ALLOWED,
        headers=origin(EVIL), cors=ANY_EXPOSING),
    Row("`*`: Expose-Headers without an Origin, too", anyone_exposing, Reason.NOT_CORS,
        cors=ANY_EXPOSING),
    Row("listed origins: no Origin", full, Reason.NOT_CORS, cors=VARY),
    Row("listed: OPTIONS without Origin", full, Reason.NOT_CORS, "OPTIONS", cors=VARY),
    Row("an origin that is allowed, with all that the policy offers", full, Reason.ALLOWED,
        headers=origin(APP), cors=FULL_ECHO),
    Row("with a cookie and allow_credentials", full, Reason.ALLOWED,
        headers=origin(APP, COOKIE), cors=FULL_ECHO),
    Row("an allowed origin", listed, Reason.ALLOWED, headers=origin(APP), cors=ECHO),
    Row("POST", listed, Reason.ALLOWED, "POST", headers=origin(APP), cors=ECHO),
    Row("PUT", listed, Reason.ALLOWED, "PUT", headers=origin(APP), cors=ECHO),
    Row("PATCH", listed, Reason.ALLOWED, "PATCH", headers=origin(APP), cors=ECHO),
    Row("DELETE", listed, Reason.ALLOWED, "DELETE", headers=origin(APP), cors=ECHO),
    Row("HEAD", listed, Reason.ALLOWED, "HEAD", headers=origin(APP), cors=ECHO),
    Row("the root", listed, Reason.ALLOWED, path="/", headers=origin(APP), cors=ECHO),
    Row("the request's own bytes are echoed, from a subdomain pattern", listed, Reason.ALLOWED,
        headers=origin("https://a.b_c.example.org"),
        cors=cors(allow_origin="https://a.b_c.example.org", vary="Origin")),
    Row("the request's own bytes are echoed, from a port pattern", listed, Reason.ALLOWED,
        headers=origin("http://localhost:3000"),
        cors=cors(allow_origin="http://localhost:3000", vary="Origin")),
    Row("the request's own bytes are echoed, from a regex", regex, Reason.ALLOWED,
        headers=origin("https://pr-7.example.com"),
        cors=cors(allow_origin="https://pr-7.example.com", vary="Origin")),
    Row("the request's own bytes are echoed, from a callable", allow_all, Reason.ALLOWED,
        headers=origin(EVIL), cors=cors(allow_origin=EVIL, vary="Origin")),
    Row("OPTIONS without Access-Control-Request-Method reaches the application", listed,
        Reason.ALLOWED, "OPTIONS", headers=origin(APP), cors=ECHO),
    Row("a stream goes through", full, Reason.ALLOWED,
        path="/stream", headers=origin(APP), cors=FULL_ECHO),
]  # fmt: skip
REFUSED_ROWS = [
    Row("origin not allowed", listed, Reason.ORIGIN_NOT_ALLOWED, "GET",
        headers=origin(EVIL), cors=VARY),
    Row("not allowed, POST reaches the application", listed, Reason.ORIGIN_NOT_ALLOWED, "POST",
        headers=origin(EVIL), cors=VARY),
    Row("not allowed, with a cookie", full, Reason.ORIGIN_NOT_ALLOWED, "GET",
        headers=origin(EVIL, COOKIE), cors=VARY),
    Row("another scheme is another origin", listed, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin(APP.replace("https", "http")), cors=VARY),
    Row("another port is another origin", listed, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin(f"{APP}:8443"), cors=VARY),
    Row("a listed host as a prefix", listed, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin(f"{APP}.evil.example"), cors=VARY),
    Row("a pattern of subdomains covers not the apex", listed, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin("https://example.org"), cors=VARY),
    Row("a regex matches the whole", regex, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin("https://pr-7.example.com.evil.example"), cors=VARY),
    Row("credentials not allowed: the headers of an allowed origin", listed,
        Reason.CREDENTIALS_NOT_ALLOWED, headers=origin(APP, COOKIE), cors=ECHO),
    Row("credentials not allowed under `*`", anyone,
        Reason.CREDENTIALS_NOT_ALLOWED, headers=origin(EVIL, COOKIE), cors=ANY),
    Row("credentials not allowed, Sec-Fetch-Mode: cors", listed,
        Reason.CREDENTIALS_NOT_ALLOWED,
        headers=origin(APP, COOKIE, ("Sec-Fetch-Mode", "cors")), cors=ECHO),
    Row("a cookie on a navigation is no refusal", listed, Reason.ALLOWED, "POST",
        headers=origin(APP, COOKIE, ("Sec-Fetch-Mode", "navigate")), cors=ECHO),
    Row("a callable that raises means no", raises, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin(APP), cors=VARY),
    Row("with credentials, a callable's yes does not allow plain http",
        allow_all_with_credentials, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin("http://app.example.com"), cors=VARY),
    Row("null, and a callable is not asked", allow_all, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin("null"), cors=VARY),
    Row("null, where the policy lists it", null_allowed, Reason.ALLOWED,
        headers=origin("null"), cors=cors(allow_origin="null", vary="Origin")),
    _invalid_origin_row("nothing in it", ""),
    _invalid_origin_row("a list in it", f"{APP} {EVIL}"),
    _invalid_origin_row("a path", f"{APP}/a"),
    _invalid_origin_row("a last slash", f"{APP}/"),
    _invalid_origin_row("userinfo", "https://user@app.example.com"),
    _invalid_origin_row("upper case in the host", "https://APP.example.com"),
    _invalid_origin_row("upper case in the scheme", "HTTPS://app.example.com"),
    _invalid_origin_row("the default port", f"{APP}:443"),
    _invalid_origin_row("port 0", f"{APP}:0"),
    _invalid_origin_row("a port over 65535", f"{APP}:65536"),
    _invalid_origin_row("a control character", "https://app\x01.example.com"),
    _invalid_origin_row("a tab", f"{APP}\t{EVIL}"),
    _invalid_origin_row("a character outside ASCII", "https://r\xe9sum\xe9.example"),
    _invalid_origin_row("a label of 64 characters", f"https://{'a' * 64}.example"),
    _invalid_origin_row("a host of 254 characters", f"https://{'a' * 62}.{'a.' * 95}a"),
    _invalid_origin_row("327 characters", f"{'s' * 72}://{'a.' * 126}"),
    _invalid_origin_row("no scheme", "app.example.com"),
    _invalid_origin_row("a wildcard", "https://*.example.com"),
    Row("an Origin of two lines is invalid", allow_all, Reason.ORIGIN_INVALID,
        headers=[("Origin", APP), ("Origin", APP)], cors=VARY),
]  # fmt: skip
MERGE_ROWS = [
    *_status_rows("/redirect", "a 302"),
    *_status_rows("/not-modified", "a 304"),
    *_status_rows("/missing", "a 404"),
    *_status_rows("/forbidden-method", "a 405"),
    *_status_rows("/too-large", "a 413"),
    _vary_row("/vary-encoding", "Accept-Encoding, Origin"),
    _vary_row("/vary-origin", "Origin"),
    _vary_row("/vary-any", "*"),
    _vary_row("/vary-two-lines", "Accept-Encoding, Cookie, Origin"),
    _vary_row("/vary-any-in-two-lines", "Accept-Encoding, *"),
    _vary_row("/vary-mixed-case", "accept-ENCODING, oRiGin"),
    Row("under `*` the application's Vary stays", anyone, Reason.ALLOWED,
        path="/vary-two-lines", headers=origin(APP),
        cors={**ANY, "vary": "Accept-Encoding, Cookie"}),
    Row("Vary is merged for a refused origin", listed, Reason.ORIGIN_NOT_ALLOWED,
        path="/vary-encoding", headers=origin(EVIL), cors=cors(vary="Accept-Encoding, Origin")),
    Row("Vary is merged without an Origin", listed, Reason.NOT_CORS,
        path="/vary-encoding", cors=cors(vary="Accept-Encoding, Origin")),
    Row("what the application set itself is replaced", listed, Reason.ALLOWED,
        path="/own-headers", headers=origin(APP),
        cors={**ECHO, **cors(expose_headers="X-Own, x-total")}),
    Row("names that the application exposes are added, each once", full, Reason.ALLOWED,
        path="/own-headers", headers=origin(APP),
        cors={**FULL_ECHO, **cors(expose_headers="X-Total, X-Page, X-Own")}),
    Row("what the application set itself is replaced under `*`", anyone_exposing,
        Reason.ALLOWED, path="/own-headers", headers=origin(EVIL),
        cors={**ANY, **cors(expose_headers="X-Total, X-Own")}),
    Row("names are added to an exposed `*`", everything_exposed,
        Reason.ALLOWED, path="/own-headers", headers=origin(EVIL),
        cors={**ANY, **cors(expose_headers="*, X-Own, x-total")}),
    Row("what the application set itself is dropped for a refused origin", full,
        Reason.ORIGIN_NOT_ALLOWED, path="/own-headers", headers=origin(EVIL), cors=VARY),
    Row("what the application set itself is dropped without an Origin", full,
        Reason.NOT_CORS, path="/own-headers", cors=VARY),
    Row("no policy for the path: the application speaks for itself", only_api,
        Reason.NO_POLICY, path="/own-headers", headers=origin(EVIL),
        cors=cors(allow_origin="*", allow_credentials="true", allow_methods="TRACE",
                  allow_headers="X-Own", max_age="1", expose_headers="X-Own, x-total")),
    Row("no policy for the path: Vary stays", only_api, Reason.NO_POLICY,
        path="/vary-two-lines", headers=origin(APP), cors=cors(vary="Accept-Encoding, Cookie")),
]  # fmt: skip
CRASH_ROWS = [
    Row("a 500 carries the headers", full, Reason.ALLOWED,
        path="/crash", headers=origin(APP), cors=FULL_ECHO),
    Row("a 500 under `*`", anyone, Reason.NOT_CORS, path="/crash", cors=ANY),
    Row("a 500 for a refused origin has Vary alone", full, Reason.ORIGIN_NOT_ALLOWED,
        path="/crash", headers=origin(EVIL), cors=VARY),
]  # fmt: skip
