"""The texts that an editor shows for the keys of a configuration file."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["TEXTS", "Text"]


class Text(NamedTuple):
    """What an editor shows for a key."""

    title: str
    description: str
    """One or two sentences. The default and the address of the page are added to it."""
    page: str
    """The page of the documentation about the key, without its suffix."""
    examples: tuple[Any, ...] = ()


_DANGEROUS = "Lifts a check from all origins of the policy; to lift it from one, write {}."

TEXTS = {
    "allow_origins": Text(
        "Origins that may read responses",
        "The origins whose pages may read responses: `https://app.example.com`, "
        "`https://*.example.com` for subdomains, `http://localhost:*` for any port, or `*` alone "
        "for everyone.",
        "policy",
        (["https://app.example.com", "http://localhost:3000"], ["*"], [{"set": "partners"}]),
    ),
    "allow_credentials": Text(
        "Cookies",
        "True if pages of these origins may send cookies, and read the response as the user who "
        "is signed in.",
        "policy",
        (True,),
    ),
    "allow_methods": Text(
        "Methods",
        "The methods that pages may use beside GET, HEAD and POST, in upper case; or `*` alone.",
        "policy",
        (["PUT", "PATCH", "DELETE"],),
    ),
    "allow_headers": Text(
        "Request headers",
        "The request headers that pages may set: `Content-Type` if they send JSON, and "
        "`Authorization`, which `*` does not cover.",
        "policy",
        (["Content-Type", "Authorization"],),
    ),
    "expose_headers": Text(
        "Response headers",
        "The response headers that scripts may read beside the safelisted ones; or `*` alone, "
        "without credentials.",
        "policy",
        (["X-Total-Count"],),
    ),
    "max_age": Text(
        "Seconds of the preflight cache",
        "The number of seconds for which a browser may cache a preflight. 0 disables the cache. "
        "Chromium caches for 7200 seconds at most.",
        "policy",
        (7200, 600, 0),
    ),
    "predicate_timeout": Text(
        "Seconds for callables",
        "The number of seconds that an async callable in `allow_origins` may take. A file can't "
        "hold callables, so this has an effect only where code adds one.",
        "lookups",
        (1.0,),
    ),
    "dangerously_allow_insecure_origins": Text(
        "Plain http with credentials",
        "Allows plain `http://` origins with credentials or under `enforce`, though anyone on the "
        "network can impersonate them. "
        + _DANGEROUS.format('`{ origin = "http://...", dangerously = ["insecure"] }`'),
        "policy",
        (False,),
    ),
    "dangerously_allow_public_suffixes": Text(
        "Names that anyone can register",
        "Allows patterns such as `https://*.github.io` with credentials or under `enforce`, though "
        "anyone can register a name there. "
        + _DANGEROUS.format('`{ origin = "https://...", dangerously = ["public-suffix"] }`'),
        "policy",
        (False,),
    ),
    "dangerously_allow_null_origin": Text(
        "The origin null",
        "Allows `null` and `file://` without credentials, though any site can send `null`. "
        + _DANGEROUS.format('`{ origin = "null", dangerously = ["null"] }`'),
        "policy",
        (False,),
    ),
    "routes": Text(
        "Policies by path",
        "Path prefix -> the policy that applies there: a table of fields, several tables of which "
        "the first that covers the origin decides, or `false` for no CORS. The longest prefix "
        "wins.",
        "configuration",
        ({"/api": {"allow_origins": ["https://app.example.com"]}, "/api/internal": False},),
    ),
    "enforce": Text(
        "Refuse cross-site requests",
        "True refuses unsafe requests from other sites that no policy allows, before they reach "
        'the application. "report" only logs them.',
        "cross-site-requests",
        (True, "report"),
    ),
    "enforce_exempt": Text(
        "Paths without enforcement",
        "Path prefixes that `enforce` leaves alone, such as webhooks.",
        "cross-site-requests",
        (["/webhooks"],),
    ),
    "own_origins": Text(
        "Origins of this service",
        "The origins of the service itself, where a proxy rewrites the `Host` header.",
        "proxies",
        (["https://api.example.com"],),
    ),
    "origin_sets": Text(
        "Sets of origins",
        'Named lists of origins. A policy refers to one by `{ set = "NAME" }` in `allow_origins`. '
        "A text with one origin a line is a list too.",
        "fleet",
        ({"partners": ["https://partner.example"]},),
    ),
    "candidate": Text(
        "Policies on trial",
        "Policies and options that are evaluated beside those in force, without an effect on any "
        "response. The differences are counted and logged.",
        "fleet",
        ({"allow_origins": ["https://app.example.com"]},),
    ),
    "source": Text(
        "Store of the policy",
        "The store whose document has the policies, as a URL or a table. This file then has none.",
        "fleet",
        ("redis://localhost:6379/0", {"url": "corsguard.live.toml", "poll": 5.0}),
    ),
    "source.url": Text(
        "URL of the store",
        "`redis://`, `postgresql://`, another SQL database, `https://`, or the path of a file.",
        "fleet",
        ("redis://localhost:6379/0",),
    ),
    "source.last_good": Text(
        "File of the last good document",
        "The path of a file that keeps the last valid document, for a start while the store is "
        "down.",
        "fleet",
        ("/var/lib/app/corsguard.last",),
    ),
    "source.poll": Text(
        "Seconds between polls",
        "The number of seconds between two polls of a store that sends no notifications.",
        "fleet",
        (5.0,),
    ),
    "source.key": Text(
        "File of the public key",
        "The path of a public key. Documents that it has not signed are refused.",
        "fleet",
        ("/etc/corsguard/policy.pub",),
    ),
    "shadow": Text(
        "Compare, and change no response",
        "True puts corsguard around the CORS layer that you have. It logs what would differ, and "
        "changes no response.",
        "shadow",
        (True,),
    ),
    "set": Text(
        "Set of origins",
        "The name of a set in `origin_sets`.",
        "fleet",
        ("partners",),
    ),
    "origin": Text(
        "Origin with flags",
        "The origin from which `dangerously` lifts checks.",
        "policy",
        ("https://app-*-team.vercel.app",),
    ),
    "dangerously": Text(
        "Checks to lift from the origin",
        "`insecure` allows plain http, `public-suffix` names that anyone can register, and `null` "
        "the origins that are not one.",
        "policy",
        (["public-suffix"],),
    ),
}
"""Key -> its texts. A key of `source` begins with `source.`."""
