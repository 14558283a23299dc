"""The messages in Chromium's console, measured on release 156."""

from __future__ import annotations

import re

from corsguard.browser.exchange import BlockReason, Refusal
from corsguard.browser.messages import Request
from corsguard.browser.url import URL

__all__ = ["MESSAGES", "format_console_message"]

_ADVICE = "Have the server send the header with a valid value."
_INCLUDE = "when the request's credentials mode is 'include'."
_BY_XHR = (
    "The credentials mode of requests initiated by the XMLHttpRequest is controlled by the "
    "withCredentials attribute."
)
_SCHEMES = (
    "Cross origin requests are only supported for protocol schemes: chrome, "
    "chrome-experimental-site-token-provider, chrome-extension, chrome-untrusted, data, http, "
    "https, isolated-app."
)
MESSAGES: dict[BlockReason, str] = {
    BlockReason.ALLOW_ORIGIN_MISSING: (
        "No 'Access-Control-Allow-Origin' header is present on the requested resource."
    ),
    BlockReason.ALLOW_ORIGIN_MISMATCH: (
        "The 'Access-Control-Allow-Origin' header has a value '{detail}' that is not equal to the "
        f"supplied origin. {_ADVICE}"
    ),
    BlockReason.ALLOW_ORIGIN_INVALID: (
        "The 'Access-Control-Allow-Origin' header contains the invalid value '{detail}'. " + _ADVICE
    ),
    BlockReason.ALLOW_ORIGIN_MULTIPLE: (
        "The 'Access-Control-Allow-Origin' header contains multiple values '{detail}', but only "
        f"one is allowed. {_ADVICE}"
    ),
    BlockReason.ALLOW_ORIGIN_WILDCARD: (
        "The value of the 'Access-Control-Allow-Origin' header in the response must not be the "
        f"wildcard '*' {_INCLUDE}"
    ),
    BlockReason.ALLOW_CREDENTIALS_NOT_TRUE: (
        "The value of the 'Access-Control-Allow-Credentials' header in the response is '{detail}' "
        f"which must be 'true' {_INCLUDE}"
    ),
    BlockReason.PREFLIGHT_STATUS: "It does not have HTTP ok status.",
    BlockReason.PREFLIGHT_REDIRECTED: "Redirect is not allowed for a preflight request.",
    BlockReason.METHOD_NOT_ALLOWED: (
        "Method {detail} is not allowed by Access-Control-Allow-Methods in preflight response."
    ),
    BlockReason.HEADER_NOT_ALLOWED: (
        "Request header field {detail} is not allowed by Access-Control-Allow-Headers in preflight "
        "response."
    ),
    BlockReason.ALLOW_METHODS_INVALID: (
        "Cannot parse Access-Control-Allow-Methods response header field in preflight response."
    ),
    BlockReason.ALLOW_HEADERS_INVALID: (
        "Cannot parse Access-Control-Allow-Headers response header field in preflight response."
    ),
    BlockReason.REDIRECT_SCHEME: _SCHEMES,
    # Chromium leaves the URL out, which would show the password.
    BlockReason.REDIRECT_WITH_CREDENTIALS: (
        "Redirect location '' contains a username and password, which is disallowed for "
        "cross-origin requests."
    ),
    BlockReason.SAME_ORIGIN_ONLY: (
        'Request mode is "same-origin" but the URL\'s origin is not same as the request origin '
        "{page}."
    ),
    BlockReason.NO_CORS_REDIRECT_MODE: (
        'Request mode is "no-cors" but the redirect mode is not "follow".'
    ),
    BlockReason.SCHEME_NOT_HTTP: 'URL scheme "{detail}" is not supported.',
}
"""BlockReason -> message, in which `{detail}` is the offending value, method or header."""

# For REDIRECT_SCHEME where the redirect leads to plain http. Chromium names the page by its URL, of
# which the model knows the origin only.
_MIXED_CONTENT = (
    "Mixed Content: The page at '{page}/' was loaded over HTTPS, but requested an insecure "
    "{what} '{url}'. This request has been blocked; the content must be served over HTTPS."
)

# Chromium checks these after the preflight's access control check and does not name that check.
_AFTER_CHECK = frozenset(
    {
        BlockReason.METHOD_NOT_ALLOWED,
        BlockReason.HEADER_NOT_ALLOWED,
        BlockReason.ALLOW_METHODS_INVALID,
        BlockReason.ALLOW_HEADERS_INVALID,
    }
)


# Chromium refuses these before CORS.
_UNSENT = frozenset(
    {
        BlockReason.SAME_ORIGIN_ONLY,
        BlockReason.NO_CORS_REDIRECT_MODE,
        BlockReason.SCHEME_NOT_HTTP,
    }
)
# Browsers fetch these without a server, and the model does not.
_LOCAL_SCHEMES = frozenset({"about", "blob", "data"})
_SILENT_SCHEMES = _LOCAL_SCHEMES | {"file"}
# For these an XMLHttpRequest prints no message, or none about CORS.
_SILENT_FOR_XHR = frozenset({"blob", "data", "file", "ftp"})
_ESCAPED = re.compile("[^ -~]")


def format_console_message(refusal: Refusal, page: str, request: Request, urls: list[URL]) -> str:
    """Return the message in Chromium's console; empty where it prints none about the cause.

    `urls` are the URLs of the request, the first and every redirect's.
    """
    words = MESSAGES.get(refusal.reason)
    if words is None:
        return ""
    detail = _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04X}", refusal.detail)
    words = words.format(detail=detail, page=page)
    if refusal.reason in _UNSENT:
        return _format_unsent(words, page, request, urls)
    if refusal.reason in {BlockReason.REDIRECT_SCHEME, BlockReason.REDIRECT_WITH_CREDENTIALS}:
        target = URL.parse(refusal.detail, urls[-1])
        if refusal.reason is BlockReason.REDIRECT_SCHEME and target.scheme == "http":
            what = "XMLHttpRequest endpoint" if request.upload_listener else "resource"
            return _MIXED_CONTENT.format(page=page, what=what, url=target)
        is_silent = target.scheme in _SILENT_SCHEMES or str(target.origin) == page
        if is_silent or request.mode == "no-cors":
            return ""
        if refusal.reason is BlockReason.REDIRECT_SCHEME:
            urls = [*urls, target]
    if refusal.in_preflight and refusal.reason not in _AFTER_CHECK:
        words = f"Response to preflight request doesn't pass access control check: {words}"
    return _format_blocked(words, page, request, urls)


def _format_blocked(words: str, page: str, request: Request, urls: list[URL]) -> str:
    caller = "XMLHttpRequest" if request.upload_listener else "fetch"
    if request.upload_listener:
        words = words.removesuffix(f" {_ADVICE}")
        if words.endswith(_INCLUDE):
            words = f"{words} {_BY_XHR}"
    url = f"'{urls[-1].href}'"
    if len(urls) > 1:
        url = f"{url} (redirected from '{urls[0].href}')"
    return (
        f"Access to {caller} at {url} from origin '{page}' has been blocked by CORS policy: {words}"
    )


def _format_unsent(words: str, page: str, request: Request, urls: list[URL]) -> str:
    url = urls[-1]
    if len(urls) > 1:
        return (
            f"Unsafe attempt to load URL {url.href} from frame with URL {page}/. Domains, "
            "protocols and ports must match."
        )
    if request.upload_listener:
        # An XMLHttpRequest has one message for all of these.
        is_silent = url.scheme in _SILENT_FOR_XHR
        return "" if is_silent else _format_blocked(_SCHEMES, page, request, urls)
    is_silent = url.scheme in _LOCAL_SCHEMES
    return "" if is_silent else f"Fetch API cannot load {url.href}. {words}"
