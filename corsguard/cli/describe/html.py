"""A description as one HTML file, light and dark, that loads nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from corsguard.cli.describe.document import API_PLACEHOLDER
from corsguard.cli.describe.phrases import (
    INTRODUCTION,
    Row,
    describe_enforcement,
    describe_placeholder,
    describe_scope,
    format_heading,
    list_rows,
)
from corsguard.cli.terminal import make_printable

__all__ = ["render_html"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --dim: #5b6675; --paper: #f6f7f9;
  --card: #fff; --rule: #dfe3e8; --code: #eef1f5; --mark: #0b6bcb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --dim: #9aa5b4; --paper: #12161c;
  --card: #1a2029; --rule: #2e3744; --code: #252d39; --mark: #6cb2f7; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 1rem; }
p { margin: 0 0 1rem; color: var(--dim); }
section { background: var(--card); border: 1px solid var(--rule); border-radius: .75rem;
  padding: 1.25rem 1.5rem; margin-top: 1.5rem; }
section p:last-child { margin: 0; }
dl { display: grid; grid-template-columns: minmax(9rem, auto) 1fr; gap: .6rem 1.25rem;
  margin: 0 0 1.25rem; }
dt { color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; }
code { background: var(--code); border-radius: .3rem; padding: .1rem .35rem;
  font: .9em ui-monospace, monospace; }
h2 code { color: var(--mark); }
pre { background: var(--code); border-radius: .5rem; padding: .9rem 1rem; margin: 0;
  overflow-x: auto; }
pre code { background: none; padding: 0; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: .1rem; }
  dd { margin-bottom: .6rem; } }
"""


def render_html(document: Mapping[str, Any]) -> str:
    """Return the page. Everything from the configuration is escaped."""
    name = _escape(format_heading(document))
    enforcement, unknown = describe_enforcement(document), describe_placeholder(document)
    sections = "\n".join(map(_render_section, document["policies"]))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{name}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p>{_escape(INTRODUCTION)}</p>
{f"<p>{_escape(enforcement)}</p>" if enforcement else ""}
{f"<p>{_render_code(API_PLACEHOLDER)} {_escape(unknown)}</p>" if unknown else ""}
{sections}
</main>
</body>
</html>"""


def _render_section(policy: Mapping[str, Any]) -> str:
    path, text = describe_scope(policy)
    scope = f"{_render_code(path)} {_escape(text)}" if path else _escape(text)
    if not policy["cors"]:
        return (
            f"<section>\n<h2>{scope}</h2>\n"
            "<p>No page of another origin may read anything here.</p>\n</section>"
        )
    example = policy["example"]
    return f"""<section>
<h2>{scope}</h2>
<dl>
{"".join(map(_render_row, list_rows(policy)))}</dl>
<p>A request that works, from a page of {_render_code(example["page"])}:</p>
<pre><code>{escape(example["fetch"])}</code></pre>
</section>"""


def _render_row(row: Row) -> str:
    names = ", ".join(map(_render_code, row.names))
    value = " ".join(filter(None, (names, _escape(row.words))))
    return f"<dt>{_escape(row.label)}</dt><dd>{value}</dd>\n"


def _render_code(text: str) -> str:
    return f"<code>{_escape(text)}</code>"


def _escape(text: str) -> str:
    return escape(make_printable(text))
