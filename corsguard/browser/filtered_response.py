"""The filtered response: the part of a response that a script may read (Fetch)."""

from __future__ import annotations

from corsguard.browser.clauses import Clause
from corsguard.browser.engine_quirks import EngineQuirks
from corsguard.browser.header_values import parse_leading_list, parse_list
from corsguard.browser.messages import Answer, Headers, Response
from corsguard.browser.request_constructor import FetchRequest
from corsguard.browser.trace import Trace
from corsguard.fetch_spec import (
    EXPOSE_HEADERS,
    FORBIDDEN_RESPONSE_HEADERS,
    SAFELISTED_RESPONSE_HEADERS,
)

__all__ = ["filter_response", "hide_redirect"]

_STEP = "read the response"


def filter_response(
    request: FetchRequest, engine: EngineQuirks, answer: Answer, trace: Trace
) -> Response:
    """Return the response as the script sees it (Fetch, "filtered response")."""
    if request.tainting == "opaque":
        text = "the script gets an opaque response: no status, no headers, no body"
        trace.add_step(_STEP, Clause.FILTERED, text)
        return Response.hidden("opaque")
    names = {name.lower() for name, _ in answer.headers} - FORBIDDEN_RESPONSE_HEADERS
    if request.tainting == "cors":
        exposed = _parse_exposed_names(request, engine, answer)
        # Fetch, "main fetch", 14.2: without credentials, `*` exposes every name.
        if "*" not in exposed or request.credentials == "include":
            names &= exposed | SAFELISTED_RESPONSE_HEADERS
        listed = ", ".join(sorted(names)) or "none"
        trace.add_step(_STEP, Clause.CORS_FILTERED, f"the script may read the headers: {listed}")
    else:
        trace.add_step(_STEP, Clause.FILTERED, "the script may read every header but Set-Cookie")
    # RFC 9110, 5.5: white space around a value is not part of it.
    fields = [(name, value.strip(" \t")) for name, value in answer.headers if name.lower() in names]
    if engine.headers_in_utf8:
        fields = [(name, _replace_invalid_utf8(value)) for name, value in fields]
    return Response(
        "cors" if request.tainting == "cors" else "basic",
        str(request.url._replace(userinfo="")),
        answer.status,
        Headers(fields),
        answer.body,
        redirected=len(request.urls) > 1,
    )


def hide_redirect(request: FetchRequest, trace: Trace) -> Response:
    """Return the opaque response to a redirect that the browser does not follow.

    Fetch, "opaque-redirect filtered response".
    """
    text = "redirect is `manual`: the redirect is hidden from the script"
    trace.add_step(_STEP, Clause.FILTERED, text)
    return Response.hidden("opaqueredirect", str(request.urls[0]))


def _parse_exposed_names(request: FetchRequest, engine: EngineQuirks, answer: Answer) -> set[str]:
    names = parse_list(answer, EXPOSE_HEADERS)
    if names is None and request.by_fetch and engine.exposes_by_wildcard_before_failure:
        return {"*"} & {*parse_leading_list(answer, EXPOSE_HEADERS)}
    return {name.lower() for name in names or ()}


def _replace_invalid_utf8(value: str) -> str:
    """Return value with the three bytes of U+FFFD for each byte that is not valid UTF-8."""
    return value.encode("latin-1").decode("utf-8", "replace").encode().decode("latin-1")
