"""Grammars of origins as automata, to find the origins that a pattern covers.

Each accepts every origin of its kind that Origin.parse accepts. `any` and `secure` accept little
else: hosts that are too long, and IPv6 addresses that browsers compress further. The others accept
more invalid origins, such as those with default ports. Their first group is counted: a host or an
id.
"""

from __future__ import annotations

import re
from functools import cache

from corsguard.policy.regex_automaton import Automaton, Budget

__all__ = ["build_origin_automaton"]

_SCHEME_CHARACTER = "[a-z0-9+.-]"
_OCTET = "(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
_GROUP = "(?:0|[1-9a-f][0-9a-f]{0,3})"
# Any but fc00::/7 (RFC 4193) and fe80::/10 (RFC 4291), which are not routed between networks.
_FIRST_GROUP = (
    "(?:0|[1-9a-f][0-9a-f]{0,2}|[1-9a-e][0-9a-f]{3}|f[0-9abf][0-9a-f]{2}|fe[0-7c-f][0-9a-f])"
)
_PORT = "(?::[1-9][0-9]*)?"
_OPAQUE = r"(?:[A-Za-z0-9._-]+|\[[0-9a-f:]+\])"
# The last label is not a number (URL standard, "ends in a number checker").
_WORD = "(?:[a-z_-]|[1-9][0-9]*[a-z_-]|0[0-9]+[a-z_-]|0[a-wyz_-]|0x[0-9a-f]*[g-z_-])"

# For `any` and `secure`, exactly.
_LABELS = r"(?:[a-z0-9_-]{1,63}\.)*"
_GROUPS = f"{_GROUP}(?::{_GROUP})"
_IPV6 = rf"\[(?:{_GROUPS}{{7}}|(?:{_GROUPS}*)?::(?:{_GROUPS}*)?)\]"
_WEB_HOST = rf"(?:{_LABELS}{_WORD}[a-z0-9_-]{{0,62}}\.?|{_OCTET}(?:\.{_OCTET}){{3}}|{_IPV6})"
_LOOPBACK = rf"(?:{_LABELS}localhost\.?|127(?:\.{_OCTET}){{3}}|\[::1\])"
_OTHER_LABEL = "[A-Za-z0-9_-]{1,63}"
_OTHER_HOST = rf"(?:(?:{_OTHER_LABEL}\.)*{_OTHER_LABEL}\.?|\.|{_IPV6})"
_FIVE_DIGITS = "[1-5][0-9]{4}|6(?:[0-4][0-9]{3}|5(?:[0-4][0-9]{2}|5(?:[0-2][0-9]|3[0-5])))"
_PORTS = {
    "https": "[1-9][0-9]?|(?:[1-35-9][0-9]|4[0-35-9])[0-9]|44[0-24-9]|[1-9][0-9]{3}",
    "http": "[1-9]|[1-79][0-9]|8[1-9]|[1-9][0-9]{2,3}",
    "": "[1-9][0-9]{0,3}",
}
"""Scheme -> its ports of up to four digits, without the default port, which origins omit."""


@cache
def build_origin_automaton(name: str) -> Automaton:
    """Return the automaton of one kind of origins, a key of `_build_expressions`."""
    return Automaton(re.compile(_build_expressions()[name]), Budget(1_000_000))


@cache
def _build_expressions() -> dict[str, str]:
    """Return kind of origins -> regular expression."""
    other = f"{_build_other_schemes('http', 'https')}://"
    others = f"{other}({_OPAQUE}){_PORT}"
    domain = rf"(?:[a-z0-9_-]+\.)*{_WORD}[a-z0-9_-]*"
    some_groups = f"{_GROUP}(?::{_GROUP})*"
    start = f"{_FIRST_GROUP}(?::{_GROUP})*"
    ipv6 = f"{_FIRST_GROUP}(?::{_GROUP}){{7}}|(?:{start})?::(?:{some_groups})?"
    secure = f"https://{_WEB_HOST}{_build_port('https')}|{other}{_OTHER_HOST}{_build_port('')}"
    return {
        "any": f"{secure}|http://{_WEB_HOST}{_build_port('http')}",
        "secure": f"{secure}|http://{_LOOPBACK}{_build_port('http')}",
        "domain": rf"https?://({domain})\.?{_PORT}",
        "IPv4": f"https?://({_build_public_ipv4()}){_PORT}",
        "IPv6": rf"https?://\[({ipv6})\]{_PORT}",
        "id": others,
        "id but for https": f"{other}([A-Za-z0-9_-]*[A-Z][A-Za-z0-9_-]*|[0-9]+|0x[0-9a-f]*){_PORT}",
    }


def _build_port(scheme: str) -> str:
    return f"(?::(?:{_PORTS[scheme]}|{_FIVE_DIGITS}))?"


def _build_public_ipv4() -> str:
    """Return a regular expression of the public IPv4 addresses.

    Excluded are this network (RFC 791), private (RFC 1918), loopback (RFC 1122), link-local
    (RFC 3927) and multicast addresses (RFC 1112).
    """
    partly = {
        169: _build_alternatives(range(256), but=[254]),
        172: _build_alternatives(range(256), but=range(16, 32)),
        192: _build_alternatives(range(256), but=[168]),
    }
    first = _build_alternatives(range(1, 224), but=[10, 127, *partly])
    heads = "|".join(rf"{number}\.{second}" for number, second in partly.items())
    return rf"(?:{first}\.{_OCTET}|{heads})\.{_OCTET}\.{_OCTET}"


def _build_alternatives(numbers: range, but: range | list[int]) -> str:
    return f"(?:{'|'.join(str(number) for number in numbers if number not in but)})"


def _build_other_schemes(*names: str) -> str:
    """Return a regular expression of all schemes but names."""
    parts = []
    for start in dict.fromkeys(name[:length] for name in names for length in range(len(name) + 1)):
        on_the_way = {
            name[len(start)] for name in names if name.startswith(start) and name != start
        }
        first = sorted(set(_SCHEME_CHARACTERS if start else _LETTERS) - on_the_way)
        others = f"[{''.join(map(re.escape, first))}]{_SCHEME_CHARACTER}*"
        may_end = start and start not in names
        parts.append(f"{start}(?:{others})?" if may_end else f"{start}{others}")
    return f"(?:{'|'.join(parts)})"


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SCHEME_CHARACTERS = f"{_LETTERS}0123456789+.-"
