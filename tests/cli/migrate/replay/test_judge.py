"""The verdict of the browser model on an exchange."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import pytest
from support.replay_apps import build_wsgi

from corsguard.browser import BlockReason
from corsguard.cli.migrate.replay import Exchange, Verdict, judge
from corsguard.cli.migrate.replay.origins import OriginCase, Trust

A = OriginCase("https://a.example", Trust.LISTED)
MAPPING = {"allow_origins": [A.origin], "expose_headers": ["X-Total"]}


def test_page_reads_the_headers_that_are_exposed() -> None:
    asked = Exchange(A, "/api", "GET", response_headers=("X-Total", "X-Other", "Content-Type"))
    [verdict] = judge(build_wsgi(MAPPING), [asked])

    assert verdict.can_read
    assert not verdict.has_preflight
    assert "x-total" in verdict.readable_headers
    assert "x-other" not in verdict.readable_headers


def test_page_is_told_why_it_is_blocked() -> None:
    [verdict] = judge(build_wsgi(MAPPING), [Exchange(A, "/api", "PUT", has_credentials=True)])

    assert verdict == Verdict(
        can_read=False,
        reason=BlockReason.ALLOW_CREDENTIALS_NOT_TRUE,
        text="the request carries credentials, and Access-Control-Allow-Credentials is missing",
        has_preflight=True,
    )


def test_application_gets_a_cookie_with_credentials_only() -> None:
    cookies: list[object] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        cookies.append(environ.get("HTTP_COOKIE"))
        start_response("200 OK", [])
        return []

    judge(app, [Exchange(A, "/", "GET", has_credentials=each) for each in (False, True)])

    assert cookies == [None, "session=1"]


def test_preflight_is_sent_once_for_the_same_question() -> None:
    preflights: list[str] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "OPTIONS":
            preflights.append(environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"])
        start_response("200 OK", [])
        return []

    asked = [
        Exchange(A, "/", method, has_credentials=each)
        for method in ("PUT", "DELETE")
        for each in (False, True)
    ]
    verdicts = judge(app, asked)

    assert preflights == ["PUT", "DELETE"]
    assert {each.reason for each in verdicts} == {BlockReason.ALLOW_ORIGIN_MISSING}


def test_application_that_raises_blocks_the_page() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise RuntimeError("broken")

    [verdict] = judge(app, [Exchange(A, "/", "GET")])

    assert verdict.reason is BlockReason.ALLOW_ORIGIN_MISSING


def test_refusals_are_not_logged_and_later_ones_are(caplog: pytest.LogCaptureFixture) -> None:
    judge(build_wsgi(MAPPING), [Exchange(A, "/api", "PUT")])
    assert caplog.records == []

    logging.getLogger("corsguard").warning("logged again")
    assert len(caplog.records) == 1
