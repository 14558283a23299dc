"""docs/blocked.md has the messages that Chromium prints, all of them and no others."""

from __future__ import annotations

import re
import string
from pathlib import Path

from corsguard.browser.console import MESSAGES

PAGE = (Path(__file__).parents[2] / "docs/blocked.md").read_text(encoding="utf-8")


def headlines() -> list[str]:
    """Return the bold texts, each on one line and without Markdown's escapes."""
    found = re.findall(r"^\*\*(.*?)\*\*$", PAGE, re.MULTILINE | re.DOTALL)
    return [" ".join(text.split()).replace("\\", "") for text in found]


def pattern(message: str) -> re.Pattern[str]:
    """Return a pattern of the message, with anything in the places that an exchange fills."""
    parts = [re.escape(text) for text, *_ in string.Formatter().parse(message)]
    return re.compile(".*".join(parts) + (".*" if message.endswith("}") else ""))


def test_page_has_every_message_of_chromium() -> None:
    for message in MESSAGES.values():
        assert any(pattern(message).fullmatch(line) for line in headlines()), message


def test_page_has_only_messages_of_chromium() -> None:
    for line in headlines():
        assert any(pattern(message).fullmatch(line) for message in MESSAGES.values()), line
