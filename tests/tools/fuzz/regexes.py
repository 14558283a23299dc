"""Regular expressions: texts that one matches, and what must hold of the owners that it covers."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from ipaddress import ip_address
from typing import Any

from corsguard.origin import Origin, OriginError, is_ip_address
from corsguard.policy.redos import is_linear
from corsguard.policy.regex_ast import list_inexact_constructs
from corsguard.policy.regex_automaton import ALPHABET, Automaton, Budget, BudgetExceededError
from corsguard.policy.regex_coverage import RESERVED, Coverage, measure_coverage
from corsguard.public_suffix import find_suffix

Choose = Callable[[int], int]
"""Chooses a number below another."""

LONGEST_REPEAT = 3  # of one that has no end
CHARACTERS = "abcxyz019-._" + ALPHABET


def match_of(pattern: re.Pattern[str], choose: Choose) -> str:
    """Return a text that pattern matches as a whole, unless it looks around or back."""
    return _text(import_module("re._parser").parse(pattern.pattern, pattern.flags), choose)


def _text(node: Any, choose: Choose) -> str:
    return "".join(_text_of(operation, argument, choose) for operation, argument in node)


def _text_of(operation: Any, argument: Any, choose: Choose) -> str:
    name = operation.name
    if name == "LITERAL":
        return chr(argument)
    if name in {"IN", "NOT_LITERAL", "ANY"}:
        return _character(operation, argument, choose)
    if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, inner = argument
        times = least + choose(min(most - least, LONGEST_REPEAT) + 1)
        return "".join(_text(inner, choose) for _ in range(min(times, 300)))
    if name == "BRANCH":
        return _text(argument[1][choose(len(argument[1]))], choose)
    if name == "SUBPATTERN":
        return _text(argument[-1], choose)
    if name == "ATOMIC_GROUP":
        return _text(argument, choose)
    if name == "GROUPREF_EXISTS":
        return _text(argument[1 + choose(2)] or (), choose)
    return ""


def _character(operation: Any, argument: Any, choose: Choose) -> str:
    parser = import_module("re._parser")
    node = parser.SubPattern(parser.State(), [(operation, argument)])
    read = import_module("re._compiler").compile(node, 0).fullmatch
    found = [character for character in CHARACTERS if read(character)]
    return found[choose(len(found))] if found else ""


def check_coverage(pattern: re.Pattern[str], origin: str) -> None:
    """An origin that pattern matches has an owner that was counted, or there are too many."""
    if not is_linear(pattern):
        return
    check_automaton(pattern, origin)
    covered = measure_coverage(pattern)
    if covered is None:
        return
    for owners in covered:
        assert owners.too_many or not owners.example
        if owners.example:
            assert pattern.fullmatch(owners.example)
            Origin.parse(owners.example)
    try:
        parsed = Origin.parse(origin)
    except OriginError:
        return
    if not parsed.opaque and pattern.fullmatch(origin):
        assert is_counted(covered, parsed) or is_of_an_open_scheme(pattern, covered, parsed)


def check_automaton(pattern: re.Pattern[str], text: str) -> None:
    """The automaton accepts what `re` matches, and nothing else where it can read the pattern."""
    if not set(ALPHABET).issuperset(text):
        return
    try:
        accepted = accepts(Automaton(pattern, Budget(100_000)), text)
    except BudgetExceededError:
        return
    matched = pattern.fullmatch(text) is not None
    assert accepted or not matched
    is_exact = not list_inexact_constructs(pattern) and not re.search(
        r"[\^$]|\\[AZ]", pattern.pattern
    )
    assert matched or not accepted or not is_exact


def accepts(automaton: Automaton, text: str) -> bool:
    """Run an automaton."""
    if not text:
        return bool(automaton.empty)
    places = {0}
    for character in text:
        following = {after for place in places for after in automaton.edges[place]}
        places = {place for place in following if character in automaton.reads[place]}
    return not automaton.ends.isdisjoint(places)


def is_counted(covered: Coverage, origin: Origin) -> bool:
    """Return True if the owner of origin is among those that were counted, or no owner is."""
    host = origin.host
    if covered.registered.too_many:
        return True
    if origin.scheme not in {"http", "https"}:
        return covered.ids.too_many or host in covered.ids.names
    if is_ip_address(host):
        bare = host.strip("[]")
        return not ip_address(bare).is_global or bare in covered.registered.names
    labels = host.removesuffix(".").split(".")
    if labels[-1] in RESERVED:
        return True
    suffix = find_suffix(host)
    owners = covered.hosted if suffix.private else covered.registered
    return owners.too_many or ".".join(labels[-suffix.labels - 1 :]) in owners.names


def is_of_an_open_scheme(pattern: re.Pattern[str], covered: Coverage, origin: Origin) -> bool:
    """Return True if pattern covers the same host over https or http, and it was counted.

    Hosts with dots that https can't have need not be.
    """
    for scheme in ("https", "http"):
        other = origin._replace(scheme=scheme)
        if pattern.fullmatch(str(other)):
            try:
                return is_counted(covered, Origin.parse(str(other)))
            except OriginError:
                return "." in origin.host
    return False
