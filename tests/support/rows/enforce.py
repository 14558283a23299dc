"""The service's own requests, and enforcement."""

from __future__ import annotations

from support.table import APP, EVIL, HOST, PREFLIGHT_VARY, Row, cors, origin, preflight

from corsguard import Guard, Policy, Reason

VARY = cors(vary="Origin")
ECHO = cors(allow_origin=APP, vary="Origin")
OWN = f"https://{HOST}"
COOKIE = ("Cookie", "session=1")
CROSS_SITE = ("Sec-Fetch-Site", "cross-site")
SAME_ORIGIN = ("Sec-Fetch-Site", "same-origin")
UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket")]

_LISTED = Policy(allow_origins=[APP])
_COOKIES = Policy(allow_origins=[APP], allow_credentials=True)


def plain() -> Guard:
    return Guard(_LISTED)


def with_own_origins() -> Guard:
    return Guard(_LISTED, own_origins=["https://www.example.com"])


def enforced() -> Guard:
    return Guard(_LISTED, enforce=True)


def enforced_with_cookies() -> Guard:
    return Guard(_COOKIES, enforce=True)


def enforced_with_own_origins() -> Guard:
    return Guard(_LISTED, enforce=True, own_origins=["https://www.example.com"])


def reported() -> Guard:
    return Guard(_LISTED, enforce="report")


def no_cors_at_all() -> Guard:
    return Guard(None, enforce=True)


def by_path() -> Guard:
    return Guard(
        {"/api": _LISTED, "/api/off": None, "/open": Policy(allow_origins=["*"])},
        enforce=True,
        enforce_exempt=["/open", "/hooks"],
    )


def _same_origin(name: str, *headers: tuple[str, str], host: str = HOST) -> Row:
    """Build a row that would be refused if it were not same-origin."""
    return Row(f"same-origin: {name}", plain, Reason.SAME_ORIGIN, "POST",
               headers=list(headers), cors=VARY, host=host)  # fmt: skip


def _cross_origin(name: str, *headers: tuple[str, str], host: str = HOST) -> Row:
    return Row(f"cross-origin: {name}", plain, Reason.ORIGIN_NOT_ALLOWED, "POST",
               headers=list(headers), cors=VARY, host=host)  # fmt: skip


OWN_ROWS = [
    _same_origin("Sec-Fetch-Site is same-origin", ("Origin", EVIL), SAME_ORIGIN),
    _same_origin("Sec-Fetch-Site is none", ("Origin", "null"), ("Sec-Fetch-Site", "none")),
    _same_origin("an invalid Origin, and Sec-Fetch-Site is same-origin",
                 ("Origin", "%"), SAME_ORIGIN),
    _same_origin("Origin is that of Host", ("Origin", OWN)),
    _same_origin("Origin is that of Host, by plain http", ("Origin", "http://api.example.com")),
    _same_origin("Host in upper case", ("Origin", OWN), host="API.example.COM"),
    _same_origin("Host with the default port of https", ("Origin", OWN), host=f"{HOST}:443"),
    _same_origin("Host with the default port of http",
                 ("Origin", f"http://{HOST}"), host=f"{HOST}:80"),
    _same_origin("Host with another port", ("Origin", f"{OWN}:8443"), host=f"{HOST}:8443"),
    _same_origin("Host is an IPv6 address", ("Origin", "https://[::1]"), host="[::1]:443"),
    _cross_origin("Host with the default port of the other scheme",
                  ("Origin", OWN), host=f"{HOST}:80"),
    _cross_origin("Host with another port", ("Origin", f"{OWN}:8443")),
    _cross_origin("Host is empty", ("Origin", OWN), host=""),
    _cross_origin("Host with userinfo", ("Origin", OWN), host=f"a@{HOST}"),
    _cross_origin("null, and Host is null", ("Origin", "null"), host="null"),
    _cross_origin("Sec-Fetch-Site goes before Host", ("Origin", OWN), CROSS_SITE),
    _cross_origin("Sec-Fetch-Site is same-site", ("Origin", OWN), ("Sec-Fetch-Site", "same-site")),
    _cross_origin("Sec-Fetch-Site is anything else",
                  ("Origin", OWN), ("Sec-Fetch-Site", "Same-Origin")),
    _cross_origin("Sec-Fetch-Site is empty", ("Origin", OWN), ("Sec-Fetch-Site", "")),
    _cross_origin("Sec-Fetch-Site is repeated", ("Origin", EVIL), SAME_ORIGIN, SAME_ORIGIN),
    _cross_origin("X-Forwarded-* is never read", ("Origin", EVIL),
             ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https"),
             ("Forwarded", "host=evil.example;proto=https")),
    Row("own: an origin of own_origins", with_own_origins, Reason.SAME_ORIGIN, "POST",
        headers=origin("https://www.example.com"), cors=VARY),
    Row("not own: Sec-Fetch-Site goes before own_origins", with_own_origins,
        Reason.ORIGIN_NOT_ALLOWED, "POST",
        headers=origin("https://www.example.com", CROSS_SITE), cors=VARY),
    Row("same origin in place of credentials not allowed, the headers stay",
        plain, Reason.SAME_ORIGIN, headers=origin(APP, COOKIE, SAME_ORIGIN), cors=ECHO),
    Row("same origin is looked at only where a refusal would follow",
        plain, Reason.ALLOWED, headers=origin(APP, SAME_ORIGIN), cors=ECHO),
]  # fmt: skip


def _refused(name: str, *headers: tuple[str, str], method: str = "POST") -> Row:
    return Row(f"enforced: {name}", enforced, Reason.CROSS_ORIGIN_REFUSED, method,
               headers=list(headers), status=403, cors=VARY)  # fmt: skip


def _passes(name: str, reason: Reason, *headers: tuple[str, str], method: str = "POST") -> Row:
    return Row(f"enforced, passes: {name}", enforced, reason, method, headers=list(headers),
               cors=ECHO if ("Origin", APP) in headers else VARY)  # fmt: skip


ENFORCE_ROWS = [
    _refused("POST from elsewhere", ("Origin", EVIL)),
    _refused("PUT from elsewhere", ("Origin", EVIL), method="PUT"),
    _refused("PATCH from elsewhere", ("Origin", EVIL), method="PATCH"),
    _refused("DELETE from elsewhere", ("Origin", EVIL), method="DELETE"),
    _refused("POST from elsewhere with a cookie", ("Origin", EVIL), COOKIE),
    _refused("POST from null", ("Origin", "null")),
    _refused("POST with an invalid Origin", ("Origin", f"{APP}/")),
    _refused("POST without Origin that Sec-Fetch-Site calls cross-site", CROSS_SITE),
    _refused("POST without Origin that Sec-Fetch-Site calls same-site",
             ("Sec-Fetch-Site", "same-site")),
    _refused("POST with a repeated Sec-Fetch-Site", ("Origin", EVIL), SAME_ORIGIN, SAME_ORIGIN),
    _refused("a WebSocket handshake", ("Origin", EVIL), *UPGRADE, method="GET"),
    _refused("a WebSocket handshake in upper case", ("Origin", EVIL), ("Upgrade", "h2c, WebSocket"),
             method="GET"),
    _refused("X-Forwarded-Host does not make it own",
             ("Origin", EVIL), ("X-Forwarded-Host", "evil.example")),
    Row("enforced: an allowed origin with a cookie, without allow_credentials", enforced,
        Reason.CROSS_ORIGIN_REFUSED, "POST", headers=origin(APP, COOKIE), status=403, cors=ECHO),
    _passes("GET", Reason.ORIGIN_NOT_ALLOWED, ("Origin", EVIL), method="GET"),
    _passes("HEAD", Reason.ORIGIN_NOT_ALLOWED, ("Origin", EVIL), method="HEAD"),
    _passes("OPTIONS", Reason.ORIGIN_NOT_ALLOWED, ("Origin", EVIL), method="OPTIONS"),
    _passes("GET with another Upgrade", Reason.ORIGIN_NOT_ALLOWED,
            ("Origin", EVIL), ("Upgrade", "h2c"), method="GET"),
    _passes("an allowed origin", Reason.ALLOWED, ("Origin", APP)),
    _passes("an allowed origin's WebSocket", Reason.ALLOWED, ("Origin", APP), *UPGRADE,
            method="GET"),
    _passes("own by Sec-Fetch-Site", Reason.SAME_ORIGIN, ("Origin", EVIL), SAME_ORIGIN),
    _passes("own by Sec-Fetch-Site, without Origin", Reason.NOT_CORS, SAME_ORIGIN),
    _passes("own by Sec-Fetch-Site: none", Reason.NOT_CORS, ("Sec-Fetch-Site", "none")),
    _passes("own by Host", Reason.SAME_ORIGIN, ("Origin", OWN), COOKIE),
    _passes("an own WebSocket", Reason.SAME_ORIGIN, ("Origin", OWN), *UPGRADE, method="GET"),
    _passes("neither Origin nor Sec-Fetch-Site: no browser", Reason.NOT_CORS, COOKIE),
    Row("enforced, passes: own_origins", enforced_with_own_origins, Reason.SAME_ORIGIN, "POST",
        headers=origin("https://www.example.com"), cors=VARY),
    Row("enforced, passes: an allowed origin with a cookie and allow_credentials",
        enforced_with_cookies, Reason.ALLOWED, "POST", headers=origin(APP, COOKIE),
        cors={**ECHO, **cors(allow_credentials="true")}),
    Row("enforced: a preflight is answered as ever", enforced, Reason.ORIGIN_NOT_ALLOWED,
        "OPTIONS", headers=preflight(EVIL, "PUT"), status=403,
        cors=cors(vary=f"Origin, {PREFLIGHT_VARY}")),
    Row("report: the same decision, but the request goes on", reported,
        Reason.CROSS_ORIGIN_REFUSED, "POST", headers=origin(EVIL), cors=VARY),
    Row("report: GET", reported, Reason.ORIGIN_NOT_ALLOWED, headers=origin(EVIL), cors=VARY),
]  # fmt: skip
PATH_ROWS = [
    Row("enforced: a path without a policy", by_path, Reason.CROSS_ORIGIN_REFUSED,
        "POST", "/items", origin(APP), 403),
    Row("enforced: a None route", by_path, Reason.CROSS_ORIGIN_REFUSED,
        "POST", "/api/off/x", origin(APP), 403),
    Row("enforced: a path that is not canonical", by_path, Reason.CROSS_ORIGIN_REFUSED,
        "POST", "/api//x", origin(APP), 403),
    Row("enforced: a path that is exempt but for its spelling", by_path,
        Reason.CROSS_ORIGIN_REFUSED, "POST", "/hooks/../hooks/x", origin(EVIL), 403),
    Row("enforced: a prefix of an exempt name is not exempt", by_path,
        Reason.CROSS_ORIGIN_REFUSED, "POST", "/hooksx", origin(EVIL), 403),
    Row("enforced, passes: enforce_exempt", by_path, Reason.NO_POLICY,
        "POST", "/hooks/x", origin(EVIL)),
    Row("enforced, passes: enforce_exempt with a policy of `*`", by_path, Reason.ALLOWED,
        "POST", "/open", origin(EVIL), cors=cors(allow_origin="*")),
    Row("enforced, passes: the policy of the path", by_path, Reason.ALLOWED,
        "POST", "/api/x", origin(APP), cors=ECHO),
    Row("enforced, passes: own on a path without a policy", by_path, Reason.NO_POLICY,
        "POST", "/items", origin(OWN)),
    Row("Guard(None, enforce=True): POST from elsewhere", no_cors_at_all,
        Reason.CROSS_ORIGIN_REFUSED, "POST", "/items", origin(EVIL), 403),
    Row("Guard(None, enforce=True): no Origin, but cross-site", no_cors_at_all,
        Reason.CROSS_ORIGIN_REFUSED, "POST", "/items", [CROSS_SITE], 403),
    Row("Guard(None, enforce=True): GET", no_cors_at_all, Reason.NO_POLICY,
        headers=origin(EVIL)),
    Row("Guard(None, enforce=True): own", no_cors_at_all, Reason.NO_POLICY, "POST",
        headers=origin(OWN)),
    Row("Guard(None, enforce=True): a preflight reaches the application", no_cors_at_all,
        Reason.NO_POLICY, "OPTIONS", headers=preflight(EVIL, "PUT")),
]  # fmt: skip
