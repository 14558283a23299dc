"""`corsguard probe`: what a browser does with the responses of a live server."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import click

from corsguard.browser import BlockReason, Exchange
from corsguard.browser.messages import SendError
from corsguard.browser.url import URL
from corsguard.cli.client import SAFE_METHODS, Client
from corsguard.cli.client_options import INTERRUPTED, parse_client_options
from corsguard.cli.diagram import draw_exchange, print_verdict
from corsguard.cli.evidence import Evidence, collect_evidence
from corsguard.cli.terminal import fail, make_printable, open_console, print_wrapped
from corsguard.explain.question import Question
from corsguard.explain.report import build_exchange_document

__all__ = ["run_probe"]

_ALLOWED, _BLOCKED, _UNKNOWN = 0, 1, 2
_VERDICTS = {_ALLOWED: "allowed", _BLOCKED: "blocked", _UNKNOWN: "unknown"}


class _Conclusion(NamedTuple):
    code: int
    text: str = ""
    """What the exchange itself does not show; may be empty."""


def run_probe(question: Question, options: Mapping[str, Any]) -> int:
    """Send a request to a live server as a browser would, and report what happens.

    Returns the exit code: 0 where the page gets the response or may send the request, 1 where it is
    blocked, 2 where that is unknown. Ends the command with one line, and 2, where the server does
    not respond at all, or 130 after Ctrl-C.
    """
    url, limits, verify = parse_client_options(URL.parse(question.request.url), options)
    if options["format"] not in {"text", "json"}:
        fail(f"--format {options['format']} is for an audit: add --audit")
    method = question.request.method
    methods = {*SAFE_METHODS, method, method.upper()} if options["unsafe"] else SAFE_METHODS
    try:
        with Client(url, limits=limits, verify=verify, methods=methods) as client:
            exchange = question.play(client.send)
    except SendError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted before the result was known", INTERRUPTED)
    return _report(question, exchange, methods)


def _report(question: Question, exchange: Exchange, methods: Collection[str]) -> int:
    """Write the result, and return the exit code; `methods` are those that the client sends."""
    is_unsent = bool(exchange.hops) and exchange.hops[-1].sent.method not in methods
    failure = _describe_failure(exchange)
    if failure and not is_unsent and not any(hop.answer for hop in exchange.hops):
        fail(failure)
    conclusion = _conclude(exchange, is_unsent=is_unsent)
    evidence = collect_evidence(exchange)
    if question.as_json:
        _write_json(question, exchange, conclusion, evidence)
    else:
        _write_text(exchange, conclusion, evidence)
    return conclusion.code


def _write_json(
    question: Question, exchange: Exchange, conclusion: _Conclusion, evidence: Evidence
) -> None:
    document = {
        **build_exchange_document(exchange),
        "page_given": question.given,
        "verdict": _VERDICTS[conclusion.code],
        "evidence": evidence._asdict(),
    }
    if conclusion.code == _ALLOWED:  # an allowed request that was not sent here is no refusal
        document |= {"reason": None, "detail": None, "fix": None}
    click.echo(json.dumps(document, indent=2))


def _write_text(exchange: Exchange, conclusion: _Conclusion, evidence: Evidence) -> None:
    console = open_console()
    draw_exchange(console, exchange)
    if not conclusion.text:
        print_verdict(console, exchange, evidence.rows)
        # A fix of one header would contradict the advice to remove a layer.
        if exchange.refusal and not evidence.layers:
            print_wrapped(console, make_printable(exchange.refusal.fix), "bold", "  fix      ")
        return
    console.print()
    style = "bold green" if conclusion.code == _ALLOWED else "bold red"
    print_wrapped(console, make_printable(conclusion.text), style)
    for label, text in evidence.rows:
        print_wrapped(console, make_printable(text), indent=f"  {label:<9}")


def _describe_failure(exchange: Exchange) -> str:
    """Return why no response came, where that ended the exchange; else an empty string."""
    refusal = exchange.refusal
    return refusal.step.text if refusal and refusal.reason is BlockReason.UNREACHABLE else ""


def _conclude(exchange: Exchange, *, is_unsent: bool) -> _Conclusion:
    """Return the exit code, and the conclusion where the exchange does not show it.

    `is_unsent` is True where the client did not send the last request, since its method is unsafe.
    """
    failure = _describe_failure(exchange)
    if not failure:
        return _Conclusion(_ALLOWED if exchange.allowed else _BLOCKED)
    if not is_unsent:
        return _Conclusion(_UNKNOWN, f"The result is unknown: {failure}.")
    method = exchange.hops[-1].sent.method
    note = "It was not sent here, since it may change data. Add --unsafe to send it."
    if exchange.preflights:
        text = f"The preflight passes, so a browser sends the {method}. {note}"
        return _Conclusion(_ALLOWED, text)
    return _Conclusion(_UNKNOWN, f"A browser sends the {method} without a preflight. {note}")
