"""docs/images/explain.svg: what `corsguard explain` prints about README's Flask application.

Run `python -m tools.pictures` in `tests` after a change of the command or of that application.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from support.doc_pages import DOCS, read_blocks

__all__ = ["COMMAND", "PICTURE", "draw", "read_text", "run_command"]

PICTURE = DOCS / "images/explain.svg"
COMMAND = "corsguard explain --app app:app --page http://localhost:5173 http://localhost:8000/items"
_PAGE, _FILE = "../README", "app.py"
"""The page, from `docs`, and its block with the application."""
_COLUMNS = 70
_MARGIN = 1
"""Columns on each side."""
_CHARACTER_WIDTH = 0.6
"""Of the height of a character, about as in the monospace fonts of all systems."""
_THEME = TerminalTheme(
    background=(13, 17, 23),
    foreground=(230, 237, 243),
    normal=[
        (110, 118, 129),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (118, 227, 234),
        (230, 237, 243),
    ],
)
# Neither a font nor anything else is loaded from elsewhere, which GitHub would not allow. The
# picture has a background of its own, so it reads on a light page and on a dark one.
_TEMPLATE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>corsguard explain</title>
<style>
.{unique_id}-matrix {{
  font: {char_height}px/{line_height}px ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas,
    "DejaVu Sans Mono", "Liberation Mono", monospace;
}}
.{unique_id}-title {{ font: 16px system-ui, sans-serif; fill: #8b949e; text-anchor: middle; }}
{styles}
</style>
<rect width="100%" height="100%" rx="10" fill="#0d1117" stroke="#30363d" stroke-width="3"/>
<text class="{unique_id}-title" x="50%" y="27">Terminal</text>
<defs>
{lines}
</defs>
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Draw the picture anew."""
    PICTURE.write_text(draw(run_command()), encoding="utf-8")


def run_command() -> str:
    """Return the command and its output, with the escape sequences of a terminal."""
    [application] = [block.code for block in read_blocks(_PAGE) if block.file == _FILE]
    program, *words = shlex.split(COMMAND)
    with TemporaryDirectory() as folder:
        Path(folder, _FILE).write_text(application, encoding="utf-8")
        environ = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
        run = subprocess.run(
            [Path(sys.executable).with_name(program), *words],
            cwd=folder,
            env={
                **environ,
                "COLUMNS": str(_COLUMNS),
                "FORCE_COLOR": "1",
                "PYTHONIOENCODING": "utf-8",
                "TERM": "xterm-256color",
            },
            capture_output=True,
            encoding="utf-8",
        )
    if run.returncode != 1 or run.stderr:
        raise RuntimeError(f"{COMMAND}: exit code {run.returncode}, not 1\n{run.stderr}")
    first, page, url = COMMAND.partition(" --page")
    return f"$ {first} \\\n   {page}{url}\n\n{run.stdout}"


def draw(output: str) -> str:
    """Return the picture of what a terminal has printed."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(
            record=True,
            width=_COLUMNS + 2 * _MARGIN,
            file=nowhere,
            color_system="truecolor",
            force_terminal=True,
        )
        for line in [*Text.from_ansi(output).split(), Text()]:
            console.print(Text(" " * _MARGIN).append_text(line), soft_wrap=True)
        picture = console.export_svg(
            title="",
            theme=_THEME,
            code_format=_TEMPLATE,
            font_aspect_ratio=_CHARACTER_WIDTH,
            unique_id="explain",
        )
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


def read_text(picture: str) -> list[str]:
    """Return the lines of a picture, as they were printed."""
    rows: dict[float, str] = {}
    for group in ET.fromstring(picture).iter():
        if not group.get("class", "").startswith("explain-r"):
            continue
        y, x = float(group.attrib["y"]), float(group.attrib["x"])
        column = round(x / (20 * _CHARACTER_WIDTH))
        rows[y] = rows.get(y, "").ljust(column) + (group.text or "").replace("\xa0", " ")
    rows = {y: text[_MARGIN:].rstrip() for y, text in rows.items() if text.strip()}
    heights = sorted(rows)
    step = 20 * 1.22  # a line's height
    lines = [""] * (round((heights[-1] - heights[0]) / step) + 1)
    for y, text in rows.items():
        lines[round((y - heights[0]) / step)] = text
    return lines


if __name__ == "__main__":
    main()
