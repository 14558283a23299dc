"""Configurations as real projects have them, and what each of them becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["DJANGO", "EXPRESS", "FLASK", "STARLETTE", "Case"]

WILDCARD = ("wildcard-with-credentials",)
SUFFIX = "origin-public-suffix"
WIDE = "regex-too-wide"
SLOW = "regex-too-slow"
SLASH = "never matched an Origin as written; listed as"
BESIDE = "the other origins beside * had no effect"
PREFIX = "was matched as a prefix"
GLOB = "is a glob that flask-cors read as a regular expression"


class Case(NamedTuple):
    """A configuration of a peer, in the peer's own options."""

    name: str
    options: Mapping[str, Any]
    origins: tuple[str | re.Pattern[str], ...]
    """The entries of `allow_origins`."""
    codes: tuple[str, ...] = ()
    """The problems of the policy; none if it starts."""
    notes: tuple[str, ...] = ()
    """A part of each sentence about a change, in order."""
    todos: tuple[str, ...] = ()
    """A part of each to-do, in order."""


def _web(*hosts: str) -> tuple[str, ...]:
    return tuple(f"https://{host}" for host in hosts)


def _local(*ports: int, host: str = "localhost") -> tuple[str, ...]:
    return tuple(f"http://{host}:{port}" for port in ports)


_TOOLS = (*_local(5173), *_web("tools.example", "www.tools.example", "tools-site.vercel.app"))
_ADMIN = (*_local(3000, 5173), *_local(3000, 5173, host="127.0.0.1"))
_CREDENTIALS = {"supports_credentials": True}

FLASK = (
    Case("F01", {"origins": r"^http://localhost:\d+$"}, ("http://localhost:*",)),
    Case("F02", {"origins": _web("app.shop.example"), **_CREDENTIALS}, _web("app.shop.example")),
    Case(
        "F03",
        {"origins": [r"http:\/\/localhost:\d*"], **_CREDENTIALS},
        ("http://localhost:*",),
        notes=(PREFIX,),
    ),
    Case("F04", _CREDENTIALS, ("*",), WILDCARD),
    Case("F05", {"origins": "*", **_CREDENTIALS}, ("*",), WILDCARD),
    Case("F06", {"resources": {r"/api/*": {"origins": "*"}}, **_CREDENTIALS}, ("*",), WILDCARD),
    Case(
        "F07",
        {"origins": _local(3000), "methods": "GET, POST, OPTIONS", "allow_headers": "Content-Type"},
        _local(3000),
    ),
    Case(
        "F08",
        {
            "origins": _TOOLS,
            "methods": ["GET", "POST", "OPTIONS"],
            "allow_headers": ["Content-Type"],
            "expose_headers": ["Content-Disposition"],
        },
        _TOOLS,
    ),
    Case("F09", {"resources": {r"/api/*": {"origins": "*"}}}, ("*",)),
    Case(
        "F10",
        {
            "origins": ["http://localhost:*", "http://127.0.0.1:*", "https://*.maker.example"],
            "expose_headers": ["X-Firmware-SHA256", "X-Firmware-Size"],
        },
        # The expression allowed the domain itself, by accident.
        (
            *("http://localhost:*", "http://127.0.0.1:*", "https://*.maker.example"),
            *_web("maker.example"),
        ),
        notes=(GLOB, GLOB, GLOB),
    ),
    Case(
        "F11",
        {"origins": [*_local(5173, 3000), "*"], **_CREDENTIALS},
        ("*",),
        WILDCARD,
        notes=(BESIDE,),
    ),
    Case("F12", {"origins": _local(3000), **_CREDENTIALS}, _local(3000)),
    Case(
        "F13",
        {"origins": _local(8000, host="127.0.0.1"), **_CREDENTIALS},
        _local(8000, host="127.0.0.1"),
    ),
    Case(
        "F14",
        {"origin": "https://app.example", "headers": ["Content-Type"]},
        ("*",),
        notes=("origin of @cross_origin on view", "headers of @cross_origin on view"),
    ),
    Case(
        "F15",
        {
            "origins": _ADMIN,
            "methods": ["GET", "POST", "PUT", "DELETE", "OPTIONS"],
            "allow_headers": ["Content-Type", "Authorization", "X-Admin-Token"],
            **_CREDENTIALS,
        },
        _ADMIN,
    ),
    Case(
        "F16",
        {
            "origins": (*_local(5173), *_local(5173, host="127.0.0.1")),
            "methods": ["GET", "POST", "PUT", "DELETE", "OPTIONS"],
            "allow_headers": ["Content-Type", "Authorization", "X-Requested-With", "Accept"],
            "expose_headers": ["Set-Cookie"],
            **_CREDENTIALS,
        },
        (*_local(5173), *_local(5173, host="127.0.0.1")),
        notes=("expose Set-Cookie: never readable; left out",),
    ),
    Case("F17", {"origins": _local(3000), **_CREDENTIALS}, _local(3000)),
)
"""F12 is on a blueprint, and F13 and F14 decorate a view."""

_WITH_COOKIES = {"CORS_ALLOW_CREDENTIALS": True}
_FITAPP = r"^https://fitapp-[a-z0-9]+-someteam-projects\.vercel\.app$"
_ADMINPANEL = r".*\.adminpanel\.example.*"
_LAWFIRM = r"^(https?://)?(\w*-*\w*\.+)*lawfirm\.com$"
_RIDES = r"^(https?://)?rides-env-([a-z_0-9]*)\.elasticbeanstalk\.com$"
_DEFAULT_HEADERS = (
    *("accept", "authorization", "content-type", "user-agent", "x-csrftoken", "x-requested-with"),
)


def _listed(*origins: str) -> dict[str, Any]:
    return {"CORS_ALLOWED_ORIGINS": [*origins]}


def _matched(*expressions: str) -> dict[str, Any]:
    return {"CORS_ALLOWED_ORIGIN_REGEXES": [*expressions]}


DJANGO = (
    Case(
        "D01",
        {
            "CORS_ALLOW_ALL_ORIGINS": True,
            **_matched(r"^http://localhost:[0-9]+$", r"^http://127\.0\.0\.1:[0-9]+$"),
            **_WITH_COOKIES,
        },
        ("*",),
        WILDCARD,
        notes=(BESIDE,),
    ),
    Case(
        "D02",
        {**_listed(*_web("app.example.com", "www.example.com")), **_WITH_COOKIES},
        _web("app.example.com", "www.example.com"),
    ),
    Case(
        "D03",
        {
            **_listed(*_local(5173, 3000), "https://fitapp-live.vercel.app"),
            **_matched(_FITAPP),
            **_WITH_COOKIES,
        },
        (*_local(5173, 3000), "https://fitapp-live.vercel.app", re.compile(_FITAPP)),
        (WIDE,),
    ),
    Case(
        "D04",
        {
            **_listed(*_local(5173), *_local(5173, host="127.0.0.1")),
            **_matched(r"^https://.*\.ngrok-free\.app$", r"^https://.*\.ngrok\.io$"),
            **_WITH_COOKIES,
        },
        (
            *_local(5173),
            *_local(5173, host="127.0.0.1"),
            *_web("*.ngrok-free.app", "*.ngrok.io"),
        ),
        (SUFFIX, SUFFIX),
    ),
    Case(
        "D05",
        {
            **_matched(_ADMINPANEL),
            "CORS_ALLOW_HEADERS": [*_DEFAULT_HEADERS, "forest-context-url"],
            **_WITH_COOKIES,
        },
        (re.compile(_ADMINPANEL),),
        (SLOW,),
        notes=(PREFIX,),
    ),
    Case(
        "D06",
        _matched(
            r"^https://photohouse\.com$",
            r"^https://www\.photohouse\.com$",
            r"^https://.*\.vercel\.app$",
        ),
        _web("photohouse.com", "www.photohouse.com", "*.vercel.app"),
    ),
    Case(
        "D07",
        {
            **_listed(*_local(3000), *_local(8081, host="127.0.0.1")),
            "CORS_ALLOW_HEADERS": [*_DEFAULT_HEADERS, "x-requested-with"],
            "CORS_URLS_REGEX": r"^/api/.*$",
            **_WITH_COOKIES,
        },
        (*_local(3000), *_local(8081, host="127.0.0.1")),
    ),
    Case(
        "D08",
        {
            **_listed(*_local(5173), *_local(5173, host="127.0.0.1")),
            "CORS_URLS_REGEX": r"^/(api|media)/.*$",
            **_WITH_COOKIES,
        },
        (*_local(5173), *_local(5173, host="127.0.0.1")),
    ),
    Case("D09", {"CORS_ORIGIN_ALLOW_ALL": True}, ("*",)),
    Case(
        "D10",
        {**_listed(*_local(3000), "https://shop-black.vercel.app/"), **_WITH_COOKIES},
        (*_local(3000), "https://shop-black.vercel.app"),
        notes=("is not how a browser writes an origin; listed as 'https://shop-black.vercel.app'",),
    ),
    Case(
        "D11",
        {
            **_matched(_LAWFIRM, r"^(https?://)?(localhost|127\.0\.0\.1|0\.0\.0\.0)(:\d{4})?$"),
            **_WITH_COOKIES,
        },
        (
            re.compile(_LAWFIRM),
            *_web("localhost:*", "127.0.0.1:*", "0.0.0.0:*"),
            *("http://localhost:*", "http://127.0.0.1:*", "http://0.0.0.0:*"),
        ),
        (SLOW, "origin-insecure"),
    ),
    Case(
        "D12",
        _matched(_RIDES, r"^(https?://)?(www\.)?rides\.example"),
        (
            re.compile(_RIDES),
            *_web("www.rides.example", "rides.example"),
            *("http://www.rides.example", "http://rides.example"),
        ),
        notes=(PREFIX,),
    ),
    Case("D13", {}, (), ("no-origins",), todos=("the receiver",)),
    Case("D14", _listed(*_web("ais.example")), _web("ais.example"), todos=("the receiver",)),
    Case(
        "D15",
        {
            "CORS_ALLOW_ALL_ORIGINS": True,
            "CORS_ALLOW_HEADERS": [*_DEFAULT_HEADERS, "accept-encoding", "dnt", "origin"],
            **_WITH_COOKIES,
        },
        ("*",),
        WILDCARD,
        notes=("header accept-encoding: no browser asks", "header dnt: ", "header origin: "),
    ),
    Case(
        "D16",
        {
            **_listed(*_local(8000)),
            "CORS_ALLOW_METHODS": ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            "CORS_ALLOW_HEADERS": [
                *("x-company-token", "x-requested-with", "content-type", "accept", "origin"),
                *("authorization", "x-csrftoken", "cache", "cookie"),
            ],
        },
        _local(8000),
        notes=("header origin: no browser asks for it; left out", "header cookie: no browser"),
    ),
    Case(
        "D17",
        _listed(*_local(8080, host="127.0.0.1"), *_local(8080, 3002), "http://app.vendor.example"),
        (*_local(8080, host="127.0.0.1"), *_local(8080, 3002), "http://app.vendor.example"),
    ),
)
"""D13 and D14 have a receiver of check_request_enabled."""

_ANYTHING = {"allow_methods": ["*"], "allow_headers": ["*"]}
_ALL = {**_ANYTHING, "allow_credentials": True}
_LAN = (
    r"^https?://(?:(?:localhost|127\.0\.0\.1)|10\.\d{1,3}\.\d{1,3}\.\d{1,3}"
    r"|192\.168\.\d{1,3}\.\d{1,3})(?::\d+)?$"
)
_INSURE = r"https://insure-[a-z0-9\-]+-team-projects\.vercel\.app"
_CRUD = ["GET", "POST", "PUT", "DELETE", "PATCH"]

STARLETTE = (
    Case(
        "S01",
        {**_ALL, "allow_origin_regex": r"http://(localhost|127\.0\.0\.1):\d+"},
        ("http://localhost:*", "http://127.0.0.1:*"),
    ),
    Case("S02", {**_ALL, "allow_origin_regex": _LAN}, (re.compile(_LAN),)),
    Case(
        "S03",
        {
            **_ALL,
            "allow_origins": [*_local(3000), *_local(3000, host="127.0.0.1")],
            "allow_origin_regex": r"^https?://(localhost|127\.0\.0\.1)(:\d+)?$",
        },
        (
            *_local(3000),
            *_local(3000, host="127.0.0.1"),
            *_web("localhost:*", "127.0.0.1:*"),
            *("http://localhost:*", "http://127.0.0.1:*"),
        ),
    ),
    Case(
        "S04",
        {
            **_ALL,
            "allow_origins": _local(3000),
            "allow_origin_regex": r"https://.*\.vercel\.app",
        },
        (*_local(3000), "https://*.vercel.app"),
        (SUFFIX,),
    ),
    Case(
        "S05",
        {**_ALL, "allow_origins": ["null"], "allow_origin_regex": r"^https?://.+$"},
        ("null", re.compile(r"^https?://.+$")),
        (WIDE, "origin-null"),
    ),
    Case(
        "S06",
        {
            "allow_origins": [
                *("https://app.tax.example", "http://localhost", "http://127.0.0.1:5173")
            ],
            "allow_origin_regex": r"https://.*\.onrender\.com",
            "allow_methods": _CRUD,
            "allow_headers": ["*"],
            "allow_credentials": True,
        },
        (
            *("https://app.tax.example", "http://localhost", "http://127.0.0.1:5173"),
            "https://*.onrender.com",
        ),
        (SUFFIX,),
    ),
    Case(
        "S07",
        {**_ALL, "allow_origins": ["http://localhost:5173/", "https://dash.example.com/"]},
        ("http://localhost:5173", "https://dash.example.com"),
        notes=(SLASH, SLASH),
    ),
    Case(
        "S08",
        {
            "allow_origins": _web("erp.acme.example", "www.erp.acme.example"),
            "allow_methods": [*_CRUD, "OPTIONS"],
            "allow_headers": ["Authorization", "Content-Type"],
            "allow_credentials": True,
        },
        _web("erp.acme.example", "www.erp.acme.example"),
    ),
    Case("S09", {**_ALL, "allow_origins": ["*"]}, ("*",), WILDCARD),
    Case(
        "S10",
        {**_ALL, "allow_origins": ["*"], "allow_methods": ["GET", "POST", "PUT", "DELETE"]},
        ("*",),
        WILDCARD,
    ),
    Case(
        "S11",
        {
            "allow_origins": ["*"],
            "allow_methods": ["GET", "POST"],
            "allow_headers": ["*"],
            "expose_headers": ["X-Tool-Status", "ETag"],
        },
        ("*",),
    ),
    Case(
        "S12",
        {
            "allow_origins": _local(3000, 3001),
            "allow_methods": [*_CRUD, "OPTIONS"],
            "allow_headers": ["*"],
            "expose_headers": ["*"],
            "max_age": 3600,
            "allow_credentials": True,
        },
        _local(3000, 3001),
        todos=("expose * with credentials exposes only a header named *",),
    ),
    Case(
        "S13",
        {
            "allow_origins": [
                *("http://localhost.tiangolo.com", "https://localhost", "https://localhost:443")
            ],
            "allow_methods": ["GET", "POST", "OPTIONS", "DELETE", "PATCH", "PUT"],
            "allow_headers": [
                *("Content-Type", "Set-Cookie", "Access-Control-Allow-Headers"),
                *("Access-Control-Allow-Origin", "Authorization"),
            ],
            "allow_credentials": True,
        },
        ("http://localhost.tiangolo.com", "https://localhost"),
        ("origin-insecure",),
        notes=(
            SLASH,
            "header Access-Control-Allow-Headers: no browser asks for it; left out",
            "header Access-Control-Allow-Origin: no browser",
            "header Set-Cookie: no browser",
        ),
    ),
    Case(
        "S14",
        {
            **_ALL,
            "allow_origins": _web("insure.vercel.app"),
            "allow_origin_regex": _INSURE,
            "expose_headers": ["Content-Length", "Content-Range", "X-Total-Count"],
        },
        (*_web("insure.vercel.app"), re.compile(_INSURE)),
        (WIDE,),
    ),
    Case("S15", _ALL, (), ("no-origins",), todos=("overrides is_allowed_origin",)),
    Case(
        "S16",
        {
            "allow_origins": _web("films.example"),
            "allow_methods": ["GET", "POST"],
            "allow_headers": ["X-API-Key"],
        },
        _web("films.example"),
    ),
)
"""S15 is a subclass."""

_CLUB = (*_local(3000), "https://club-site.vercel.app")
EXPRESS = (
    Case("E01", {}, ("*",)),
    Case("E02", {"origin": "*"}, ("*",)),
    Case(
        "E03",
        {"origin": [*_local(5173), "https://qr-frontend.onrender.com"], "credentials": True},
        (*_local(5173), "https://qr-frontend.onrender.com"),
    ),
    Case(
        "E04",
        {
            "origin": [
                *_CLUB,
                re.compile("http://localhost:.*"),
                re.compile(r"http://127\.0\.0\.1:.*"),
            ],
            "credentials": True,
            "methods": ["GET", "POST", "PUT", "DELETE", "OPTIONS"],
        },
        (*_local(3000), "https://club-site.vercel.app", "http://localhost:*", "http://127.0.0.1:*"),
        notes=(PREFIX, PREFIX),
    ),
    Case(
        "E05",
        {"origin": [re.compile(r"\.devteam\.com$")], "credentials": True},
        (re.compile(r"\.devteam\.com$"),),
    ),
)
"""Of express's cors, which docs/migrating.md translates by a table."""
