"""The reports of a comparison: text, JSON, SARIF and JUnit."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

import click

from corsguard.cli.audit.catalogue import Finding
from corsguard.cli.audit.reports import STYLES, describe_evidence, list_response_lines
from corsguard.cli.audit.runner import AuditResult
from corsguard.cli.audit.sarif import build_sarif
from corsguard.cli.terminal import ConsoleWriter, format_count, make_printable, open_console

__all__ = ["REPORTS"]

_SHOWN = 2
"""How many differences of a finding the text shows, and one of a note. JSON has all."""


def _write_text(result: AuditResult) -> None:
    writer = ConsoleWriter(open_console())
    is_clean = result.complete and not _list_failing(result)
    style = "bold green" if is_clean else "bold red" if _list_failing(result) else "bold yellow"
    writer.write_line(make_printable(f"{result.url}: {_summarize(result)}"), style)
    writer.write_row("policy", make_printable(result.policy))
    for number, (path, requests) in enumerate(result.checked):
        line = f"{path} ({format_count(requests, 'request')})"
        writer.write_row("" if number else "compared", make_printable(line))
    for caveat in result.caveats:
        writer.write_row("unknown", make_printable(caveat), "yellow")
    for found in result.findings:
        _write_finding(writer, found)


def _write_finding(writer: ConsoleWriter, found: Finding) -> None:
    rule = found.rule
    writer.write_heading(f"{found.severity}: {rule.title} [{rule.code}]", STYLES[found.severity])
    count, shown_count = len(found.evidence), _SHOWN if found.fails else 1
    if count > 1:
        paths = make_printable(", ".join(found.paths))
        writer.write_row("count", f"{count} differences, at {paths}")
    for sentence, shown in list(zip(found.differences, found.evidence, strict=True))[:shown_count]:
        writer.write_row("difference", make_printable(sentence))
        writer.write_unwrapped("request", make_printable(shown.curl))
        for number, line in enumerate(list_response_lines(shown)):
            writer.write_row("" if number else "response", line)
    if count > shown_count:
        writer.write_row("", f"and {count - shown_count} more: --format json has them")
    writer.write_row("impact", rule.impact)
    writer.write_row("fix", rule.fix, "bold")


def _list_failing(result: AuditResult) -> list[Finding]:
    return [found for found in result.findings if found.fails]


def _summarize(result: AuditResult) -> str:
    failing = len(_list_failing(result))
    notes = len(result.findings) - failing
    counts = [format_count(failing, "finding"), *([format_count(notes, "note")] if notes else [])]
    return f"{', '.join(counts)} in {format_count(result.requests, 'request')}"


def _write_json(result: AuditResult) -> None:
    document = {
        "url": result.url,
        "policy": result.policy,
        "requests": result.requests,
        "complete": result.complete,
        "caveats": result.caveats,
        "compared": [{"path": path, "requests": requests} for path, requests in result.checked],
        "findings": [_describe_finding(found) for found in result.findings],
    }
    click.echo(json.dumps(document, indent=2))


def _describe_finding(found: Finding) -> dict[str, object]:
    rule = found.rule
    return {
        "code": rule.code,
        "severity": found.severity,
        "title": rule.title,
        "paths": found.paths,
        "differences": [
            {"difference": sentence, **describe_evidence(shown)}
            for sentence, shown in zip(found.differences, found.evidence, strict=True)
        ],
        "impact": rule.impact,
        "fix": rule.fix,
    }


def _write_sarif(result: AuditResult) -> None:
    click.echo(json.dumps(build_sarif(result), indent=2))


def _write_junit(result: AuditResult) -> None:
    """Write a test case for each path; one more if not all could be compared."""
    suite = ET.Element("testsuite", name="corsguard verify")
    paths = dict.fromkeys(
        (*(path for path, _ in result.checked), *(p for one in result.findings for p in one.paths))
    )
    failures = 0
    for path in paths:
        case = ET.SubElement(
            suite, "testcase", classname=make_printable(result.url), name=make_printable(path)
        )
        failing = [found for found in _list_failing(result) if path in found.paths]
        failures += bool(failing)
        if failing:  # several failures of one case are not in every reader's schema
            message = "; ".join(f"{found.rule.title} [{found.rule.code}]" for found in failing)
            failure = ET.SubElement(case, "failure", message=message)
            failure.text = "\n\n".join(map(_format_finding, failing))
    if not result.complete:
        case = ET.SubElement(
            suite, "testcase", classname=make_printable(result.url), name="complete"
        )
        message = make_printable(" ".join(result.caveats))
        ET.SubElement(case, "error", message=message)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", str(int(not result.complete)))
    ET.indent(suite)
    root = ET.tostring(suite, encoding="unicode")
    click.echo(f'<?xml version="1.0" encoding="UTF-8"?>\n{root}')


def _format_finding(found: Finding) -> str:
    """Return a finding with all of its responses, in lines."""
    lines = [f"{found.severity}: {found.rule.title} [{found.rule.code}]"]
    for sentence, shown in zip(found.differences, found.evidence, strict=True):
        lines += [make_printable(sentence), f"  {make_printable(shown.curl)}"]
    return "\n".join([*lines, found.rule.impact, f"Fix: {found.rule.fix}"])


REPORTS: dict[str, Callable[[AuditResult], None]] = {
    "text": _write_text,
    "json": _write_json,
    "sarif": _write_sarif,
    "junit": _write_junit,
}
"""format -> function that writes a result to the standard output"""
