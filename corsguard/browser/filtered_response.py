"""What of an answer a script may read (Fetch, "filtered response")."""

from __future__ import annotations

from corsguard.browser.clauses import Clause
from corsguard.browser.engine_quirks import Traits
from corsguard.browser.header_values import parse_leading_list, parse_list
from corsguard.browser.messages import Answer, Headers, Response
from corsguard.browser.request_constructor import Fetching
from corsguard.browser.trace import Trail
from corsguard.fetch_spec import (
    EXPOSE_HEADERS,
    FORBIDDEN_RESPONSE_HEADERS,
    SAFELISTED_RESPONSE_HEADERS,
)

__all__ = ["readable"]

_STEP = "read the answer"


def readable(fetching: Fetching, engine: Traits, answer: Answer, trail: Trail) -> Response:
    """The answer as the script sees it."""
    if fetching.tainting == "opaque":
        text = "the script gets an opaque response: no status, no headers, no body"
        trail.passed(_STEP, Clause.FILTERED, text)
        return Response.hidden("opaque")
    names = {name.lower() for name, _ in answer.headers} - FORBIDDEN_RESPONSE_HEADERS
    if fetching.tainting == "cors":
        exposed = _exposed(fetching, engine, answer)
        # Fetch, "main fetch", 14.2: `*` is every name, but not where credentials are sent.
        if "*" not in exposed or fetching.credentials == "include":
            names &= exposed | SAFELISTED_RESPONSE_HEADERS
        shown = ", ".join(sorted(names)) or "none"
        trail.passed(_STEP, Clause.CORS_FILTERED, f"the script may read the headers: {shown}")
    else:
        trail.passed(_STEP, Clause.FILTERED, "the script may read all but Set-Cookie")
    # RFC 9110, 5.5: white space around a value is no part of it.
    fields = [(name, value.strip(" \t")) for name, value in answer.headers if name.lower() in names]
    if engine.headers_in_utf8:
        fields = [(name, _through_utf8(value)) for name, value in fields]
    return Response(
        "cors" if fetching.tainting == "cors" else "basic",
        str(fetching.url._replace(userinfo="")),
        answer.status,
        Headers(fields),
        answer.body,
        redirected=len(fetching.urls) > 1,
    )


def _exposed(fetching: Fetching, engine: Traits, answer: Answer) -> set[str]:
    names = parse_list(answer, EXPOSE_HEADERS)
    if names is None and fetching.by_fetch and engine.exposes_by_wildcard_before_failure:
        return {"*"} & {*parse_leading_list(answer, EXPOSE_HEADERS)}
    return {name.lower() for name in names or ()}


def _through_utf8(value: str) -> str:
    """Bytes that are not UTF-8 become the three of U+FFFD."""
    return value.encode("latin-1").decode("utf-8", "replace").encode().decode("latin-1")
