"""The options of other CORS libraries, and their counterparts in corsguard.

The names are those that the peers document: flask-cors, django-cors-headers, Starlette,
aiohttp-cors and Falcon (Python), cors (Node.js), rs/cors and jub0bs/cors (Go), Spring (Java),
rack-cors (Ruby) and Laravel (PHP). They are written without case, dashes and underscores, and
without `CORS` before them: `allowedorigins` is `CORS_ALLOWED_ORIGINS`, `allowedOrigins`
and `AllowedOrigins`.
"""

from __future__ import annotations

__all__ = [
    "ANY_ORIGIN_OFF_ADVICE",
    "ANY_ORIGIN_OPTIONS",
    "OPTION_ADVICE",
    "ORIGIN_OPTIONS",
    "REGEX_OPTIONS",
    "RENAMED_OPTIONS",
    "ROUTE_OPTIONS",
    "normalise_name",
]

_RENAMED = {
    "allow_origins": """
        origin origins alloworigin alloworigins allowedorigin allowedorigins originwhitelist
        originswhitelist whitelist allowlist originallowlist trustedorigin trustedorigins
        csrftrustedorigins
    """,
    "allow_credentials": """
        credential credentials credentialed supportcredentials supportscredentials
        allowscredentials allowedcredentials allowcredential withcredentials cookie cookies
        allowcookie allowcookies allowedcookies allowscookies supportcookies supportscookies
        withcookies
    """,
    "allow_methods": "method methods allowmethod allowedmethod allowedmethods",
    "allow_headers": """
        header headers allowheader allowedheader allowedheaders requestheaders
        allowedrequestheaders allowrequestheaders
    """,
    "expose_headers": """
        expose exposed exposeheader exposedheader exposedheaders exposesheaders responseheaders
    """,
    "max_age": """
        maxage maxageseconds maxageinseconds maxagesec preflightmaxage
    """,
    "dangerously_allow_insecure_origins": "dangerouslytolerateinsecureorigins",
    "dangerously_allow_null_origin": "nullorigin nullorigins allownull",
    "dangerously_allow_public_suffixes": "dangerouslytoleratesubdomainsofpublicsuffixes",
}
RENAMED_OPTIONS = {theirs: ours for ours, names in _RENAMED.items() for theirs in names.split()}
"""Option of a peer -> the field that takes the same value."""

REGEX_OPTIONS = frozenset(
    """
    alloworiginregex alloworiginregexes alloworiginsregex alloworiginsregexes allowedoriginregex
    allowedoriginregexes allowedoriginsregex allowedoriginsregexes originregex originregexes
    originsregex originregexwhitelist allowedoriginspatterns
    """.split()
)
"""Options whose values are regular expressions of origins."""

_ROUTES = 'routes: one policy for each path prefix, such as {"/api": ...}'
_ANY_ORIGIN = 'allow_origins: ["*"], if any site may read the responses'
_HOSTS = "allow_origins: it lists origins such as https://app.example.com, not hosts"
_PATTERN = "allow_origins: it also lists patterns such as https://*.example.com"
_CALLABLE = "allow_origins: a callable in the list, which takes an origin and returns a bool"
_PREFLIGHTS = "remove it: corsguard answers every preflight with 204 or 403 before the application"
_ALWAYS = "remove it: corsguard sets the headers on every response, errors too"
_VARY = "remove it: corsguard always sets the right `Vary`"
_PRIVATE = "remove it: browsers no longer send that header, they ask the user instead"
OPTION_ADVICE = {
    "resources": _ROUTES,
    "resource": _ROUTES,
    "defaults": _ROUTES,
    "urlsregex": _ROUTES,
    "paths": _ROUTES,
    "allowallorigins": _ANY_ORIGIN,
    "alloworiginsall": _ANY_ORIGIN,
    "alloworiginall": _ANY_ORIGIN,
    "allowall": _ANY_ORIGIN,
    "allowedoriginsall": _ANY_ORIGIN,
    "allorigins": _ANY_ORIGIN,
    "anyorigin": _ANY_ORIGIN,
    "originsallowall": _ANY_ORIGIN,
    "allowanyorigins": _ANY_ORIGIN,
    "allowanyorigin": _ANY_ORIGIN,
    "originallowall": _ANY_ORIGIN,
    "allowhosts": _HOSTS,
    "allowedhost": _HOSTS,
    "allowedhosts": _HOSTS,
    "trustedhosts": _HOSTS,
    "hosts": _HOSTS,
    "allowedoriginpattern": _PATTERN,
    "allowedoriginpatterns": _PATTERN,
    "alloworiginfunc": _CALLABLE,
    "alloworiginrequestfunc": _CALLABLE,
    "alloworiginvaryrequestfunc": _CALLABLE,
    "alloworiginpredicate": _CALLABLE,
    "checkorigin": _CALLABLE,
    "sendwildcard": "remove it: corsguard sends `*` if allow_origins is `*` alone",
    "varyheader": _VARY,
    "vary": _VARY,
    "automaticoptions": _PREFLIGHTS,
    "preflightcontinue": _PREFLIGHTS,
    "optionspassthrough": _PREFLIGHTS,
    "optionssuccessstatus": _PREFLIGHTS,
    "optionsresponsestatuscode": _PREFLIGHTS,
    "preflightsuccessstatus": _PREFLIGHTS,
    "interceptexceptions": _ALWAYS,
    "alwayssend": _ALWAYS,
    "allowprivatenetwork": _PRIVATE,
    "privatenetworkaccess": _PRIVATE,
    "replacehttpsreferer": "remove it: corsguard does not change the Referer",
}
"""Option of a peer without a counterpart -> instruction."""

ANY_ORIGIN_OPTIONS = frozenset(
    theirs for theirs, advice in OPTION_ADVICE.items() if advice == _ANY_ORIGIN
)
"""The flags that allow every origin."""

ANY_ORIGIN_OFF_ADVICE = "remove it: only the origins in allow_origins are allowed"
"""The instruction for one of ANY_ORIGIN_OPTIONS whose value is false."""

ORIGIN_OPTIONS = frozenset(
    {
        *(theirs for theirs, ours in RENAMED_OPTIONS.items() if ours == "allow_origins"),
        *REGEX_OPTIONS,
        *(theirs for theirs, advice in OPTION_ADVICE.items() if advice.startswith("allow_origins")),
    }
)
"""The options for the allowed origins."""

ROUTE_OPTIONS = frozenset(theirs for theirs, advice in OPTION_ADVICE.items() if advice == _ROUTES)
"""The options for policies by path."""

_PREFIXES = ("corsguard", "cors", "accesscontrol")


def normalise_name(name: str) -> str:
    """Return name in the form of the keys of these tables."""
    letters = "".join(filter(str.isalnum, name.lower()))
    for prefix in _PREFIXES:
        letters = letters.removeprefix(prefix) or letters
    return letters
