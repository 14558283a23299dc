"""The reports of an audit: text, JSON, Markdown and SARIF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import click

from corsguard.cli.audit.catalogue import Evidence, Finding
from corsguard.cli.audit.checks import LOOKED_FOR
from corsguard.cli.audit.rule import Severity
from corsguard.cli.audit.runner import AuditResult
from corsguard.cli.audit.sarif import build_sarif
from corsguard.cli.terminal import ConsoleWriter, format_count, make_printable, open_console

__all__ = ["REPORTS", "STYLES", "describe_evidence", "list_response_lines", "summarize"]

STYLES = {
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold cyan",
    Severity.NOTE: "bold",
}


def _write_text(result: AuditResult) -> None:
    writer = ConsoleWriter(open_console())
    style = "bold red" if result.findings else "bold green"
    writer.write_line(make_printable(f"{result.url}: {summarize(result)}"), style)
    writer.write_row("page", result.page)
    for caveat in result.caveats:
        writer.write_row("note", make_printable(caveat), "yellow")
    for number, line in enumerate(_list_checks(result)):
        writer.write_row("" if number else "checked", line)
    for found in result.findings:
        rule = found.rule
        writer.write_heading(
            f"{found.severity}: {rule.title} [{rule.code}]", STYLES[found.severity]
        )
        for shown in found.evidence:
            writer.write_unwrapped("request", make_printable(shown.curl))
            for number, line in enumerate(list_response_lines(shown)):
                writer.write_row("" if number else "response", line)
        writer.write_row("impact", rule.impact)
        writer.write_row("fix", rule.fix, "bold")


def summarize(result: AuditResult) -> str:
    """Return how many findings there are, in how many requests."""
    findings = format_count(len(result.findings), "finding")
    return f"{findings} in {format_count(result.requests, 'request')}"


def _list_checks(result: AuditResult) -> Iterator[str]:
    """Yield a line for each check, if nothing was found."""
    for name, requests in () if result.findings else result.checked:
        more = format_count(requests, "request") if requests else "no more requests"
        yield f"{name}: {LOOKED_FOR[name]} ({more})"


def list_response_lines(shown: Evidence) -> Iterator[str]:
    """Yield the status of a response, and each line of its CORS headers."""
    yield f"status {shown.answer.status}"
    for name, value in shown.cors:
        yield make_printable(f"{name}: {value}")
    if not shown.policy:
        yield "no Access-Control-*"


def _write_json(result: AuditResult) -> None:
    document = {
        "url": result.url,
        "page": result.page,
        "requests": result.requests,
        "complete": result.complete,
        "caveats": result.caveats,
        "findings": [_describe_finding(found) for found in result.findings],
    }
    if not result.findings:
        document["checked"] = [
            {"check": name, "looked_for": LOOKED_FOR[name], "requests": requests}
            for name, requests in result.checked
        ]
    click.echo(json.dumps(document, indent=2))


def _describe_finding(found: Finding) -> dict[str, object]:
    rule = found.rule
    return {
        "code": rule.code,
        "severity": found.severity,
        "title": rule.title,
        "evidence": [describe_evidence(shown) for shown in found.evidence],
        "impact": rule.impact,
        "fix": rule.fix,
    }


def describe_evidence(shown: Evidence) -> dict[str, object]:
    """Return a request and its response for `json.dumps`."""
    return {
        "method": shown.sent.method,
        "url": shown.sent.url,
        "headers": shown.sent.headers,
        "curl": shown.curl,
        "answer": {"status": shown.answer.status, "headers": shown.cors},
    }


def _write_markdown(result: AuditResult) -> None:
    lines = [
        "# CORS audit",
        "",
        *_indent_block(result.url),
        f"Page: `{result.page}`. {summarize(result).capitalize()}.",
    ]
    for caveat in result.caveats:
        lines += ["", "Note:", "", *_indent_block(caveat)]
    if checked := [f"* {line}" for line in _list_checks(result)]:
        lines += ["", "Checked:", "", *checked]
    for found in result.findings:
        rule = found.rule
        lines += ["", f"## {found.severity}: {rule.title}", "", f"Code: `{rule.code}`.", ""]
        for shown in found.evidence:
            lines += _indent_block(shown.curl, *list_response_lines(shown))
        lines += [rule.impact, "", f"**Fix:** {rule.fix}"]
    click.echo("\n".join(lines))


def _indent_block(*lines: str) -> list[str]:
    """Return lines as a code block, so that nothing from the server is read as Markdown."""
    return [*(f"    {make_printable(line)}" for line in lines), ""]


def _write_sarif(result: AuditResult) -> None:
    click.echo(json.dumps(build_sarif(result), indent=2))


REPORTS: dict[str, Callable[[AuditResult], None]] = {
    "text": _write_text,
    "json": _write_json,
    "markdown": _write_markdown,
    "sarif": _write_sarif,
}
"""format -> function that writes a result to the standard output"""
