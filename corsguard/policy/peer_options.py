"""What the options of other CORS libraries are called here.

The names are those that the peers document: flask-cors, django-cors-headers, Starlette,
aiohttp-cors and Falcon (Python), cors (Node.js), rs/cors and jub0bs/cors (Go), Spring (Java),
rack-cors (Ruby) and Laravel (PHP). They are written without case, dashes and underscores, and
without `CORS` before them: `allowedorigins` stands for `CORS_ALLOWED_ORIGINS`, `allowedOrigins`
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
"""From a peer's option to the field of ours that takes the same value."""

REGEX_OPTIONS = frozenset(
    """
    alloworiginregex alloworiginregexes alloworiginsregex alloworiginsregexes allowedoriginregex
    allowedoriginregexes allowedoriginsregex allowedoriginsregexes originregex originregexes
    originsregex originregexwhitelist allowedoriginspatterns
    """.split()
)
"""Options whose values are regular expressions of origins."""

_ROUTES = 'routes: one policy for each path prefix, such as {"/api": ...}'
_ANY_ORIGIN = 'allow_origins: ["*"], where any site may read the responses'
_HOSTS = "allow_origins: it lists origins, such as https://app.example.com, and no hosts"
_PATTERN = "allow_origins: patterns such as https://*.example.com are entries of it"
_CALLABLE = "allow_origins: a callable in the list, which takes an origin and returns a bool"
_PREFLIGHTS = "remove it: every preflight is answered, with 204 or 403, before the application"
_ALWAYS = "remove it: the headers are on every response that needs them, errors too"
_VARY = "remove it: `Vary` is always right"
_PRIVATE = "remove it: no browser sends that header any more, the user is asked instead"
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
    "sendwildcard": "remove it: for allow_origins of `*` alone, `*` is what is sent",
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
    "replacehttpsreferer": "remove it: the Referer is left as it is",
}
"""From a peer's option that none of our fields takes the value of, to what to do."""

ANY_ORIGIN_OPTIONS = frozenset(
    theirs for theirs, advice in OPTION_ADVICE.items() if advice == _ANY_ORIGIN
)
"""The flags that allow every origin."""

ANY_ORIGIN_OFF_ADVICE = "remove it: only what allow_origins lists is allowed"
"""What to do with one of these whose value is false."""

ORIGIN_OPTIONS = frozenset(
    {
        *(theirs for theirs, ours in RENAMED_OPTIONS.items() if ours == "allow_origins"),
        *REGEX_OPTIONS,
        *(theirs for theirs, advice in OPTION_ADVICE.items() if advice.startswith("allow_origins")),
    }
)
"""The options that say which origins are allowed."""

ROUTE_OPTIONS = frozenset(theirs for theirs, advice in OPTION_ADVICE.items() if advice == _ROUTES)
"""The options that say what holds for a path."""

_PREFIXES = ("corsguard", "cors", "accesscontrol")


def normalise_name(name: str) -> str:
    """Return the name as the keys of these tables are written."""
    letters = "".join(filter(str.isalnum, name.lower()))
    for prefix in _PREFIXES:
        letters = letters.removeprefix(prefix) or letters
    return letters
