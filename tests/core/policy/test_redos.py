"""Linear time of all work on input and configuration. Steps are counted, not seconds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest

from corsguard import Guard, Origin, OriginError, OriginPattern, Policy, PolicyError
from corsguard.engine.header_names import parse_names
from corsguard.engine.response_headers import merge_headers
from corsguard.guard.routes import is_canonical

SHORT, LONG = 2_000, 8_000
FILLINGS = [
    ",",
    "a,",
    " ",
    "\t,",
    ".",
    "a.",
    ":",
    "::",
    "*.",
    "[",
    "(",
    "%2e",
    "/",
    "/./",
    "\\",
    "é",
]
A = "https://a.example"
GUARD = Guard(
    {"/": Policy(allow_origins=[A, "https://*.a.example"]), "/api": Policy(allow_origins=["*"])}
)
ASKED = "access-control-request-method", "access-control-request-headers"


def configured(make: Callable[[Any], object]) -> Callable[[str], object]:
    def configure(text: str) -> None:
        with pytest.raises(PolicyError):
            make(text)

    return configure


def parsed(parse: Callable[[str], object]) -> Callable[[str], object]:
    def read(text: str) -> None:
        with pytest.raises(OriginError):
            parse(text)

    return read


WORK: dict[str, Callable[[str], object]] = {
    "origin": parsed(Origin.parse),
    "pattern": parsed(OriginPattern.parse),
    "header names": parse_names,
    "path": is_canonical,
    "Origin": lambda text: GUARD.decide("/", f"https://{text}", "POST", {"host": text}),
    "Path": lambda text: GUARD.decide(f"/api/{text}", A, "GET", {}),
    "preflight": lambda text: GUARD.decide("/", A, "OPTIONS", dict.fromkeys(ASKED, text)),
    "Vary": lambda text: merge_headers([("Vary", "Origin")], [("Vary", text)]),
    "allow_origins": configured(lambda text: Policy(allow_origins=[f"https://{text}?"])),
    "allow_methods": configured(lambda text: Policy(allow_origins=[A], allow_methods=[f"{text},"])),
    "allow_headers": configured(lambda text: Policy(allow_origins=[A], allow_headers=[f"{text},"])),
    "routes": configured(lambda text: Guard({f"{text}?": None})),
    "own_origins": configured(lambda text: Guard(None, own_origins=[text])),
    "variable": configured(lambda text: Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": f"{text}?"})),
    "unknown": configured(lambda text: Policy.from_mapping({"allow_origins": [A], text: 1})),
}


def steps(work: Callable[[str], object], text: str) -> int:
    """Return the number of lines of Python that run."""
    count = 0

    def trace(frame: object, event: str, arg: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    gc.disable()  # what a collection runs is no step of the work
    sys.settrace(trace)
    try:
        work(text)
    finally:
        sys.settrace(before)
        gc.enable()
    return count


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.slow
def test_is_linear_of_longer_input_takes_linear_steps(name: str, filling: str) -> None:
    work = WORK[name]
    work(filling * SHORT)  # what is imported or compiled at first use is no part of it
    assert steps(work, filling * LONG) <= 4.4 * steps(work, filling * SHORT)
