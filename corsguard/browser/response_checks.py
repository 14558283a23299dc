"""The CORS check and the cross-origin resource policy check of a response (Fetch)."""

from __future__ import annotations

from corsguard.browser.clauses import Clause
from corsguard.browser.exchange import BlockReason
from corsguard.browser.header_values import join_lines
from corsguard.browser.messages import Answer
from corsguard.browser.request_constructor import FetchRequest
from corsguard.browser.site import is_same_site
from corsguard.browser.trace import Trace
from corsguard.browser.url import URL, URLError
from corsguard.fetch_spec import ALLOW_CREDENTIALS, ALLOW_ORIGIN
from corsguard.origin import Origin

__all__ = ["check_cors", "check_resource_policy"]

_RESOURCE_POLICY = "Cross-Origin-Resource-Policy"


def check_cors(
    request: FetchRequest, origin: str, answer: Answer, trace: Trace, *, in_preflight: bool = False
) -> None:
    """Raise Refused unless the response allows origin (Fetch, "CORS check").

    `origin` is the request's `Origin`. `in_preflight` is True for the response to a preflight.
    """
    name = "CORS check of the preflight's response" if in_preflight else "CORS check"
    allowed = join_lines(answer, ALLOW_ORIGIN)
    include = request.credentials == "include"
    if allowed == "*" and not include:
        trace.add_step(name, Clause.CORS_CHECK, f"{ALLOW_ORIGIN} is `*`: any page may read it")
        return
    if allowed != origin:
        reason, text = _explain_mismatch(allowed, origin)
        fix = f"send {ALLOW_ORIGIN}: {origin} (a policy's allow_origins)"
        if origin == "null":
            fix = (
                f"send the request from a page that has an origin: {ALLOW_ORIGIN}: null allows "
                "any site"
            )
        trace.refuse(
            (name, Clause.CORS_CHECK),
            reason,
            text,
            fix=fix,
            detail=allowed or "",
            in_preflight=in_preflight,
        )
    credentials = join_lines(answer, ALLOW_CREDENTIALS)
    if include and credentials != "true":
        trace.refuse(
            (name, Clause.CORS_CHECK),
            BlockReason.ALLOW_CREDENTIALS_NOT_TRUE,
            f"the request carries credentials, and {ALLOW_CREDENTIALS} is "
            + ("missing" if credentials is None else f"{credentials!r}, not 'true'"),
            fix=f"send {ALLOW_CREDENTIALS}: true (a policy's allow_credentials), or fetch "
            "without credentials",
            detail=credentials or "",
            in_preflight=in_preflight,
        )
    also = f", and {ALLOW_CREDENTIALS} is true" if include else ""
    trace.add_step(name, Clause.CORS_CHECK, f"{ALLOW_ORIGIN} is {allowed}{also}")


def _explain_mismatch(allowed: str | None, origin: str) -> tuple[BlockReason, str]:
    """Return why a value does not allow origin, with the distinctions that Chromium makes."""
    if allowed is None:
        return BlockReason.ALLOW_ORIGIN_MISSING, f"the response has no {ALLOW_ORIGIN}"
    if allowed == "*":
        return (
            BlockReason.ALLOW_ORIGIN_WILDCARD,
            f"{ALLOW_ORIGIN} is `*`, and the request carries credentials",
        )
    if "," in allowed or " " in allowed:
        text = f"{ALLOW_ORIGIN} has several values, {allowed!r}: only one is allowed"
        return BlockReason.ALLOW_ORIGIN_MULTIPLE, text
    if allowed != "null" and not _is_url(allowed):
        return (
            BlockReason.ALLOW_ORIGIN_INVALID,
            f"{ALLOW_ORIGIN} is {allowed!r}: not a valid origin",
        )
    text = f"{ALLOW_ORIGIN} is {allowed!r}, and the request's origin is {origin!r}"
    return BlockReason.ALLOW_ORIGIN_MISMATCH, text


def _is_url(text: str) -> bool:
    try:
        URL.parse(text)
    except URLError:
        return False
    return True


def check_resource_policy(page: Origin, url: URL, answer: Answer, trace: Trace) -> None:
    """Raise Refused if the response's resource policy excludes the page.

    Fetch, "cross-origin resource policy check", for requests with mode `no-cors`.
    """
    name = "cross-origin resource policy check"
    policy = join_lines(answer, _RESOURCE_POLICY)
    same_origin = page == url.origin and not page.opaque
    same_site = _is_schemelessly_same_site(page, url.origin)
    if (policy == "same-origin" and not same_origin) or (policy == "same-site" and not same_site):
        trace.refuse(
            (name, Clause.RESOURCE_POLICY),
            BlockReason.RESOURCE_POLICY,
            f"{_RESOURCE_POLICY} is {policy}, and the page has another "
            + policy.removeprefix("same-"),
            fix=f"send {_RESOURCE_POLICY}: cross-origin, or fetch with mode `cors`",
            detail=policy,
        )
    trace.add_step(name, Clause.RESOURCE_POLICY, f"{_RESOURCE_POLICY} is {policy or 'missing'}")


def _is_schemelessly_same_site(page: Origin, resource: Origin) -> bool:
    # Fetch, the same clause: an https page may load an http resource, and not the reverse.
    if page.scheme != resource.scheme and resource.scheme == "https":
        return False
    return is_same_site(page, resource._replace(scheme=page.scheme))
