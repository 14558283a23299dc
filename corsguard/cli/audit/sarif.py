"""The report of an audit or a comparison as SARIF 2.1.0, which code hosts and editors show."""

from __future__ import annotations

from urllib.parse import urlsplit

from corsguard.browser.messages import Fields, Headers
from corsguard.cli.audit.catalogue import RULES, Evidence, Finding
from corsguard.cli.audit.rule import Rule, Severity
from corsguard.cli.audit.runner import AuditResult
from corsguard.cli.version import read_version

__all__ = ["build_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.NOTE: "note",
}
_INDEXES = {code: index for index, code in enumerate(RULES)}


def build_sarif(result: AuditResult) -> dict[str, object]:
    """Return the log of a result as a dict for `json.dumps`."""
    run = {
        "tool": {
            "driver": {
                "name": "corsguard",
                "version": read_version(),
                "rules": [_describe_rule(rule) for rule in RULES.values()],
            }
        },
        "invocations": [
            {
                "executionSuccessful": result.complete,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": caveat}} for caveat in result.caveats
                ],
            }
        ],
        "results": [_describe_result(result, found) for found in result.findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _describe_rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.impact},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _describe_result(result: AuditResult, found: Finding) -> dict[str, object]:
    shown = found.evidence[0]
    return {
        "ruleId": found.rule.code,
        "ruleIndex": _INDEXES[found.rule.code],
        "level": _LEVELS[found.severity],
        "message": {"text": " ".join(_list_sentences(found))},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": result.url}}}],
        "webRequest": _describe_request(shown),
        "webResponse": {
            "statusCode": shown.answer.status,
            "headers": _join_headers(shown.cors),
        },
        "properties": {
            "severity": found.severity,
            **({"policy": result.policy} if result.policy else {"page": result.page}),
            "curl": [each.curl for each in found.evidence],
        },
    }


def _list_sentences(found: Finding) -> list[str]:
    rule = found.rule
    return [f"{rule.title}.", *found.differences[:1], rule.impact, rule.fix]


def _describe_request(shown: Evidence) -> dict[str, object]:
    parts = urlsplit(shown.sent.url)
    return {
        "method": shown.sent.method,
        "target": parts._replace(scheme="", netloc="", fragment="").geturl() or "/",
        "headers": _join_headers(shown.sent.headers),
    }


def _join_headers(fields: Fields) -> dict[str, str]:
    """Return name -> value, with the lines of one name joined (RFC 9110, 5.3)."""
    joined = Headers(fields)
    return {name: joined[name] for name, _ in fields}
