"""The one JSON document that `explain` and the commands like it write. Its shape is stable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corsguard.browser import Exchange, Hop
from corsguard.explain.fixes import Change, Explanation
from corsguard.explain.question import Question

__all__ = ["build_document", "build_exchange_document"]

Document = dict[str, Any]


def build_document(
    asked: Question, explanation: Explanation, line: Callable[[Change], str]
) -> Document:
    """An explanation as a dict that `json.dumps` takes; line writes a change down.

    * verdict: "allowed" or "blocked", and of `probe` also "unknown"; reason, detail, fix: why it is
      not allowed, else null.
    * page, engine, request: what was asked.
    * steps: name, clause, address, passed and text of each.
    * requests: purpose, method, url, headers, and answer (status, headers; null for none) of each.
    * response: type, status and headers as the script sees them, else null.
    * console: what Chromium prints. caveats: code and text of each.
    * page_given: the page as it was given; page is its origin.
    * nearest: a listed origin that is a slip or two away, and in what it differs, else null.
    * changes: place, field, value, line and what it exposes, of each: all of them are needed. Of
      place: kind, name, and holder, what has a view's policy, in words, else null.
    * response_with_changes: the response with all of them made; null where there are none.
    * problems: why the changes that it takes would not start.
    * decided_by: which callable of allow_origins decided about the origin, in words; not there
      where none did.
    """
    near = explanation.nearest
    document = {
        **build_exchange_document(explanation.exchange),
        "page_given": asked.given,
        "nearest": near._asdict() if near else None,
        "changes": [_change(change, line) for change in explanation.changes],
        "response_with_changes": _response_of(explanation.mended),
        "problems": [problem.as_dict() for problem in explanation.problems],
    }
    if explanation.decided:
        document["decided_by"] = explanation.decided
    return document


def build_exchange_document(exchange: Exchange) -> Document:
    """What of the document is the exchange's own."""
    refusal, request = exchange.refusal, exchange.request
    return {
        "verdict": "allowed" if exchange.allowed else "blocked",
        "reason": refusal.reason.value if refusal else None,
        "detail": refusal.detail if refusal else None,
        "fix": refusal.fix if refusal else None,
        "page": exchange.page,
        "engine": exchange.engine,
        "request": {
            "url": request.url,
            "method": request.method,
            "headers": _fields(request.fields),
            "credentials": request.credentials,
            "mode": request.mode,
            "redirect": request.redirect,
        },
        "steps": [
            {
                "name": step.name,
                "clause": step.clause.words,
                "address": step.clause.value,
                "passed": step.passed,
                "text": step.text,
            }
            for step in exchange.steps
        ],
        "requests": [_hop(hop) for hop in exchange.hops],
        "response": _response_of(exchange),
        "console": exchange.console,
        "caveats": [caveat._asdict() for caveat in exchange.caveats],
    }


def _hop(hop: Hop) -> Document:
    answer = hop.answer
    return {
        "purpose": hop.purpose,
        "method": hop.sent.method,
        "url": hop.sent.url,
        "headers": _fields(hop.sent.headers),
        "answer": answer and {"status": answer.status, "headers": _fields(answer.headers)},
    }


def _response_of(exchange: Exchange | None) -> Document | None:
    response = exchange.response if exchange else None
    return response and {
        "type": response.type,
        "url": response.url,
        "status": response.status,
        "redirected": response.redirected,
        "headers": _fields(response.headers.items()),
    }


def _fields(fields: Any) -> list[Document]:
    return [{"name": name, "value": value} for name, value in fields]


def _change(change: Change, line: Callable[[Change], str]) -> Document:
    value = change.value
    return {
        "place": {
            "kind": change.place.kind,
            "name": change.place.name,
            "holder": change.place.holder or None,
        },
        "field": change.field,
        "value": value if isinstance(value, bool) else [str(entry) for entry in value],
        "line": line(change),
        "exposes": change.exposes,
    }
