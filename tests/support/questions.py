"""Questions to `explain`, in one line each."""

from __future__ import annotations

from corsguard.cli.options import EXPLAIN_OPTIONS
from corsguard.explain.question import Question, build_question


def build_test_question(url: str, page: str, **options: object) -> Question:
    """Return the question that the options of `corsguard explain` make; `header` is a list."""
    defaults = {option.name: option.default for option in EXPLAIN_OPTIONS}
    return build_question(url, {**defaults, "page": page, "engine": "chromium", **options})
