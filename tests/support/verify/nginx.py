"""Configurations of nginx: right ones, and some with a fault each."""

from __future__ import annotations

from support.verify.faults import BARE, DOWN, GUARDED, Fault

PASS = "proxy_pass http://BACKEND;"
MAP = """
map $http_origin $allowed {
    default "";
    "https://app.example.com" $http_origin;
    "https://admin.example.com" $http_origin;
    "~^https://([a-z0-9-]+\\.)+preview\\.example\\.com$" $http_origin;
}
"""
FLAGS = """
map $allowed $credentials { default ""; "~." "true"; }
map $allowed $exposed { default ""; "~." "X-Total"; }
"""
HEADERS = """
add_header Access-Control-Allow-Origin $allowed always;
add_header Access-Control-Allow-Credentials $credentials always;
add_header Access-Control-Expose-Headers $exposed always;
add_header Vary Origin always;
"""
PREFLIGHT = """
if ($request_method = OPTIONS) {
    add_header Access-Control-Allow-Origin $allowed;
    add_header Access-Control-Allow-Credentials $credentials;
    add_header Access-Control-Allow-Methods "GET, PUT, DELETE";
    add_header Access-Control-Allow-Headers "X-Trace, Content-Type";
    add_header Access-Control-Max-Age 600;
    add_header Vary Origin;
    return 204;
}
"""


def _serve(inside: str, before: str = "") -> str:
    return f"{before}\nserver {{ listen 127.0.0.1:PORT; location / {{ {PASS} {inside} }} }}"


def _answer(headers: str = HEADERS, preflight: str = PREFLIGHT, origins: str = MAP) -> str:
    """Return a configuration of which the proxy answers by itself."""
    return _serve(f"{headers} {preflight}", origins + FLAGS)


CACHE = """
proxy_cache_path FOLDER/cache keys_zone=all:1m;
"""

RIGHT = {
    "passes all on": (_serve(""), GUARDED),
    "sets the headers": (_answer(), BARE),
    "caches by Vary": (_serve("proxy_cache all;", CACHE), GUARDED),
    "sets the headers, application down": (_answer(), DOWN),
}
UNREACHED = {"passes all on": _serve("")}

FAULTS = {
    "second layer": Fault(
        _serve('add_header Access-Control-Allow-Origin "https://app.example.com" always;'),
        {"allow-origin-repeated"},
    ),
    "no always": Fault(_answer(HEADERS.replace(" always", "")), {"errors-without-headers"}, BARE),
    "inheritance": Fault(
        f"{MAP} {FLAGS} server {{ listen 127.0.0.1:PORT; {HEADERS}"
        f"location / {{ {PASS} {PREFLIGHT} }}"
        f"location /api/items {{ {PASS} add_header X-Frame-Options DENY; {PREFLIGHT} }} }}",
        {"headers-missing-on-path"},
        BARE,
        paths=("/api", "/api/items"),
    ),
    "cache without Vary": Fault(
        _serve("proxy_cache all; proxy_ignore_headers Vary;", CACHE), {"cache-ignores-vary"}
    ),
    "OPTIONS is not allowed": Fault(
        _serve("if ($request_method = OPTIONS) { return 405; }"), {"preflight-not-answered"}
    ),
    "limit_except": Fault(_serve("limit_except GET { deny all; }"), {"preflight-refused"}),
    "login": Fault(
        _serve('auth_basic "private"; auth_basic_user_file FOLDER/configuration;'),
        {"preflight-authenticated"},
    ),
    "login page": Fault(
        _serve('if ($http_authorization = "") { return 302 /login; }'), {"preflight-redirected"}
    ),
    "own 204": Fault(
        _serve("if ($request_method = OPTIONS) { return 204; }"), {"preflight-swallowed"}
    ),
    "any origin": Fault(
        _answer(origins="map $http_origin $allowed { default $http_origin; }"),
        {"reflected-with-credentials"},
        BARE,
    ),
    "any page": Fault(
        _serve(
            "proxy_hide_header Access-Control-Allow-Origin;"
            "proxy_hide_header Access-Control-Allow-Credentials;"
            'add_header Access-Control-Allow-Origin "*" always;'
        ),
        {"wildcard-sent", "credentials-missing"},
    ),
    "null": Fault(
        _answer(origins=MAP.replace('default "";', 'default ""; "null" $http_origin;')),
        {"null-allowed"},
        BARE,
    ),
    "prefix": Fault(
        _answer(origins=MAP.replace('"https://app.', '"~^https://app\\.')),
        {"prefix-match"},
        BARE,
    ),
    "trailing dot": Fault(
        _answer(
            origins=MAP.replace('"https://app.example.com"', '"~^https://app\\.example\\.com\\.?$"')
        ),
        {"trailing-dot"},
        BARE,
    ),
    "no Vary": Fault(
        _answer(HEADERS.replace("add_header Vary Origin always;", "")), {"vary-missing"}, BARE
    ),
    "Vary is dropped": Fault(_serve("proxy_hide_header Vary;"), {"vary-missing"}),
    "origins are dropped": Fault(
        _serve("proxy_hide_header Access-Control-Allow-Origin;"), {"headers-missing"}
    ),
    "Origin is dropped": Fault(_serve('proxy_set_header Origin "";'), {"headers-missing"}),
    "credentials are dropped": Fault(
        _serve("proxy_hide_header Access-Control-Allow-Credentials;"), {"credentials-missing"}
    ),
    "credentials for all": Fault(
        _answer(HEADERS.replace("$credentials", '"true"')), set(), BARE, {"credentials-on-refused"}
    ),
    "other methods": Fault(
        _answer(preflight=PREFLIGHT.replace("PUT, DELETE", "PUT, PATCH")),
        {"methods-missing", "methods-wider"},
        BARE,
    ),
    "a forgotten header": Fault(
        _answer(preflight=PREFLIGHT.replace("X-Trace, ", "")), {"request-headers-missing"}, BARE
    ),
    "a forgotten origin": Fault(
        _answer(origins=MAP.replace('"https://admin.example.com" $http_origin;', "")),
        {"origin-missing"},
        BARE,
    ),
    "error without headers": Fault(
        _answer(HEADERS.replace(" always", "")), {"gateway-errors-without-headers"}, DOWN
    ),
}
