"""The JSON document of `explain` and `probe`. Its shape is stable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corsguard.browser import Exchange, Hop
from corsguard.explain.changes import Change
from corsguard.explain.fixes import Explanation
from corsguard.explain.question import Question

__all__ = ["build_document", "build_exchange_document"]

Document = dict[str, Any]


def build_document(
    question: Question, explanation: Explanation, format_line: Callable[[Change], str]
) -> Document:
    """Return an explanation as a dict for `json.dumps`.

    `format_line` returns the line of a configuration that a change is. The keys:

    * verdict: "allowed" or "blocked"; `probe` also has "unknown". reason, detail, fix: why the
      request is not allowed, else null.
    * page, engine, request: the question.
    * steps: name, clause, address, passed and text of each.
    * requests: purpose, method, url, headers, and answer (status, headers; null for none) of each.
    * response: type, status and headers as the script sees them, else null.
    * console: what Chromium prints. caveats: code and text of each.
    * page_given: the page as the option names it; page is its origin.
    * nearest: the listed origin that the page's nearly matches and how they differ, else null.
    * changes: place, field, value, line and exposes of each. All of them are needed. place has
      kind, name, and holder: the owner of a view's policy, else null. It has index, too, where
      it is in a list of policies.
    * response_with_changes: the response with all changes made; null where there are none.
    * problems: why the policies with the necessary changes would be rejected.
    * decided_in: the policy of a list that decided, in a sentence. The key is missing without a
      list.
    * decided_by: the callable of allow_origins that decided about the origin, in a sentence. The
      key is missing where none did.
    """
    document = {
        **build_exchange_document(explanation.exchange),
        "page_given": question.given,
        "nearest": explanation.near_miss._asdict() if explanation.near_miss else None,
        "changes": [
            _describe_change(change, format_line(change)) for change in explanation.changes
        ],
        "response_with_changes": _describe_response(explanation.fixed_exchange),
        "problems": [problem.as_dict() for problem in explanation.problems],
    }
    if explanation.decided_in:
        document["decided_in"] = explanation.decided_in
    if explanation.decided_by:
        document["decided_by"] = explanation.decided_by
    return document


def build_exchange_document(exchange: Exchange) -> Document:
    """Return the part of the document that describes the exchange alone."""
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
            "headers": _list_fields(request.fields),
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
        "requests": [_describe_hop(hop) for hop in exchange.hops],
        "response": _describe_response(exchange),
        "console": exchange.console,
        "caveats": [caveat._asdict() for caveat in exchange.caveats],
    }


def _describe_hop(hop: Hop) -> Document:
    answer = hop.answer
    return {
        "purpose": hop.purpose,
        "method": hop.sent.method,
        "url": hop.sent.url,
        "headers": _list_fields(hop.sent.headers),
        "answer": None
        if answer is None
        else {"status": answer.status, "headers": _list_fields(answer.headers)},
    }


def _describe_response(exchange: Exchange | None) -> Document | None:
    response = exchange.response if exchange else None
    if response is None:
        return None
    return {
        "type": response.type,
        "url": response.url,
        "status": response.status,
        "redirected": response.redirected,
        "headers": _list_fields(response.headers.items()),
    }


def _list_fields(fields: Any) -> list[Document]:
    return [{"name": name, "value": value} for name, value in fields]


def _describe_change(change: Change, line: str) -> Document:
    value = change.value
    place: Document = {
        "kind": change.place.kind,
        "name": change.place.name,
        "holder": change.place.holder or None,
    }
    if change.place.position is not None:
        place["index"] = change.place.position
    return {
        "place": place,
        "field": change.field,
        "value": value if isinstance(value, bool) else [str(entry) for entry in value],
        "line": line,
        "exposes": change.exposes,
    }
