"""`explain`: how a browser handles a request, why, and what would allow it."""

from __future__ import annotations

import json
import sys
from typing import IO

from corsguard.cli.change_format import ChangeFormatter
from corsguard.explain.fixes import Transport, explain_request
from corsguard.explain.question import Question
from corsguard.explain.report import build_document
from corsguard.guard import Guard

__all__ = ["run_explain"]


def run_explain(
    question: Question,
    guard: Guard,
    transport: Transport,
    format_change: ChangeFormatter,
    file: IO[str] | None = None,
) -> int:
    """Explain what happens to a request under the policies of guard.

    Writes to file, or to the standard output. Returns the exit code: 0 where the request is
    allowed, 1 where it is blocked. Raises ImportError for text output without rich.
    """
    explanation = explain_request(guard, transport, question.play)
    if question.as_json:
        document = build_document(question, explanation, lambda change: format_change(change).line)
        (file or sys.stdout).write(f"{json.dumps(document, indent=2)}\n")
    else:
        from corsguard.cli.explain_report import write_explanation

        write_explanation(question, explanation, format_change, file)
    return 0 if explanation.exchange.allowed else 1
