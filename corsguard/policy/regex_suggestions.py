"""Regular expressions and globs that were written as strings, where a policy needs `re.compile`.

Start-up only.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from random import Random

from corsguard.origin import MAX_LENGTH, Origin, OriginError, OriginPattern
from corsguard.policy.origin_grammar import build_origin_automaton
from corsguard.policy.regex_automaton import (
    Budget,
    BudgetExceededError,
    build_automaton,
    decode_mask,
)
from corsguard.policy.regex_intersection import Intersection
from corsguard.policy.safety import is_open_to_anyone

__all__ = [
    "add_scheme",
    "compile_expression",
    "convert_glob",
    "expand_host_end",
    "format_compile_call",
    "is_under_suffix",
    "is_within",
    "matches_origins",
    "narrow_expression",
    "remove_path",
]

_MAX_LENGTH = 1_000  # of a text that is parsed as an expression
_MAX_STEPS = 100_000  # a tenth of a second at most
_MAX_SAMPLES = 40
_SYNTAX = re.compile(r"[\\()\[\]{}^$+|?]|\.\*")
_ADDRESS = re.compile(r"(?:[a-z]+://)?\[[^\]]*(?:\](?=[:/]|$)|$)", re.IGNORECASE)  # IPv6
_ANCHORS = re.compile(r"^(?:\^|\\A)|(?:\$|\\Z)$")
_GLOB = re.compile(r"(https?|[a-z][a-z0-9+.-]*)://([a-z0-9._*-]+)((?::[0-9*]+)?)")
_PATH = re.compile(r"(?<![/\\])(?:\\?/\*?|\\?/\.\*|\(\\?/\.\*\)\??|\\?/\?)(\$?)$")
# The beginnings of expressions that match at any dot of a host: `\.` and `(^|\.)`.
_AFTER_A_DOT = re.compile(
    r"\A(?P<scheme>\^?[a-z?*()]+:\\?/\\?/)?\^?"
    r"(?:\\\.|\((?:\?:)?(?:\^\|(?:\.[*+])?\\\.|(?:\.[*+])?\\\.\|\^)\))(?=[a-z0-9])"
)
_TWO_CHARACTERS = re.compile(r"[a-z0-9/-]\?\?")  # of a glob, where each `?` is a character
_LAST_LABELS = re.compile(r"((?:\\\.[a-z0-9-]+)+)(?=$|[:($])")
_LABEL = "[a-z0-9-]+"
# A repeat of (nearly) any character, a counted dot, an escape, a class, and a bare dot.
_PARTS = re.compile(
    r"(?P<label>(?:\.|\\S|\[\^[./:\\]+\])[*+]\??)|(?P<counted>\.(?=\{))|\\."
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<dot>\.)"
)


def compile_expression(text: str) -> re.Pattern[str] | None:
    """Compile text, or return None where it does not look like a regular expression."""
    if len(text) > _MAX_LENGTH or not _SYNTAX.search(text) or _ADDRESS.match(text):
        return None
    if not text.isascii() or not text.isprintable() or " " in text or "://*" in text:
        return None
    if _TWO_CHARACTERS.search(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning of `re` would name this line
            return re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return None


def add_scheme(source: str) -> str:
    """Return the expression with https in front of it where it has no scheme."""
    if "://" in source.replace(r"\/", "/"):
        return source
    return f"https://{_ANCHORS.sub('', source)}"


def expand_host_end(source: str) -> str:
    """Return an expression that begins with a dot, with `.*` for the labels before that dot."""
    return _AFTER_A_DOT.sub(r"\g<scheme>.*\\.", source)


def narrow_expression(source: str) -> str | None:
    """Return an expression that covers no more than source, and in which each dot is escaped.

    A repeat of any character (`.*`) becomes one label of a host. None for a negative look-around
    (`(?!`): a narrower one would cover more.
    """
    if "(?!" in source or "(?<!" in source:
        return None
    return _PARTS.sub(_narrow_part, _ANCHORS.sub("", add_scheme(source)))


def _narrow_part(match: re.Match[str]) -> str:
    if match["label"]:
        return _LABEL
    if match["counted"]:
        return _LABEL.removesuffix("+")
    return r"\." if match["dot"] else match[0]


def convert_glob(text: str) -> str | None:
    """Return the expression for a glob, or None where text is not one.

    A glob is an origin with `*` for some characters of a label or of a port.
    """
    match = _GLOB.fullmatch(text.lower())
    if match is None or "*" not in match[2] + match[3].removeprefix(":*"):
        return None
    scheme, host, port = match.groups()
    try:  # with a digit for each `*`
        Origin.parse(f"{scheme}://{host.replace('*', '7')}{port.replace('*', '7')}")
    except OriginError:
        return None
    is_address = set(host) <= set("0123456789.*") and any(map(str.isdigit, host))
    host = host.replace(".", r"\.").replace("*", "[0-9]+" if is_address else _LABEL)
    port = r"(?::[0-9]{1,5})?" if port == ":*" else port.replace("*", "[0-9]+")
    return f"{scheme}://{host}{port}"


def remove_path(text: str) -> str:
    """Return an expression without the slash or the path after its host."""
    return _PATH.sub(r"\1", text) if "://" in text.replace(r"\/", "/") else text


def is_under_suffix(expression: str) -> bool:
    """Return True if expression ends with a dot and a suffix under which anyone can register."""
    host = _LAST_LABELS.search(expression)
    return host is not None and is_open_to_anyone(f"https://*{host[1]}".replace("\\", ""))


def is_within(pattern: str, expression: re.Pattern[str]) -> bool:
    """Return True if expression matches a sample of each kind of origin that pattern covers."""
    return all(
        expression.fullmatch(origin) for origin in _yield_samples(OriginPattern.parse(pattern))
    )


def _yield_samples(pattern: OriginPattern) -> Iterator[str]:
    """Yield origins that pattern covers, with each number of labels and each length of port."""
    prefixes = ["a.", "b-7.", "xn--a.b.c."] if pattern.subdomains else [""]
    if pattern.label:
        prefixes = [f"{pattern.label.replace('*', each)}." for each in ("a", "b-7", "0--z")]
    # With any port, the default one as well, which an origin leaves out.
    ports = ("7", "3000", "65535") if pattern.port == "*" else (pattern.port,)
    for prefix in prefixes:
        for port in ports:
            yield f"{pattern.scheme}://{prefix}{pattern.host}{port and ':'}{port}"


def matches_origins(expression: re.Pattern[str]) -> bool:
    """Return True if expression matches one of some origins that its automaton accepts.

    The automaton alone is not exact: it ignores look-arounds and anchors in the middle.
    """
    try:
        found = Intersection(
            build_automaton(expression), build_origin_automaton("any"), Budget(_MAX_STEPS)
        )
    except (BudgetExceededError, RecursionError):
        return False
    random = Random(0)  # noqa: S311  # for variety, the same on every run
    texts = (_draw_text(found, random) for _ in range(_MAX_SAMPLES if found.ends else 0))
    return any(map(expression.fullmatch, texts))


def _draw_text(found: Intersection, random: Random) -> str:
    """Return a random text that both automata accept, or the end of one that is very long."""
    text = ""
    state = random.choice(found.ends)
    while state and len(text) < MAX_LENGTH:
        text = random.choice([*decode_mask(found.mask(state))]) + text
        state = random.choice(found.earlier[state])
    return text


def format_compile_call(expression: str) -> str:
    """Return the Python code that compiles expression."""
    raw = '"' not in expression and not expression.endswith("\\")
    return f're.compile(r"{expression}")' if raw else f"re.compile({expression!r})"
