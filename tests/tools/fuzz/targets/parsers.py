"""The parsers of the core: origins, their patterns, and lists of header names."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable
from itertools import cycle
from json import loads
from typing import Any
from urllib.parse import urlsplit

from tools.fuzz.inputs import compile_regex, decode_text, split_texts
from tools.fuzz.regexes import check_coverage, match_of

from corsguard import (
    Engine,
    Origin,
    OriginError,
    OriginPattern,
    Policy,
    PolicyError,
    Problem,
    Reason,
)
from corsguard.engine.header_names import parse_names
from corsguard.fetch_spec import is_token
from corsguard.origin import MAX_LENGTH

APP = "https://app.example.com"
PRINTABLE = re.compile(r"[!-~]+")
WORDS = ("an origin such as ", "remove it", "list each origin")


def predicate(origin: str) -> bool:
    """Allow any origin, and assert that it is valid: no other may reach a callable."""
    parsed = Origin.parse(origin)
    assert str(parsed) == origin
    assert not parsed.opaque
    return True


ANYONE = Engine(Policy(allow_origins=[predicate]))
WILDCARDS = Engine(
    Policy(allow_origins=[APP], allow_credentials=True, allow_methods=["*"], allow_headers=["*"])
)
INVALID = {Reason.ORIGIN_INVALID, Reason.SAME_ORIGIN}


def origin(data: bytes) -> None:
    """Check that an accepted origin is one serialised origin, character for character."""
    text = decode_text(data)
    decision = ANYONE.decide(text, "GET", {"Host": text.rpartition("/")[2]})
    assert not decision.faults
    try:
        parsed = Origin.parse(text)
    except OriginError:
        assert decision.reason is Reason.ORIGIN_INVALID
        assert decision.headers == (("Vary", "Origin"),)
        assert decision.detail.isascii()
        assert decision.detail.isprintable()
        return
    assert str(parsed) == text
    assert len(text) <= MAX_LENGTH
    assert PRINTABLE.fullmatch(text)
    assert parsed.opaque or decision.reason is Reason.ALLOWED
    if parsed.scheme in {"http", "https"}:
        url = urlsplit(text)
        assert (url.scheme, url.netloc) == (parsed.scheme, parsed.authority)
        assert (url.path, url.query, url.fragment, url.username) == ("", "", "", None)
        assert (url.hostname, url.port) == (parsed.host.strip("[]"), parsed.port)


def parse_suggestion(text: str) -> list[str | re.Pattern[str]]:
    """Return the entries of a suggestion; none where it is in words."""
    if text.startswith('"'):
        several: list[str | re.Pattern[str]] = loads(f"[{text}]")
        assert several
        return several
    if text.startswith("re.compile("):
        source: str = text.removeprefix("re.compile(").removesuffix(")")
        return [re.compile(literal_eval(source))]
    return [] if text.startswith(WORDS) else [text]


def find_problems(origins: list[Any]) -> tuple[Problem, ...]:
    """Return the problems of a policy with these origins; none where it starts."""
    try:
        Policy.read({"allow_origins": origins})
    except PolicyError as error:
        return error.problems
    return ()


def pattern(data: bytes) -> None:
    """Check what a pattern covers, and what is suggested for an invalid one."""
    text, asking = split_texts(data)
    problems = find_problems([text])
    try:
        parsed = OriginPattern.parse(text)
    except OriginError:
        [problem] = problems
        assert problem.code == "origin-invalid"
        assert not find_problems(parse_suggestion(problem.suggestion) or [APP])
        return
    assert str(parsed) == text
    if parsed.opaque:
        assert [problem.code for problem in problems] == ["origin-null"]
        return
    if problems:  # a label such as `*shop.co.uk`
        assert parsed.label
        assert [problem.code for problem in problems] == ["origin-public-suffix"]
        return
    decision = Engine(Policy(allow_origins=[text])).decide(asking, "GET", {})
    if decision.allowed and not parsed.any_origin:
        allowed = Origin.parse(asking)
        assert allowed.scheme == parsed.scheme
        assert parsed.port in {"*", str(allowed.port or "")}
        below = allowed.host.endswith(f".{parsed.host}")
        host = allowed.host.partition(".")[2] if parsed.label else allowed.host
        assert below if parsed.subdomains else host == parsed.host


def regex(data: bytes) -> None:
    """Check that an accepted regular expression answers any origin at once."""
    text, asking = split_texts(data)
    expression = compile_regex(text)
    if expression is None:
        return
    try:
        engine = Engine(Policy(allow_origins=[expression]))
    except PolicyError:
        return
    for each in (asking, asking[:1] * MAX_LENGTH, (asking * MAX_LENGTH)[:MAX_LENGTH]):
        full = each if each.startswith("https://") else f"https://{each}"[:MAX_LENGTH]
        if engine.decide(full, "GET", {}).allowed:
            assert expression.fullmatch(full)
            Origin.parse(full)


def coverage(data: bytes) -> None:
    """Check that the domains of a regular expression are counted as `re` matches them."""
    text, choices = split_texts(data)
    expression = compile_regex(text)
    if expression is None:
        return
    numbers = [ord(character) for character in choices] or [0]
    choose = chooser(numbers)
    for _ in range(3):
        check_coverage(expression, match_of(expression, choose))
    check_coverage(expression, choices)


def chooser(numbers: list[int]) -> Callable[[int], int]:
    """Return what chooses by numbers, over and over, as an input has only so many."""
    endless = cycle(numbers)
    return lambda most: next(endless) % most


def request_headers(data: bytes) -> None:
    """Check `Access-Control-Request-Headers`, and what of it is sent back."""
    method, text = split_texts(data)
    names = parse_names(text)
    if len(text) > 4_096:
        assert names is None
    else:
        parts = [part.strip(" \t") for part in text.split(",")]
        given = [part.lower() if part.isascii() else part for part in parts if part]
        assert names == (list(dict.fromkeys(given)) if len(given) <= 64 else None)
    asking = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": text}
    decision = WILDCARDS.decide(APP, "OPTIONS", asking)
    sent = dict(decision.headers)
    echoed = sent.get("Access-Control-Allow-Headers")
    assert echoed is None or (echoed.split(", ") == names and all(map(is_token, names)))
    methods = sent.get("Access-Control-Allow-Methods", "GET").split(", ")
    assert set(methods) <= {"GET", "HEAD", "POST", method}
    assert all(map(is_token, methods))
    assert decision.detail.isascii()
    assert decision.detail.isprintable()
