"""Configurations of Caddy: right ones, and some with a fault each."""

from __future__ import annotations

from support.verify.faults import BARE, DOWN, GUARDED, Fault

PASS = "reverse_proxy BACKEND"
ORIGINS = "^https://((app|admin)|([a-z0-9-]+\\.)+preview)\\.example\\.com$"
VARY = "header Vary Origin"
HEADERS = """
header @allowed {
    Access-Control-Allow-Origin {header.Origin}
    Access-Control-Allow-Credentials true
    Access-Control-Expose-Headers X-Total
}
"""
PREFLIGHT = """
header @preflight {
    Access-Control-Allow-Methods "GET, PUT, DELETE"
    Access-Control-Allow-Headers "X-Trace, Content-Type"
    Access-Control-Max-Age 600
}
respond @options 204
"""
AGAIN = HEADERS.replace("@allowed", "@again")
ON_OPTIONS = "@options method OPTIONS\n"


def _answer(
    origins: str = ORIGINS, headers: str = HEADERS, vary: str = VARY, rest: str = ""
) -> str:
    """Return a configuration of which the proxy answers by itself."""
    return f"""
        @allowed header_regexp Origin {origins}
        @preflight {{
            method OPTIONS
            header_regexp Origin {origins}
        }}
        {ON_OPTIONS} {headers} {vary} {PREFLIGHT} {PASS}
        {rest}
    """


RIGHT = {
    "passes all on": (PASS, GUARDED),
    "sets the headers": (_answer(), BARE),
    "sets the headers, application down": (
        _answer(
            rest=f"handle_errors {{\n @again header_regexp Origin {ORIGINS}\n {AGAIN} {VARY}\n"
            "respond {err.status_code} \n}"
        ),
        DOWN,
    ),
}
UNREACHED = {"passes all on": PASS}

FAULTS = {
    "second layer": Fault(
        f"header +Access-Control-Allow-Origin https://app.example.com\n{PASS}",
        {"allow-origin-repeated"},
    ),
    "OPTIONS is not allowed": Fault(
        f"{ON_OPTIONS}respond @options 405\n{PASS}", {"preflight-not-answered"}
    ),
    "rate limit": Fault(f"{ON_OPTIONS}respond @options 429\n{PASS}", {"preflight-refused"}),
    "login": Fault(f"respond 401\n{PASS}", {"preflight-authenticated"}),
    "https": Fault("redir https://{host}{uri} 308", {"preflight-redirected"}),
    "own 204": Fault(f"{ON_OPTIONS}respond @options 204\n{PASS}", {"preflight-swallowed"}),
    "any origin": Fault(_answer("."), {"reflected-with-credentials"}, BARE),
    "prefix": Fault(_answer(ORIGINS.replace("$", "")), {"prefix-match"}, BARE),
    "null": Fault(_answer(f"{ORIGINS}|^null$"), {"null-allowed"}, BARE),
    "any port": Fault(_answer(ORIGINS.replace("$", "(:\\d+)?$")), {"any-port"}, BARE),
    "any page": Fault(
        "header {\nAccess-Control-Allow-Origin *\n-Access-Control-Allow-Credentials\ndefer\n}\n"
        f"{PASS}",
        {"wildcard-sent", "credentials-missing"},
    ),
    "no Vary": Fault(_answer(vary=""), {"vary-missing"}, BARE),
    "Vary is dropped": Fault(f"header -Vary\n{PASS}", {"vary-missing"}),
    "origins are dropped": Fault(
        f"header -Access-Control-Allow-Origin\n{PASS}", {"headers-missing"}
    ),
    "exposed headers are dropped": Fault(
        f"header -Access-Control-Expose-Headers\n{PASS}", {"expose-missing"}
    ),
    "error without headers": Fault(
        _answer(rest="handle_errors {\n header -Access-Control-*\n respond {err.status_code}\n}"),
        {"gateway-errors-without-headers"},
        DOWN,
    ),
}
