"""Configurations of Apache: right ones, and some with a fault each."""

from __future__ import annotations

from support.verify.faults import BARE, DOWN, GUARDED, Fault

PASS = "ProxyPass / http://BACKEND/ retry=0\n"
ORIGINS = "^https://((app|admin)|([a-z0-9-]+\\.)+preview)\\.example\\.com$"
HEADERS = """
Header always set Access-Control-Allow-Origin %{ALLOWED}e env=ALLOWED
Header always set Access-Control-Allow-Credentials true env=ALLOWED
Header always set Access-Control-Expose-Headers X-Total env=ALLOWED
"""
VARY = "Header always merge Vary Origin\n"
PREFLIGHT = """
<If "%{REQUEST_METHOD} == 'OPTIONS'">
    Header always set Access-Control-Allow-Methods "GET, PUT, DELETE"
    Header always set Access-Control-Allow-Headers "X-Trace, Content-Type"
    Header always set Access-Control-Max-Age 600
</If>
"""

ON_PREFLIGHTS = """
Header always set Access-Control-Allow-Origin %{ALLOWED}e \
    "expr=%{REQUEST_METHOD} == 'OPTIONS' && reqenv('ALLOWED') != ''"
Header always set Access-Control-Allow-Credentials true \
    "expr=%{REQUEST_METHOD} == 'OPTIONS' && reqenv('ALLOWED') != ''"
"""


def _refuse(status: int) -> str:
    return (
        "RewriteEngine on\nRewriteCond %{REQUEST_METHOD} =OPTIONS\n"
        f"RewriteRule ^ - [R={status},L]\n"
    )


def _answer(origins: str = ORIGINS, headers: str = HEADERS, vary: str = VARY) -> str:
    """Return a configuration of which the proxy answers by itself."""
    return f'SetEnvIf Origin "{origins}" ALLOWED=$0\n{headers}{vary}{PREFLIGHT}{_refuse(204)}{PASS}'


RIGHT = {
    "passes all on": (PASS, GUARDED),
    "sets the headers": (_answer(), BARE),
    "sets the headers, application down": (_answer(), DOWN),
}
UNREACHED = {"passes all on": PASS}

FAULTS = {
    "second layer": Fault(
        f"Header add Access-Control-Allow-Origin https://app.example.com\n{PASS}",
        {"allow-origin-repeated"},
    ),
    "OPTIONS is not allowed": Fault(_refuse(405) + PASS, {"preflight-not-answered"}),
    "own 204": Fault(_refuse(204) + PASS, {"preflight-swallowed"}),
    "Limit": Fault(
        f"<Location />\n<Limit OPTIONS>\nRequire all denied\n</Limit>\n</Location>\n{PASS}",
        {"preflight-refused"},
    ),
    "login": Fault(
        "<Location />\nAuthType Basic\nAuthName private\nAuthUserFile FOLDER/none\n"
        f"Require valid-user\n</Location>\n{PASS}",
        {"preflight-authenticated"},
    ),
    "https": Fault("Redirect / https://127.0.0.1/\n", {"preflight-redirected"}),
    "any origin": Fault(_answer(".*"), {"reflected-with-credentials"}, BARE),
    "unescaped dot": Fault(
        _answer("^https://(app|admin|.*\\.preview).example\\.com$"), {"unescaped-dot"}, BARE
    ),
    "null": Fault(_answer(f"{ORIGINS}|^null$"), {"null-allowed"}, BARE),
    "http": Fault(_answer(ORIGINS.replace("https:", "https?:")), {"scheme-downgrade"}, BARE),
    "any page": Fault(
        "Header unset Access-Control-Allow-Credentials\n"
        f"Header set Access-Control-Allow-Origin *\n{PASS}",
        {"wildcard-sent", "credentials-missing"},
    ),
    "no Vary": Fault(_answer(vary=""), {"vary-missing"}, BARE),
    "Vary is dropped": Fault(f"Header unset Vary\n{PASS}", {"vary-missing"}),
    "origins are dropped": Fault(
        f"Header unset Access-Control-Allow-Origin\n{PASS}", {"headers-missing"}
    ),
    "Origin is dropped": Fault(f"RequestHeader unset Origin early\n{PASS}", {"headers-missing"}),
    "error without headers": Fault(
        _answer(headers=HEADERS.replace(" always", "") + ON_PREFLIGHTS),
        {"gateway-errors-without-headers"},
        DOWN,
    ),
}
