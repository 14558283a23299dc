"""The guards behind every fuzzed adapter, and the checks of its responses."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tools.fuzz.inputs import Request

from corsguard import Guard, Origin, OriginError, Policy, Reason
from corsguard.fetch_spec import is_token

APP = "https://app.example.com"
OWN = "https://own.example"
OUR_LINES = frozenset(f"corsguard: {reason.words}\n".encode() for reason in Reason)
VARY = frozenset(
    {
        "origin",
        "access-control-request-method",
        "access-control-request-headers",
        "accept-encoding",
    }
)
SUBDOMAIN = re.compile(r"https://[a-z]+\.example\.com")

REGEX = Policy(allow_origins=[SUBDOMAIN])
LISTED = Policy(
    allow_origins=[APP, "http://localhost:*"],
    allow_credentials=True,
    allow_methods=["PUT"],
    allow_headers=["X-A"],
    expose_headers=["X-Total"],
)
WILDCARDS = Policy(
    allow_origins=[APP], allow_credentials=True, allow_methods=["*"], allow_headers=["*"]
)
ANYONE = Policy(allow_origins=["*"], allow_methods=["PUT"], expose_headers=["X-Total"])
VIEW = Policy(allow_origins=[OWN], allow_methods=["PUT"])
"""The policy of a view, in the frameworks that have such."""


class Case(NamedTuple):
    """A guard, and as plainly as it can be said, which origins it may ever allow."""

    guard: Guard
    may: Callable[[str], bool]


def always(origin: str) -> bool:
    return True


def cases() -> list[Case]:
    """Build new guards: each has a separate log."""
    return [
        Case(Guard(LISTED), is_listed),
        Case(Guard(WILDCARDS, enforce=True), lambda origin: origin == APP),
        Case(Guard(ANYONE), lambda origin: origin == "*"),
        Case(Guard(REGEX), lambda origin: SUBDOMAIN.fullmatch(origin) is not None),
        Case(
            Guard(Policy(allow_origins=[always])), lambda origin: origin not in {"null", "file://"}
        ),
        Case(Guard({"/api": LISTED, "/é": WILDCARDS, "/off": None}, enforce=True), is_listed),
        Case(Guard({"/": WILDCARDS}, enforce="report"), lambda origin: origin == APP),
        Case(Guard([LISTED, ANYONE]), lambda origin: origin == "*" or is_listed(origin)),
    ]


def is_listed(origin: str) -> bool:
    return origin == APP or re.fullmatch(r"http://localhost(:[0-9]+)?", origin) is not None


def check_answer(
    case: Case, request: Request, fields: Iterable[tuple[str, str]], body: bytes | None
) -> None:
    """Assert that the response echoes nothing but an allowed origin and tokens.

    `body` is None where somebody else has answered.
    """
    sent: dict[str, list[str]] = {}
    for name, value in fields:
        sent.setdefault(name.lower(), []).append(value)
        assert (name + value).isascii()
        assert (name + value).isprintable()
    assert body is None or body in OUR_LINES | {b""}
    protocol = {name: lines for name, lines in sent.items() if "access-control" in name}
    assert all(len(lines) == 1 for lines in protocol.values())
    one = {name.removeprefix("access-control-"): lines[0] for name, lines in protocol.items()}
    assert {part.strip().lower() for line in sent.get("vary", ()) for part in line.split(",")} <= (
        VARY | {"cookie"}
    )
    origin = one.pop("allow-origin", None)
    if origin is None:
        # The application's own Expose-Headers too, where a policy applies.
        assert set(one) <= {"expose-headers"}
        return
    assert case.may(origin) or origin == OWN
    if origin != "*":
        assert origin == request.value(b"origin")
        assert is_origin(origin)
    else:
        assert "allow-credentials" not in one
    assert one.pop("allow-credentials", "true") == "true"
    assert one.pop("max-age", "7200") == "7200"
    expected = {"allow-methods": b"access-control-request-method"}
    for name, listed in {
        "allow-methods": {"GET", "HEAD", "POST", "PUT", "*"},
        "allow-headers": {"X-A"},
        "expose-headers": {"X-Total", "X-App"},
    }.items():
        asked = request.value(expected.get(name, b"access-control-request-headers")) or ""
        names = one.pop(name, "*").split(", ")
        assert all(map(is_token, names))
        assert {each.lower() for each in names} <= {
            *(each.lower() for each in listed),
            *(part.strip(" \t").lower() for part in asked.split(",")),
            "*",
        }
    assert not one


def is_origin(text: str) -> bool:
    try:
        return str(Origin.parse(text)) == text
    except OriginError:
        return False


class Watch(logging.Handler):
    """Sees that no line of the log holds more than one, or anything that is not printable."""

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        assert line.isprintable() or record.msg.endswith("\n%s")  # a traceback
        assert line.isascii() or record.funcName != "report_refusal"  # other lines show routes


def watch_the_log() -> None:
    """Have every line made, and looked at; a broken promise is raised from the guard."""
    logger = logging.getLogger("corsguard")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    if not any(isinstance(handler, Watch) for handler in logger.handlers):
        logger.addHandler(Watch())
