"""The two checks that an answer has to pass: the CORS check, and the resource policy check."""

from __future__ import annotations

from corsguard.browser.clauses import Clause
from corsguard.browser.exchange import BlockReason
from corsguard.browser.header_values import join_lines
from corsguard.browser.messages import Answer
from corsguard.browser.request_constructor import Fetching
from corsguard.browser.trace import Trail
from corsguard.browser.url import URL, URLError, is_same_site
from corsguard.fetch_spec import ALLOW_CREDENTIALS, ALLOW_ORIGIN
from corsguard.origin import Origin

__all__ = ["check_cors", "check_resource_policy"]

_RESOURCE_POLICY = "Cross-Origin-Resource-Policy"


def check_cors(
    fetching: Fetching, origin: str, answer: Answer, trail: Trail, *, in_preflight: bool = False
) -> None:
    """Fetch, "CORS check": refuses unless the answer is for origin, as the request sends it."""
    name = "CORS check of the preflight's answer" if in_preflight else "CORS check"
    allowed = join_lines(answer, ALLOW_ORIGIN)
    include = fetching.credentials == "include"
    if allowed == "*" and not include:
        trail.passed(name, Clause.CORS_CHECK, f"{ALLOW_ORIGIN} is `*`: any page may read it")
        return
    if allowed != origin:
        reason, text = _objection(allowed, origin)
        fix = f"send {ALLOW_ORIGIN}: {origin} (a policy's allow_origins)"
        if origin == "null":
            fix = (
                f"send the request from a page that has an origin: {ALLOW_ORIGIN}: null lets any "
                "site in"
            )
        trail.refuse(
            name,
            Clause.CORS_CHECK,
            reason,
            text,
            fix=fix,
            detail=allowed or "",
            in_preflight=in_preflight,
        )
    told = join_lines(answer, ALLOW_CREDENTIALS)
    if include and told != "true":
        trail.refuse(
            name,
            Clause.CORS_CHECK,
            BlockReason.ALLOW_CREDENTIALS_NOT_TRUE,
            f"the request carries credentials, and {ALLOW_CREDENTIALS} is "
            + ("missing" if told is None else f"{told!r}, not 'true'"),
            fix=f"send {ALLOW_CREDENTIALS}: true (a policy's allow_credentials), or fetch "
            "without credentials",
            detail=told or "",
            in_preflight=in_preflight,
        )
    also = f", and {ALLOW_CREDENTIALS} is true" if include else ""
    trail.passed(name, Clause.CORS_CHECK, f"{ALLOW_ORIGIN} is {allowed}{also}")


def _objection(allowed: str | None, origin: str) -> tuple[BlockReason, str]:
    """Why a value is not the one that origin needs, as finely as Chromium tells it."""
    if allowed is None:
        return BlockReason.ALLOW_ORIGIN_MISSING, f"the answer has no {ALLOW_ORIGIN}"
    if allowed == "*":
        return (
            BlockReason.ALLOW_ORIGIN_WILDCARD,
            f"{ALLOW_ORIGIN} is `*`, and the request carries credentials",
        )
    if "," in allowed or " " in allowed:
        text = f"{ALLOW_ORIGIN} has several values, {allowed!r}: one is all it may have"
        return BlockReason.ALLOW_ORIGIN_MULTIPLE, text
    if allowed != "null" and not _is_url(allowed):
        return BlockReason.ALLOW_ORIGIN_INVALID, f"{ALLOW_ORIGIN} is {allowed!r}: no origin"
    text = f"{ALLOW_ORIGIN} is {allowed!r}, and the request's origin is {origin!r}"
    return BlockReason.ALLOW_ORIGIN_MISMATCH, text


def _is_url(text: str) -> bool:
    try:
        URL.parse(text)
    except URLError:
        return False
    return True


def check_resource_policy(page: Origin, url: URL, answer: Answer, trail: Trail) -> None:
    """Fetch, "cross-origin resource policy check", for what `no-cors` asks for."""
    name = "cross-origin resource policy check"
    policy = join_lines(answer, _RESOURCE_POLICY)
    same_origin = page == url.origin and not page.opaque
    same_site = _is_schemelessly_same_site(page, url.origin)
    if (policy == "same-origin" and not same_origin) or (policy == "same-site" and not same_site):
        trail.refuse(
            name,
            Clause.RESOURCE_POLICY,
            BlockReason.RESOURCE_POLICY,
            f"{_RESOURCE_POLICY} is {policy}, and the page is of another one",
            fix=f"send {_RESOURCE_POLICY}: cross-origin, or fetch with mode `cors`",
            detail=policy,
        )
    trail.passed(name, Clause.RESOURCE_POLICY, f"{_RESOURCE_POLICY} is {policy or 'not there'}")


def _is_schemelessly_same_site(page: Origin, resource: Origin) -> bool:
    # The clause lets https pages have what http serves, and not the other way round.
    if page.scheme != resource.scheme and resource.scheme == "https":
        return False
    return is_same_site(page, resource._replace(scheme=page.scheme))
