"""The sentence that Chromium prints in its console, measured on release 156."""

from __future__ import annotations

import re

from corsguard.browser.exchange import BlockReason, Refusal
from corsguard.browser.messages import Mode
from corsguard.browser.url import URL

__all__ = ["MESSAGES", "console_text"]

_MEND = "Have the server send the header with a valid value."
_INCLUDE = "when the request's credentials mode is 'include'."
MESSAGES: dict[BlockReason, str] = {
    BlockReason.ALLOW_ORIGIN_MISSING: (
        "No 'Access-Control-Allow-Origin' header is present on the requested resource."
    ),
    BlockReason.ALLOW_ORIGIN_MISMATCH: (
        "The 'Access-Control-Allow-Origin' header has a value '{detail}' that is not equal to the "
        f"supplied origin. {_MEND}"
    ),
    BlockReason.ALLOW_ORIGIN_INVALID: (
        "The 'Access-Control-Allow-Origin' header contains the invalid value '{detail}'. " + _MEND
    ),
    BlockReason.ALLOW_ORIGIN_MULTIPLE: (
        "The 'Access-Control-Allow-Origin' header contains multiple values '{detail}', but only "
        f"one is allowed. {_MEND}"
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
    BlockReason.REDIRECT_SCHEME: (
        "Cross origin requests are only supported for protocol schemes: chrome, "
        "chrome-experimental-site-token-provider, chrome-extension, chrome-untrusted, data, http, "
        "https, isolated-app."
    ),
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
"""By reason; `{detail}` is the value, the method or the header that offends."""

# These come after the preflight's own access control check, so they are told without its name.
_AFTER_CHECK = frozenset(
    {
        BlockReason.METHOD_NOT_ALLOWED,
        BlockReason.HEADER_NOT_ALLOWED,
        BlockReason.ALLOW_METHODS_INVALID,
        BlockReason.ALLOW_HEADERS_INVALID,
    }
)


# These never get as far as CORS.
_UNSENT = frozenset(
    {
        BlockReason.SAME_ORIGIN_ONLY,
        BlockReason.NO_CORS_REDIRECT_MODE,
        BlockReason.SCHEME_NOT_HTTP,
    }
)
# These need no server, so browsers fetch them and the model does not.
_LOCAL_SCHEMES = frozenset({"about", "blob", "data"})
_SILENT_SCHEMES = _LOCAL_SCHEMES | {"file"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def console_text(refusal: Refusal, page: str, mode: Mode, urls: list[URL]) -> str:
    """What Chromium says of a refusal; empty where it says nothing, or nothing of the cause.

    `urls` are those that the request went to, the first and every redirect's.
    """
    words = MESSAGES.get(refusal.reason)
    if words is None:
        return ""
    detail = _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04X}", refusal.detail)
    words = words.format(detail=detail, page=page)
    if refusal.reason in _UNSENT:
        if urls[-1].scheme in _LOCAL_SCHEMES:
            return ""
        return _unsent(words, page, urls)
    if refusal.reason in {BlockReason.REDIRECT_SCHEME, BlockReason.REDIRECT_WITH_CREDENTIALS}:
        target = URL.parse(refusal.detail, urls[-1])
        if mode == "no-cors" or target.scheme in _SILENT_SCHEMES or str(target.origin) == page:
            return ""
        if refusal.reason is BlockReason.REDIRECT_SCHEME:
            urls = [*urls, target]
    url = f"'{urls[-1].href}'"
    if len(urls) > 1:
        url = f"{url} (redirected from '{urls[0].href}')"
    check = ""
    if refusal.in_preflight and refusal.reason not in _AFTER_CHECK:
        check = "Response to preflight request doesn't pass access control check: "
    return (
        f"Access to fetch at {url} from origin '{page}' has been blocked by CORS policy: {check}"
        f"{words}"
    )


def _unsent(words: str, page: str, urls: list[URL]) -> str:
    url = urls[-1].href
    if len(urls) == 1:
        return f"Fetch API cannot load {url}. {words}"
    return (
        f"Unsafe attempt to load URL {url} from frame with URL {page}/. Domains, protocols and "
        "ports must match."
    )
