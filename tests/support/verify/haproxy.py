"""Configurations of HAProxy: right ones, and some with a fault each."""

from __future__ import annotations

from support.verify.faults import BARE, DOWN, GUARDED, Fault

ORIGINS = "^https://((app|admin)|([a-z0-9-]+\\.)+preview)\\.example\\.com$"

PREFLIGHT = (
    "http-request return status 204 "
    "hdr Access-Control-Allow-Origin %[var(txn.origin)] "
    "hdr Access-Control-Allow-Credentials true "
    "hdr Access-Control-Allow-Methods GET,PUT,DELETE "
    "hdr Access-Control-Allow-Headers content-type,x-trace "
    "hdr Access-Control-Max-Age 600 hdr Vary Origin if METH_OPTIONS allowed"
)


def _serve(inside: str, before: str = "") -> str:
    lines = "\n".join(f"    {line.strip()}" for line in inside.strip().splitlines())
    return f"{before}\nlisten all\n    bind 127.0.0.1:PORT\n{lines}\n    server one BACKEND\n"


def _answer(rule: str = "http-after-response", origins: str = ORIGINS, vary: str = "Origin") -> str:
    """Return a configuration of which the proxy answers by itself."""
    quoted = origins.replace("\\", "\\\\")
    return _serve(f"""
        http-request set-var(txn.origin) req.hdr(Origin)
        acl allowed var(txn.origin) -m reg {quoted}
        {rule} set-header Access-Control-Allow-Origin %[var(txn.origin)] if allowed
        {rule} set-header Access-Control-Allow-Credentials true if allowed
        {rule} set-header Access-Control-Expose-Headers X-Total if allowed
        {rule} set-header Vary {vary}
        {PREFLIGHT}
        http-request return status 204 if METH_OPTIONS
    """)


CACHE = "cache all\n    total-max-size 4\n    max-age 60\n"
USERS = "userlist all\n    user ann insecure-password secret\n"

RIGHT = {
    "passes all on": (_serve(""), GUARDED),
    "sets the headers": (_answer(), BARE),
    "caches by Vary": (
        _serve("http-request cache-use all\nhttp-response cache-store all", CACHE),
        GUARDED,
    ),
    "sets the headers, application down": (_answer(), DOWN),
}
UNREACHED = {"passes all on": _serve("")}

FAULTS = {
    "second layer": Fault(
        _serve("http-response add-header Access-Control-Allow-Origin https://app.example.com"),
        {"allow-origin-repeated"},
    ),
    "OPTIONS is not allowed": Fault(
        _serve("http-request deny deny_status 405 if METH_OPTIONS"), {"preflight-not-answered"}
    ),
    "rate limit": Fault(
        _serve("http-request deny deny_status 429 if METH_OPTIONS"), {"preflight-refused"}
    ),
    "login": Fault(
        _serve("http-request auth unless { http_auth(all) }", USERS), {"preflight-authenticated"}
    ),
    "https": Fault(_serve("http-request redirect scheme https"), {"preflight-redirected"}),
    "own 204": Fault(
        _serve("http-request return status 204 if METH_OPTIONS"), {"preflight-swallowed"}
    ),
    "any origin": Fault(_answer(origins="."), {"reflected-with-credentials"}, BARE),
    "suffix": Fault(_answer(origins="example\\.com$"), {"suffix-match"}, BARE),
    "null": Fault(_answer(origins=f"{ORIGINS}|^null$"), {"null-allowed"}, BARE),
    "any page": Fault(
        _serve("""
            http-response del-header Access-Control-Allow-Credentials
            http-response set-header Access-Control-Allow-Origin *
        """),
        {"wildcard-sent", "credentials-missing"},
    ),
    "Vary is dropped": Fault(_serve("http-response del-header Vary"), {"vary-missing"}),
    "origins are dropped": Fault(
        _serve("http-response del-header Access-Control-Allow-Origin"), {"headers-missing"}
    ),
    "Origin is dropped": Fault(_serve("http-request del-header Origin"), {"headers-missing"}),
    "exposed headers are dropped": Fault(
        _serve("http-response del-header Access-Control-Expose-Headers"), {"expose-missing"}
    ),
    "cache without Vary": Fault(
        _serve(
            "http-request cache-use all\nhttp-response del-header Vary\n"
            "http-response cache-store all",
            CACHE,
        ),
        {"cache-ignores-vary"},
    ),
    "error without headers": Fault(
        _answer("http-response"), {"gateway-errors-without-headers"}, DOWN
    ),
}
