"""The same audit as text, as JSON, as Markdown and as SARIF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import click

from corsguard.cli.audit.auditing import Audit
from corsguard.cli.audit.catalogue import Evidence, Finding, Severity
from corsguard.cli.audit.checks import LOOKED_FOR
from corsguard.cli.audit.sarif import as_sarif
from corsguard.cli.terminal import Sheet, console, counted, printable

__all__ = ["REPORTS"]

_STYLES = {
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold cyan",
    Severity.NOTE: "bold",
}


def _text(done: Audit) -> None:
    sheet = Sheet(console())
    style = "bold red" if done.findings else "bold green"
    sheet.line(printable(f"{done.url}: {_summary(done)}"), style)
    sheet.row("page", done.page)
    for caveat in done.caveats:
        sheet.row("but", printable(caveat), "yellow")
    for number, line in enumerate(_checked(done)):
        sheet.row("" if number else "checked", line)
    for found in done.findings:
        rule = found.rule
        sheet.heading(f"{found.severity}: {rule.title} [{rule.code}]", _STYLES[found.severity])
        for shown in found.evidence:
            sheet.whole("request", printable(shown.curl))
            for number, line in enumerate(_answer(shown)):
                sheet.row("" if number else "answer", line)
        sheet.row("impact", rule.impact)
        sheet.row("fix", rule.fix, "bold")


def _summary(done: Audit) -> str:
    return f"{counted(len(done.findings), 'finding')} in {counted(done.requests, 'request')}"


def _checked(done: Audit) -> Iterator[str]:
    """What was looked for, a line each, where nothing was found."""
    for name, requests in () if done.findings else done.checked:
        more = counted(requests, "request") if requests else "no more requests"
        yield f"{name}: {LOOKED_FOR[name]} ({more})"


def _answer(shown: Evidence) -> Iterator[str]:
    """The status of an answer, and what it has of the CORS protocol, a line each."""
    yield f"status {shown.answer.status}"
    for name, value in shown.cors:
        yield printable(f"{name}: {value}")
    if not shown.policy:
        yield "no Access-Control-*"


def _json(done: Audit) -> None:
    document = {
        "url": done.url,
        "page": done.page,
        "requests": done.requests,
        "complete": done.complete,
        "caveats": done.caveats,
        "findings": [_as_dict(found) for found in done.findings],
    }
    if not done.findings:
        document["checked"] = [
            {"check": name, "looked_for": LOOKED_FOR[name], "requests": requests}
            for name, requests in done.checked
        ]
    click.echo(json.dumps(document, indent=2))


def _as_dict(found: Finding) -> dict[str, object]:
    rule = found.rule
    return {
        "code": rule.code,
        "severity": found.severity,
        "title": rule.title,
        "evidence": [
            {
                "method": shown.sent.method,
                "url": shown.sent.url,
                "headers": shown.sent.headers,
                "curl": shown.curl,
                "answer": {"status": shown.answer.status, "headers": shown.cors},
            }
            for shown in found.evidence
        ],
        "impact": rule.impact,
        "fix": rule.fix,
    }


def _markdown(done: Audit) -> None:
    lines = [
        "# CORS audit",
        "",
        *_block(done.url),
        f"Page: `{done.page}`. {_summary(done).capitalize()}.",
    ]
    for caveat in done.caveats:
        lines += ["", "But:", "", *_block(caveat)]
    if checked := [f"* {line}" for line in _checked(done)]:
        lines += ["", "Checked:", "", *checked]
    for found in done.findings:
        rule = found.rule
        lines += ["", f"## {found.severity}: {rule.title}", "", f"Code: `{rule.code}`.", ""]
        for shown in found.evidence:
            lines += _block(shown.curl, *_answer(shown))
        lines += [rule.impact, "", f"**Fix:** {rule.fix}"]
    click.echo("\n".join(lines))


def _block(*lines: str) -> list[str]:
    """Lines as they are: what comes from outside is no Markdown."""
    return [*(f"    {printable(line)}" for line in lines), ""]


def _sarif(done: Audit) -> None:
    click.echo(json.dumps(as_sarif(done), indent=2))


REPORTS: dict[str, Callable[[Audit], None]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "sarif": _sarif,
}
"""By the name of the format: each writes to the standard output."""
