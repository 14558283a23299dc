"""The sentence on a regular expression that hangs."""

from __future__ import annotations

import re

from corsguard.cli.migrate.replay.sentences import build_hang_sentence


def test_long_text_on_which_a_regex_hangs_is_cut() -> None:
    sentence = build_hang_sentence(re.compile("(a+)*$"), "a" * 200, 1.0)

    assert sentence == (
        f"the old regex hangs: '(a+)*$' takes over 1 s for the Origin '{'a' * 60}'... "
        "(200 characters), so one request blocks a worker"
    )
