"""`corsguard probe`: what a browser makes of the answers of a live server."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import click

from corsguard.browser import BlockReason, Exchange
from corsguard.browser.messages import SendError
from corsguard.browser.url import URL
from corsguard.cli.audit import INTERRUPTED, run_audit
from corsguard.cli.audit.client import SAFE_METHODS, Client, Limits
from corsguard.cli.diagram import draw, verdict
from corsguard.cli.evidence import evidence_of
from corsguard.cli.options import REQUEST
from corsguard.cli.terminal import console, fail, printable, wrapped
from corsguard.explain.question import Question
from corsguard.explain.report import build_exchange_document

__all__ = ["probe"]

_ALLOWED, _BLOCKED, _UNKNOWN = 0, 1, 2
_AUDITED = frozenset({"page", "header", "cookie"})
_NOT_AUDITED = {
    option.name: option.default for option in REQUEST if option.name not in _AUDITED
} | {"unsafe": False}
"""The options that an audit has no use for, with what they are where nobody gives them."""
_HIGHEST = 86_400  # of any limit: more than a clock can wait for is an OverflowError


def probe(asked: Question, options: Mapping[str, Any]) -> int:
    """Ask a live server, by the options of the command, and return the exit code.

    0 where the page gets its answer, may send the request, or an audit finds nothing; 1 where it is
    blocked or something is found; 2 where that stays unknown. Ends the command with one line, and 2
    where the server does not answer at all, 130 after Ctrl-C.
    """
    form, url = options["format"], str(URL.parse(asked.request.url))
    limits = Limits(
        seconds=_limit(options, "timeout"),
        per_second=_limit(options, "rate"),
        requests=int(_limit(options, "requests", 1)),
    )
    verify = not options["insecure"] and (options["ca"] or True)
    if options["audit"]:
        for name, default in _NOT_AUDITED.items():
            if options[name] != default:
                fail(f"--{name} is not for an audit, which asks by itself: leave it out")
        if asked.page == "null":
            fail("an audit needs the origin of a page: every page can be null")
        fields = asked.request.fields
        if asked.cookies:
            pairs = "; ".join(cookie.pair for cookie in asked.cookies)
            fields = (*fields, ("Cookie", pairs))
        return run_audit(url, asked.page, form=form, fields=fields, limits=limits, verify=verify)
    if form not in {"text", "json"}:
        fail(f"--format {form} is for an audit: add --audit")
    method = asked.request.method
    methods = {*SAFE_METHODS, method, method.upper()} if options["unsafe"] else SAFE_METHODS
    try:
        with Client(url, limits=limits, verify=verify, methods=methods) as client:
            exchange = asked.play(client.send)
    except SendError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted before it was known", INTERRUPTED)
    return _told(asked, exchange, methods)


def _told(asked: Question, exchange: Exchange, methods: Collection[str]) -> int:
    """Tell what happened; methods are those that are sent."""
    unsent = bool(exchange.hops) and exchange.hops[-1].sent.method not in methods
    unreachable = _unreachable(exchange)
    if unreachable and not unsent and not any(hop.answer for hop in exchange.hops):
        fail(unreachable)
    code, conclusion = _conclusion(exchange, unsent=unsent)
    evidence = evidence_of(exchange)
    if asked.as_json:
        word = {_ALLOWED: "allowed", _BLOCKED: "blocked", _UNKNOWN: "unknown"}[code]
        document = {
            **build_exchange_document(exchange),
            "page_given": asked.given,
            "verdict": word,
            "evidence": evidence._asdict(),
        }
        if code == _ALLOWED:  # by the preflight; what was not sent here is no refusal
            document |= {"reason": None, "detail": None, "fix": None}
        click.echo(json.dumps(document, indent=2))
        return code
    terminal = console()
    draw(terminal, exchange)
    if not conclusion:
        verdict(terminal, exchange, evidence.rows)
        if exchange.refusal:
            wrapped(terminal, printable(exchange.refusal.fix), "bold", "  fix      ")
        return code
    terminal.print()
    wrapped(terminal, printable(conclusion), "bold green" if code == _ALLOWED else "bold red")
    for label, text in evidence.rows:
        wrapped(terminal, printable(text), indent=f"  {label:<9}")
    return code


def _limit(options: Mapping[str, Any], name: str, lowest: float = 0.001) -> float:
    value: float = options[name]
    if not lowest <= value <= _HIGHEST:  # no NaN is
        fail(f"--{name} {value:g} is not from {lowest} to {_HIGHEST}")
    return value


def _unreachable(exchange: Exchange) -> str:
    """Why no answer came, where it was that which ended the exchange."""
    refusal = exchange.refusal
    return refusal.step.text if refusal and refusal.reason is BlockReason.UNREACHABLE else ""


def _conclusion(exchange: Exchange, *, unsent: bool) -> tuple[int, str]:
    """The exit code, and how it ended where the exchange does not say it all."""
    why = _unreachable(exchange)
    if not why:
        return (_ALLOWED if exchange.allowed else _BLOCKED), ""
    if not unsent:
        return _UNKNOWN, f"Not known to the end: {why}."
    method = exchange.hops[-1].sent.method
    note = "It was not sent here, since it may change something: --unsafe sends it."
    if exchange.preflights:
        return _ALLOWED, f"The preflight passes, so a browser sends the {method}. {note}"
    return _UNKNOWN, f"A browser sends the {method} at once. {note}"
