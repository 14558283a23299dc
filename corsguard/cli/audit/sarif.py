"""An audit as SARIF 2.1.0, which code hosts and editors show."""

from __future__ import annotations

from importlib.metadata import version
from urllib.parse import urlsplit

from corsguard.browser.messages import Fields, Headers
from corsguard.cli.audit.auditing import Audit
from corsguard.cli.audit.catalogue import RULES, Evidence, Finding, Rule, Severity

__all__ = ["as_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.NOTE: "note",
}
_INDEXES = {code: index for index, code in enumerate(RULES)}


def as_sarif(done: Audit) -> dict[str, object]:
    """The log file, as `json.dumps` takes it."""
    run = {
        "tool": {
            "driver": {
                "name": "corsguard",
                "version": version("corsguard"),
                "rules": [_rule(rule) for rule in RULES.values()],
            }
        },
        "invocations": [
            {
                "executionSuccessful": done.complete,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": caveat}} for caveat in done.caveats
                ],
            }
        ],
        "results": [_result(done, found) for found in done.findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.impact},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(done: Audit, found: Finding) -> dict[str, object]:
    shown = found.evidence[0]
    return {
        "ruleId": found.rule.code,
        "ruleIndex": _INDEXES[found.rule.code],
        "level": _LEVELS[found.severity],
        "message": {"text": f"{found.rule.title}. {found.rule.impact} {found.rule.fix}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": done.url}}}],
        "webRequest": _request(shown),
        "webResponse": {
            "statusCode": shown.answer.status,
            "headers": _headers(shown.cors),
        },
        "properties": {
            "severity": found.severity,
            "page": done.page,
            "curl": [each.curl for each in found.evidence],
        },
    }


def _request(shown: Evidence) -> dict[str, object]:
    parts = urlsplit(shown.sent.url)
    return {
        "method": shown.sent.method,
        "target": parts._replace(scheme="", netloc="", fragment="").geturl() or "/",
        "headers": _headers(shown.sent.headers),
    }


def _headers(fields: Fields) -> dict[str, str]:
    """An object, as SARIF has it: several lines of one name are joined (RFC 9110, 5.3)."""
    joined = Headers(fields)
    return {name: joined[name] for name, _ in fields}
