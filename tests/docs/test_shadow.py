"""docs/shadow.md: the application starts, and the line is one that the report reads."""

from __future__ import annotations

import re
from pathlib import Path

from corsguard.guard.shadow_line import ShadowLine, format_line, parse_line
from corsguard_flask.shadow import FlaskShadow

PAGE = (Path(__file__).parents[2] / "docs/shadow.md").read_text(encoding="utf-8")


def test_example_is_in_shadow_mode() -> None:
    [block] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {"__name__": "docs"}
    exec(compile(block, "shadow.md", "exec"), names)

    app = names["app"]
    assert isinstance(getattr(app, "wsgi_app", None), FlaskShadow)


def test_line_is_the_one_that_is_written() -> None:
    [line] = re.findall(r"^shadow: .*$", PAGE, re.MULTILINE)

    parsed = parse_line(line)
    assert isinstance(parsed, ShadowLine)
    assert format_line(parsed) == line
