"""docs/blocked.md: the messages on it are those that a browser prints, every one of them."""

from __future__ import annotations

import re
import string
from pathlib import Path

from corsguard.browser.console import MESSAGES

PAGE = (Path(__file__).parents[2] / "docs/blocked.md").read_text(encoding="utf-8")


def headlines() -> list[str]:
    """What stands in bold letters, on one line and without Markdown's escapes."""
    found = re.findall(r"^\*\*(.*?)\*\*$", PAGE, re.MULTILINE | re.DOTALL)
    return [" ".join(text.split()).replace("\\", "") for text in found]


def pattern(message: str) -> re.Pattern[str]:
    """A message with anything in the places that an exchange fills."""
    parts = [re.escape(text) for text, *_ in string.Formatter().parse(message)]
    return re.compile(".*".join(parts) + (".*" if message.endswith("}") else ""))


def test_every_message_is_on_the_page() -> None:
    for message in MESSAGES.values():
        assert any(pattern(message).fullmatch(line) for line in headlines()), message


def test_the_page_has_no_message_that_no_browser_prints() -> None:
    for line in headlines():
        assert any(pattern(message).fullmatch(line) for message in MESSAGES.values()), line
