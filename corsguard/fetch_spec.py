"""The names and lists of the WHATWG Fetch standard that the CORS protocol needs."""

from string import ascii_letters, digits

__all__ = [
    "ALLOW_CREDENTIALS",
    "ALLOW_HEADERS",
    "ALLOW_METHODS",
    "ALLOW_ORIGIN",
    "BAD_PORTS",
    "DEFAULT_MAX_AGE",
    "EXPOSE_HEADERS",
    "FORBIDDEN_METHODS",
    "FORBIDDEN_RESPONSE_HEADERS",
    "MAX_AGE",
    "MAX_AGE_CAPS",
    "MAX_AGE_LIMIT",
    "NORMALIZED_METHODS",
    "REGISTERED_METHODS",
    "REQUEST_BODY_HEADERS",
    "REQUEST_HEADERS",
    "REQUEST_METHOD",
    "RESPONSE_HEADERS",
    "SAFELISTED_METHODS",
    "SAFELISTED_RESPONSE_HEADERS",
    "TOKEN_CHARACTERS",
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

# Fetch, "HTTP requests" of the CORS protocol: the headers of a preflight.
REQUEST_METHOD = "Access-Control-Request-Method"
REQUEST_HEADERS = "Access-Control-Request-Headers"

# Fetch, "CORS-safelisted method": never looked up in Access-Control-Allow-Methods.
SAFELISTED_METHODS = ("GET", "HEAD", "POST")

# Fetch, "forbidden method": no script can send one.
FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})

# Fetch, "normalize a method": written in upper case by a browser, and no other method is.
NORMALIZED_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})

# The IANA registry of HTTP methods (RFC 9110, 16.1), to distinguish `patch`, a mistake, from a
# custom method that is in lower case on purpose.
REGISTERED_METHODS = frozenset(
    """
    ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE
    MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI
    PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE
    UPDATEREDIRECTREF VERSION-CONTROL
    """.split()
)

# Fetch, "forbidden request-header": set by the browser alone.
_FORBIDDEN_REQUEST_HEADERS = frozenset(
    """
    accept-charset accept-encoding access-control-request-headers access-control-request-method
    connection content-length cookie cookie2 date dnt expect host keep-alive origin referer
    set-cookie te trailer transfer-encoding upgrade via
    """.split()
)

_METHOD_OVERRIDES = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})

# Fetch, "forbidden response-header name": hidden from scripts even if exposed.
FORBIDDEN_RESPONSE_HEADERS = frozenset({"set-cookie", "set-cookie2"})

# Fetch, "CORS-safelisted response-header name": readable without being exposed.
SAFELISTED_RESPONSE_HEADERS = frozenset(
    """
    cache-control content-language content-length content-type expires last-modified pragma
    """.split()
)

# Fetch, "request-body-header name": dropped with the body when a redirect turns POST into GET.
REQUEST_BODY_HEADERS = frozenset(
    {"content-encoding", "content-language", "content-location", "content-type"}
)

# Fetch, "bad port": ports of other protocols, which browsers block.
BAD_PORTS = frozenset(
    {
        *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95),
        *(101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161),
        *(179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563),
        *(587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061),
        *(6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    }
)

# Fetch, "CORS-preflight fetch": seconds, where Access-Control-Max-Age is missing.
DEFAULT_MAX_AGE = 5

# Engine -> its cap of Access-Control-Max-Age in seconds, and the largest of these.
MAX_AGE_CAPS = {"Chromium": 7_200, "Firefox": 86_400, "WebKit": 600}
MAX_AGE_LIMIT = max(MAX_AGE_CAPS.values())

# RFC 9110, 5.6.2: the characters of a token.
TOKEN_CHARACTERS = frozenset("!#$%&'*+-.^_`|~" + digits + ascii_letters)


def is_token(text: str) -> bool:
    """Return True if text is a token: the grammar of methods and field names (RFC 9110, 5.6.2)."""
    return text != "" and TOKEN_CHARACTERS.issuperset(text)


def is_forbidden_request_header(name: str, value: str = "") -> bool:
    """Return True if scripts may not set the request header name, in lower case, to value.

    The X-HTTP-Method-Override family is forbidden only with the name of a forbidden method.
    """
    if name in _METHOD_OVERRIDES:
        return any(part.strip(" \t").upper() in FORBIDDEN_METHODS for part in value.split(","))
    return name in _FORBIDDEN_REQUEST_HEADERS or name.startswith(("proxy-", "sec-"))
