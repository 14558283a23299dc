"""Preflights: the answer, the lists, `*`, the limits, and the reasons."""

from __future__ import annotations

import warnings

from support.rows.actual import allow_all, anyone, null_allowed, only_api
from support.table import APP, EVIL, PREFLIGHT_VARY, Row, cors, origin, preflight

from corsguard import Guard, Policy, PolicyWarning, Reason

VARY = cors(vary=f"Origin, {PREFLIGHT_VARY}")
ECHO = cors(allow_origin=APP, max_age="7200", vary=f"Origin, {PREFLIGHT_VARY}")
ANY = cors(allow_origin="*", max_age="7200", vary=PREFLIGHT_VARY)
LISTS = cors(
    allow_credentials="true",
    allow_methods="GET, HEAD, POST, PUT, DELETE",
    allow_headers="Content-Type, X-A",
    max_age="600",
)
WHOLE = {**ECHO, **LISTS}
LITERAL = {**ANY, **cors(allow_methods="*", allow_headers="*, Authorization")}
LONGEST = ",".join(["x-a", " " * 4_088, "x-a"])
MOST_NAMES = ", ".join(f"x-{number}" for number in range(64))


def full() -> Guard:
    return Guard(
        Policy(
            allow_origins=[APP],
            allow_credentials=True,
            allow_methods=["PUT", "DELETE"],
            allow_headers=["Content-Type", "X-A"],
            expose_headers=["X-Total"],
            max_age=600,
        )
    )


def bare() -> Guard:
    return Guard(Policy(allow_origins=[APP]))


def uncached() -> Guard:
    return Guard(Policy(allow_origins=[APP], max_age=0))


def browser_cached() -> Guard:
    return Guard(Policy(allow_origins=[APP], max_age=None))


def wildcards() -> Guard:
    return Guard(
        Policy(allow_origins=["*"], allow_methods=["*"], allow_headers=["*", "Authorization"])
    )


def wildcard_names() -> Guard:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)  # of Authorization, which is the point here
        return Guard(Policy(allow_origins=["*"], allow_headers=["*"]))


def wildcards_with_credentials() -> Guard:
    return Guard(
        Policy(
            allow_origins=[APP], allow_credentials=True, allow_methods=["*"], allow_headers=["*"]
        )
    )


def _echo_fields(method: str | None = None, names: str | None = None) -> dict[str, str]:
    """Return the fields that `*` with credentials becomes: the requested method and names."""
    answer = {**ECHO, **cors(allow_credentials="true")}
    if method is not None:
        answer |= cors(allow_methods=method)
    return answer if names is None else {**answer, **cors(allow_headers=names)}


def _names_row(what: str, names: str, reason: Reason = Reason.ALLOWED) -> Row:
    name = f"Access-Control-Request-Headers: {what}"
    return Row(name, full, reason, "OPTIONS", headers=preflight(APP, "PUT", names),
               status=204, cors=WHOLE)  # fmt: skip


ANSWER_ROWS = [
    Row("a preflight has the policy's whole lists", full, Reason.ALLOWED, "OPTIONS",
        headers=preflight(APP, "PUT", "content-type,x-a"), status=204, cors=WHOLE),
    Row("without Access-Control-Request-Headers", full, Reason.ALLOWED, "OPTIONS",
        headers=preflight(APP, "DELETE"), status=204, cors=WHOLE),
    Row("a policy without lists", bare, Reason.ALLOWED, "OPTIONS",
        headers=preflight(APP, "POST"), status=204, cors=ECHO),
    Row("a max-age of 0 is sent", uncached, Reason.ALLOWED, "OPTIONS",
        headers=preflight(APP, "GET"), status=204, cors={**ECHO, **cors(max_age="0")}),
    Row("a max-age of None is left out", browser_cached, Reason.ALLOWED, "OPTIONS",
        headers=preflight(APP, "GET"), status=204,
        cors=cors(allow_origin=APP, vary=f"Origin, {PREFLIGHT_VARY}")),
    Row("a preflight from any origin does not vary by it", anyone, Reason.ALLOWED, "OPTIONS",
        headers=preflight(EVIL, "GET"), status=204, cors=ANY),
    Row("a preflight from null, where the policy lists it", null_allowed, Reason.ALLOWED,
        "OPTIONS", headers=preflight("null", "GET"), status=204,
        cors={**ECHO, **cors(allow_origin="null")}),
    Row("a preflight never reaches the application, whatever the path", full, Reason.ALLOWED,
        "OPTIONS", "/missing", preflight(APP, "PUT"), 204, WHOLE),
    Row("a preflight does not carry a cookie's reason", bare, Reason.ALLOWED, "OPTIONS",
        headers=[*preflight(APP, "GET"), ("Cookie", "a=1")], status=204, cors=ECHO),
    Row("a preflight's origin not allowed", full, Reason.ORIGIN_NOT_ALLOWED, "OPTIONS",
        headers=preflight(EVIL, "PUT"), status=403, cors=VARY),
    Row("a preflight's origin invalid", full, Reason.ORIGIN_INVALID, "OPTIONS",
        headers=preflight(f"{APP}/", "PUT"), status=403, cors=VARY),
    Row("a preflight with an Origin of two lines", allow_all, Reason.ORIGIN_INVALID, "OPTIONS",
        headers=[("Origin", APP), *preflight(APP, "PUT")], status=403, cors=VARY),
    Row("a preflight with an empty Origin", allow_all, Reason.ORIGIN_INVALID, "OPTIONS",
        headers=preflight("", "PUT"), status=403, cors=VARY),
    Row("a preflight from null", full, Reason.ORIGIN_NOT_ALLOWED, "OPTIONS",
        headers=preflight("null", "PUT"), status=403, cors=VARY),
    Row("a preflight from the service's own page is refused as any other", bare,
        Reason.ORIGIN_NOT_ALLOWED, "OPTIONS", headers=preflight("https://api.example.com", "PUT"),
        status=403, cors=VARY),
    Row("no policy for the path: a preflight reaches the application", only_api,
        Reason.NO_POLICY, "OPTIONS", headers=preflight(APP, "PUT")),
    Row("3 a preflight has three parts: no Origin", full, Reason.NOT_CORS, "OPTIONS",
        headers=[("Access-Control-Request-Method", "PUT")], cors=cors(vary="Origin")),
    Row("3 a preflight has three parts: another method", bare, Reason.ALLOWED, "POST",
        headers=preflight(APP, "PUT"), cors=cors(allow_origin=APP, vary="Origin")),
    Row("3 a preflight has three parts: no Access-Control-Request-Method", bare, Reason.ALLOWED,
        "OPTIONS", headers=origin(APP, ("Access-Control-Request-Headers", "x-a")),
        cors=cors(allow_origin=APP, vary="Origin")),
]  # fmt: skip
METHOD_ROWS = [
    Row("method not allowed: the whole lists all the same", full, Reason.METHOD_NOT_ALLOWED,
        "OPTIONS", headers=preflight(APP, "PATCH"), status=204, cors=WHOLE),
    Row("method not allowed comes before headers not allowed", full, Reason.METHOD_NOT_ALLOWED,
        "OPTIONS", headers=preflight(APP, "PATCH", "x-b"), status=204, cors=WHOLE),
    Row("methods are case-sensitive", full, Reason.METHOD_NOT_ALLOWED,
        "OPTIONS", headers=preflight(APP, "put"), status=204, cors=WHOLE),
    Row("an empty method is none", full, Reason.METHOD_NOT_ALLOWED,
        "OPTIONS", headers=preflight(APP, ""), status=204, cors=WHOLE),
    Row("a method in two lines is none", full, Reason.METHOD_NOT_ALLOWED, "OPTIONS",
        headers=[*preflight(APP, "PUT"), ("Access-Control-Request-Method", "PUT")],
        status=204, cors=WHOLE),
    Row("no list: PUT", bare, Reason.METHOD_NOT_ALLOWED,
        "OPTIONS", headers=preflight(APP, "PUT"), status=204, cors=ECHO),
    Row("GET is always allowed", full, Reason.ALLOWED,
        "OPTIONS", headers=preflight(APP, "GET"), status=204, cors=WHOLE),
    Row("HEAD is always allowed", full, Reason.ALLOWED,
        "OPTIONS", headers=preflight(APP, "HEAD"), status=204, cors=WHOLE),
    Row("POST is always allowed", full, Reason.ALLOWED,
        "OPTIONS", headers=preflight(APP, "POST"), status=204, cors=WHOLE),
]  # fmt: skip
NAME_ROWS = [
    _names_row("in any order and case", "X-A, CONTENT-TYPE"),
    _names_row("optional white space", "\tx-a , \t content-type \t"),
    _names_row("empty elements", ",,x-a, ,\t,content-type,"),
    _names_row("empty", ""),
    _names_row("twice the same", "x-a,X-A,x-a"),
    _names_row("4,096 characters", LONGEST),
    _names_row("one that is not listed", "x-a,x-b", Reason.HEADERS_NOT_ALLOWED),
    _names_row("one that is not a token", "x-a,x b", Reason.HEADERS_NOT_ALLOWED),
    _names_row("Authorization, not listed", "authorization", Reason.HEADERS_NOT_ALLOWED),
    _names_row("outside ASCII", "x-\xe4", Reason.HEADERS_NOT_ALLOWED),
    _names_row("4,097 characters are not read", f"{LONGEST},", Reason.HEADERS_NOT_ALLOWED),
    _names_row("65 names are not read", "x-a," * 65, Reason.HEADERS_NOT_ALLOWED),
    Row("Access-Control-Request-Headers in two lines", full, Reason.ALLOWED, "OPTIONS",
        headers=[*preflight(APP, "PUT", "x-a"), ("Access-Control-Request-Headers", "content-type")],
        status=204, cors=WHOLE),
]  # fmt: skip
WILDCARD_ROWS = [
    Row("`*` is sent as `*` without credentials", wildcards, Reason.ALLOWED, "OPTIONS",
        headers=preflight(EVIL, "PUT", "x-anything"), status=204, cors=LITERAL),
    Row("`*` and Authorization are sent as both", wildcards, Reason.ALLOWED, "OPTIONS",
        headers=preflight(EVIL, "PUT", "authorization"), status=204, cors=LITERAL),
    Row("Authorization is not covered by `*`", wildcard_names, Reason.HEADERS_NOT_ALLOWED,
        "OPTIONS", headers=preflight(EVIL, "GET", "authorization"), status=204,
        cors={**ANY, **cors(allow_headers="*")}),
    Row("`*` does not cover an invalid name", wildcard_names, Reason.HEADERS_NOT_ALLOWED,
        "OPTIONS", headers=preflight(EVIL, "GET", "x;y"), status=204,
        cors={**ANY, **cors(allow_headers="*")}),
    Row("`*` with credentials: the requested names are sent back", wildcards_with_credentials,
        Reason.ALLOWED, "OPTIONS", headers=preflight(APP, "PATCH", "x-b,authorization"),
        status=204, cors=_echo_fields("GET, HEAD, POST, PATCH", "x-b, authorization")),
    Row("`*` with credentials: names are written anew", wildcards_with_credentials,
        Reason.ALLOWED, "OPTIONS", headers=preflight(APP, "GET", " X-B,, x-b ,\tx-c"),
        status=204, cors=_echo_fields("GET, HEAD, POST", "x-b, x-c")),
    Row("`*` with credentials: no name requested, none sent", wildcards_with_credentials,
        Reason.ALLOWED, "OPTIONS", headers=preflight(APP, "PUT"),
        status=204, cors=_echo_fields("GET, HEAD, POST, PUT")),
    Row("`*` with credentials: an invalid name", wildcards_with_credentials,
        Reason.HEADERS_NOT_ALLOWED, "OPTIONS", headers=preflight(APP, "PUT", 'x-b, "x"'),
        status=204, cors=_echo_fields("GET, HEAD, POST, PUT")),
    Row("`*` with credentials: an invalid method", wildcards_with_credentials,
        Reason.METHOD_NOT_ALLOWED, "OPTIONS", headers=preflight(APP, "PUT, GET", "x-b"),
        status=204, cors=_echo_fields(names="x-b")),
    Row("`*` with credentials: a method that no page can send", wildcards_with_credentials,
        Reason.METHOD_NOT_ALLOWED, "OPTIONS", headers=preflight(APP, "TRACE"),
        status=204, cors=_echo_fields()),
    Row("`*` with credentials: 64 names are sent back", wildcards_with_credentials,
        Reason.ALLOWED, "OPTIONS", headers=preflight(APP, "PUT", MOST_NAMES),
        status=204, cors=_echo_fields("GET, HEAD, POST, PUT", MOST_NAMES)),
    Row("`*` with credentials: 65 names are not read", wildcards_with_credentials,
        Reason.HEADERS_NOT_ALLOWED, "OPTIONS", headers=preflight(APP, "PUT", f"{MOST_NAMES},x"),
        status=204, cors=_echo_fields("GET, HEAD, POST, PUT")),
    Row("`*` with credentials: another origin is refused", wildcards_with_credentials,
        Reason.ORIGIN_NOT_ALLOWED, "OPTIONS", headers=preflight(EVIL, "PUT", "x-b"),
        status=403, cors=VARY),
]  # fmt: skip
