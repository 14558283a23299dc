"""The names and lists of the WHATWG Fetch standard that a server of the CORS protocol needs."""

from string import ascii_letters, digits

__all__ = [
    "ALLOW_CREDENTIALS",
    "ALLOW_HEADERS",
    "ALLOW_METHODS",
    "ALLOW_ORIGIN",
    "EXPOSE_HEADERS",
    "FORBIDDEN_METHODS",
    "FORBIDDEN_RESPONSE_HEADERS",
    "MAX_AGE",
    "MAX_AGE_CAPS",
    "MAX_AGE_LIMIT",
    "REGISTERED_METHODS",
    "REQUEST_HEADERS",
    "REQUEST_METHOD",
    "RESPONSE_HEADERS",
    "SAFELISTED_METHODS",
    "is_forbidden_request_header",
    "is_token",
]

# Fetch, "HTTP responses" of the CORS protocol.
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"
ALLOW_METHODS = "Access-Control-Allow-Methods"
ALLOW_HEADERS = "Access-Control-Allow-Headers"
MAX_AGE = "Access-Control-Max-Age"
EXPOSE_HEADERS = "Access-Control-Expose-Headers"
RESPONSE_HEADERS = frozenset(
    name.lower()
    for name in (
        ALLOW_ORIGIN,
        ALLOW_CREDENTIALS,
        ALLOW_METHODS,
        ALLOW_HEADERS,
        MAX_AGE,
        EXPOSE_HEADERS,
    )
)

# Fetch, "HTTP requests" of the CORS protocol: what a preflight asks.
REQUEST_METHOD = "Access-Control-Request-Method"
REQUEST_HEADERS = "Access-Control-Request-Headers"

# Fetch, "CORS-safelisted method": never looked up in Access-Control-Allow-Methods.
SAFELISTED_METHODS = ("GET", "HEAD", "POST")

# Fetch, "forbidden method": no script can send one.
FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})

# The IANA registry of HTTP methods (RFC 9110, 16.1), to tell `patch`, which is a slip, from a
# method of somebody's own that is meant to be in lower case.
REGISTERED_METHODS = frozenset(
    """
    ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE
    MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI
    PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE
    UPDATEREDIRECTREF VERSION-CONTROL
    """.split()
)

# Fetch, "forbidden request-header": set by the browser, out of reach of every script. The
# X-HTTP-Method-Override family is forbidden only with certain values, so it may be listed.
_FORBIDDEN_REQUEST_HEADERS = frozenset(
    """
    accept-charset accept-encoding access-control-request-headers access-control-request-method
    connection content-length cookie cookie2 date dnt expect host keep-alive origin referer
    set-cookie te trailer transfer-encoding upgrade via
    """.split()
)

# Fetch, "forbidden response-header name": kept from scripts whatever is exposed.
FORBIDDEN_RESPONSE_HEADERS = frozenset({"set-cookie", "set-cookie2"})

# What each engine caps Access-Control-Max-Age to, in seconds, and the largest of these.
MAX_AGE_CAPS = {"Chromium": 7_200, "Firefox": 86_400, "WebKit": 600}
MAX_AGE_LIMIT = max(MAX_AGE_CAPS.values())

# RFC 9110, 5.6.2: what a token is made of.
_TCHAR = frozenset("!#$%&'*+-.^_`|~" + digits + ascii_letters)


def is_token(text: str) -> bool:
    """Whether text is a token, the grammar of methods and of field names (RFC 9110, 5.6.2)."""
    return text != "" and _TCHAR.issuperset(text)


def is_forbidden_request_header(name: str) -> bool:
    """Whether no script may set the request header called name, in lower case."""
    return name in _FORBIDDEN_REQUEST_HEADERS or name.startswith(("proxy-", "sec-"))
