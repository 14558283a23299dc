"""Origins that are made to pass for another one, by rule, from an origin that a policy covers.

Each is a value on the wire: bytes, shown as latin-1, as both PEP 3333 and ASGI have them. No
policy covers any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from re import Pattern
from typing import NamedTuple
from urllib.parse import urlsplit

from corsguard.policy.predicates import Predicate

EVIL = "evil.example"


class Target(NamedTuple):
    """An entry of a policy, and an origin that it covers."""

    kind: str
    listed: str | Pattern[str] | Predicate
    scheme: str
    host: str
    domain: str
    """The host that the attacker does not have, nor what is below it."""
    port: str = ""
    any_port: bool = False
    neighbours: Sequence[str] = ()
    """Hosts of the same owner that are not covered."""

    @property
    def covered(self) -> str:
        return f"{self.scheme}://{self.host}{self.port}"


PREDICATE_CALLS: list[str] = []
"""The origins that the callable received."""


def is_tenant(origin: str) -> bool:
    """Return True for the tenant's origin, parsed naively: many probes would pass it."""
    PREDICATE_CALLS.append(origin)
    url = urlsplit(origin)
    return url.scheme == "https" and url.hostname == "tenant.example.com"


TARGETS = [
    Target("exact", "https://example.com", "https", "example.com", "example.com",
           neighbours=["www.example.com", "a.b.example.com", "com", "exampl.com"]),
    Target("exact port", "https://example.com:8443", "https", "example.com", "example.com",
           ":8443", neighbours=["www.example.com"]),
    Target("subdomain", "https://*.example.com", "https", "app.example.com", "example.com",
           neighbours=["example.com"]),
    Target("port", "https://example.com:*", "https", "example.com", "example.com", ":8443",
           any_port=True, neighbours=["www.example.com"]),
    Target("both", "https://*.example.com:*", "https", "app.example.com", "example.com", ":8443",
           any_port=True, neighbours=["example.com"]),
    Target("regex", re.compile(r"https://pr-\d+\.example\.com"), "https", "pr-7.example.com",
           "example.com", neighbours=["example.com", "pr-.example.com", "pr-7.pr-8.example.com"]),
    Target("label", "https://pr-*.example.com", "https", "pr-7.example.com", "example.com",
           neighbours=["example.com", "pr-.example.com", "pr-7.pr-8.example.com", "pr.example.com",
                       "pr-7_8.example.com", "pr-7.sub.example.com", "sub.pr-7.example.com",
                       "xpr-7.example.com"]),
    Target("label and port", "https://*-web.example.com:*", "https", "pr-web.example.com",
           "example.com", ":8443", any_port=True,
           neighbours=["-web.example.com", "web.example.com", "a.pr-web.example.com"]),
    Target("callable", is_tenant, "https", "tenant.example.com", "tenant.example.com",
           any_port=True, neighbours=["example.com", "other.example.com"]),
    Target("address", "https://192.0.2.1", "https", "192.0.2.1", "192.0.2.1",
           neighbours=["192.0.2.10", "192.0.2", "1.192.0.2.1"]),
    Target("IPv6 address", "https://[2001:db8::1]", "https", "[2001:db8::1]", "[2001:db8::1]",
           neighbours=["[2001:db8::10]", "[2001:db8::]"]),
    Target("loopback", "http://localhost:*", "http", "localhost", "localhost", ":3000",
           any_port=True, neighbours=["127.0.0.1", "[::1]", "app.localhost", "0.0.0.0"]),
]  # fmt: skip


def build_probes(target: Target) -> dict[str, list[str]]:
    """Return kind -> origins that no policy of the target covers."""
    return {name: list(dict.fromkeys(make(target))) for name, make in _MAKERS.items()}


def _reflected(target: Target) -> Iterator[str]:
    yield from (f"https://{EVIL}", f"http://{EVIL}", f"https://{EVIL}{target.port or ':8443'}", "")
    yield from (f"{target.scheme}://{host}{target.port}" for host in target.neighbours)


def _null(target: Target) -> Iterable[str]:
    return [
        "null", "NULL", "Null", "nulL", " null", "null ", "null\t", "null\n", "null\0", "\0null",
        "null/", "'null'", '"null"', "nu%6cl", "null,null", "null null", f"null,{target.covered}",
        f"{target.covered},null", "null.", "null:", "null://", "null://null", "https://null",
        f"null.{target.domain}", "undefined", "none", "None", "nil", "false", "0", "about:blank",
        "data:,x", "file://", "file:///", f"blob:{target.covered}", f"filesystem:{target.covered}",
    ]  # fmt: skip


def _prefix(target: Target) -> Iterator[str]:
    for host in {target.host, target.domain}:
        for end in (f".{EVIL}", f"-{EVIL}", f"evil{EVIL}", "x", ".x", "-", "0"):
            yield f"{target.scheme}://{host}{end}{target.port}"
            if not (target.any_port and end == "0"):  # that is but another port
                yield f"{target.scheme}://{host}{target.port}{end}"
    for end in ("/", "/.", "/x", "?", "?x", "#", "#x", "\\", "%", "%00", "%0a", "&", ";", ","):
        yield f"{target.covered}{end}"
    yield f"{target.scheme}://{target.host[:-1]}{target.port}"


def _suffix(target: Target) -> Iterator[str]:
    for start in ("evil", "evil-", "not", "x", "0", "-"):
        yield f"{target.scheme}://{start}{target.domain}{target.port}"
    yield from (f"x{target.covered}", f"x://{target.covered}", f"https://{target.covered}")
    yield from (f"//{target.host}", f"://{target.host}", target.host, f"{target.host}:443")
    yield target.covered[1:]


def _substring(target: Target) -> Iterator[str]:
    for text in (target.covered, target.host, target.domain):
        for between in ("/", "?", "#", "\\", "?x=", "/#", "//", ":", "%2f", "%23", "%5c", "&"):
            yield f"https://{EVIL}{between}{text}"
            yield f"https://{EVIL}{between}.{text}"
        yield f"https://{text}.{EVIL}"
        yield f"https://x.{text}.{EVIL}"


def _dots(target: Target) -> Iterator[str]:
    for other in ("x", "-", "_", "%2e", "%2E", ",", ":", "/", "\\.", "..", ". ", "", " "):
        for host in {target.host.replace(".", other), other.join(target.host.rsplit(".", 1))}:
            # "example" + "" + "com" is one host, and so is every other with a letter for a dot
            if host != target.host:
                yield f"{target.scheme}://{host}{target.port}"
    yield f"{target.scheme}://{target.host}.{target.port}"


def _special(target: Target) -> Iterator[str]:
    for character in "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~":
        yield f"{target.scheme}://{EVIL}{character}.{target.domain}{target.port}"
        yield f"{target.scheme}://{EVIL}{character}{target.domain}{target.port}"
        yield f"{target.scheme}://{target.host}{character}{target.port}"
        yield f"{target.scheme}://{target.host}{target.port}{character}.{EVIL}"
        yield f"{target.scheme}://{character}{target.host}{target.port}"
    yield f"{target.scheme}://{target.host}_.{EVIL}{target.port}"
    yield f"{target.scheme}://_{target.domain}{target.port}"


def _downgrade(target: Target) -> Iterator[str]:
    rest = f"{target.host}{target.port}"
    other = "http" if target.scheme == "https" else "https"
    for scheme in (
        other, "HTTP", "HTTPS", "Https", "ws", "wss", "ftp", "file", "httpx", "httpsx", "xhttps",
        "https+x", "http-s", "javascript", "chrome-extension", "app", "capacitor", "https%3a",
        "https ", " https", "\0https", "1https", "",
    ):  # fmt: skip
        yield f"{scheme}://{rest}"
    for separator in (
        ":",
        ":/",
        ":///",
        ":////",
        "//",
        "/",
        ":\\\\",
        ":\\/",
        "%3a//",
        ": //",
        "::/",
    ):
        yield f"{target.scheme}{separator}{rest}"


def _ports(target: Target) -> Iterator[str]:
    base = f"{target.scheme}://{target.host}"
    for port in (
        "", "0", "00", "65536", "99999", "100000", "08443", "-1", "+1", "a", "8443a", "a8443",
        " 8443", "8443 ", "8443.", "8443:", "8443:8443", "8443/", "8443@", "*", "0x20fb", "8_443",
        "8443,443", "80" if target.scheme == "http" else "443", "4294967739", "1" * 300,
        "\xb2", _wire("٣"),
    ):  # fmt: skip
        yield f"{base}:{port}"
    if not target.any_port:
        yield from (f"{base}:{port}" for port in (1, 80, 8080, 8444, 65535))
        yield from (f"{base}{target.port}{digit}" for digit in (0, 3) if target.port)


def _case(target: Target) -> Iterator[str]:
    rest = f"{target.host}{target.port}"
    yield from (f"HTTP{target.scheme[4:]}://{rest}", f"hTTP{target.scheme[4:]}://{rest}")
    for changed in (str.upper, str.title, str.capitalize, str.swapcase):
        yield changed(target.covered)
        host = changed(target.host)
        if host != target.host:  # an address may have no letters
            yield f"{target.scheme}://{host}{target.port}"


def _lists(target: Target) -> Iterator[str]:
    evil = f"https://{EVIL}"
    for between in (",", ", ", " ", ";", "; ", "|", "\t", "\n", "\r\n", "\0", "%20", "%0d%0a", "&"):
        for one, other in (
            (target.covered, evil), (evil, target.covered), (target.covered, target.covered),
            (target.covered, "*"), ("", target.covered), (target.covered, ""),
        ):  # fmt: skip
            yield f"{one}{between}{other}"
    yield from (f'"{target.covered}"', f"'{target.covered}'", f"<{target.covered}>")
    yield f'["{target.covered}"]'


def _empty_labels(target: Target) -> Iterator[str]:
    for host in (".", "..", "", f".{target.host}", f"..{target.host}", f"{target.host}.",
                 f"{target.host}..", f"a..{target.host}", f".{EVIL}.{target.domain}",
                 f"{EVIL}..{target.domain}"):  # fmt: skip
        yield f"{target.scheme}://{host}{target.port}"


def _userinfo(target: Target) -> Iterator[str]:
    rest = f"{target.host}{target.port}"
    for start in (
        "@",
        "a@",
        "a:b@",
        ":@",
        ":b@",
        f"{EVIL}@",
        f"{EVIL}:443@",
        "a@b@",
        "%40",
        "a%40",
    ):
        yield f"{target.scheme}://{start}{rest}"
    for end in ("@", "@.", ":@", "%40", ":443@", ":b@", "\\@", "/@", "#@", "?@"):
        yield f"{target.scheme}://{rest}{end}{EVIL}"


def _inserted(target: Target, texts: Iterable[str]) -> Iterator[str]:
    at = len(target.scheme) + 3
    for text in texts:
        for place in (0, 4, at, at + 2, at + len(target.host), len(target.covered)):
            yield target.covered[:place] + text + target.covered[place:]


def _white_space(target: Target) -> Iterator[str]:
    spaces = (" ", "  ", "\t", "\n", "\r", "\r\n", "\r\n ", "\v", "\f", "\x85", "\xa0", "+", "%20")
    yield from _inserted(target, (*spaces, *map(_wire, "\u2003\u2028\u3000\ufeff")))


def _control(target: Target) -> Iterator[str]:
    yield from _inserted(target, "\0\1\x07\x08\x0e\x1b\x1f\x7f\x80\x9f")
    yield from (f"{target.covered}{chr(code)}" for code in (*range(0x20), *range(0x7F, 0xA0)))


def _wire(text: str) -> str:
    """Return text as UTF-8 on the wire, which a client other than a browser may send."""
    return text.encode().decode("latin-1")


_LOOK_ALIKE = str.maketrans("aeopclmxth019s", "аеорсⅼⅿхτһ０１９ѕ")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _homographs(target: Target) -> Iterator[str]:
    host, last = target.host, target.host.rpartition(".")[2]
    for other in (
        host.translate(_LOOK_ALIKE),
        host.translate(_FULL_WIDTH),
        host.replace(last, last.translate(_FULL_WIDTH)),
        *(host.replace(".", dot) for dot in "\u3002\uff0e\u2024\xb7\uff61" if "." in host),
        *(f"{host[:2]}{mark}{host[2:]}" for mark in "\xad\u200b\u200d\u0301\u202e\u2060"),
        f"{host}\u0338",
        f"{host}\uff0f.{EVIL}",
        f"{EVIL}\uff0f{host}",
        f"{EVIL}\u2100.{host}",
    ):
        yield _wire(f"{target.scheme}://{other}{target.port}")
        yield f"{target.scheme}://{other}{target.port}".encode().decode("latin-1").lower()
    yield _wire(f"https\uff1a//{host}{target.port}")
    yield f"{target.scheme}://ex\xe1mple.com{target.port}"
    yield f"{target.scheme}://xn--exmple-4nf.com{target.port}"
    yield f"{target.scheme}://xn--{target.domain}{target.port}"


def _addresses(target: Target) -> Iterator[str]:
    for host in (
        "3221225985", "0xc0000201", "0300.0.2.1", "192.0.513", "192.513", "192.0.2.01",
        "192.0.2.1.", "0xc0.0.2.1", "192.0.2.257", "192.0.2.1.1", "[::ffff:192.0.2.1]",
        "[::ffff:c000:201]",
        "[2001:DB8::1]", "[2001:0db8::1]", "[2001:db8:0:0:0:0:0:1]", "[2001:db8::0:1]",
        "2001:db8::1", "[2001:db8::1%25eth0]", "[2001:db8::1", "2001:db8::1]",
        "[[2001:db8::1]]", "[v1.x]", "[]",
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "0177.0.0.1",
        "127.0.0.1.", "[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[::127.0.0.1]", "[::]",
        "0", "0.0.0.0",
        "localhost.", "LOCALHOST", "localhost.localdomain", "localhostx", "xlocalhost",
        f"localhost.{EVIL}", "127.0.0.1.nip.io", f"192.0.2.1.{EVIL}",
    ):  # fmt: skip
        yield f"{target.scheme}://{host}{target.port}"


def _length(target: Target) -> Iterator[str]:
    for host in (f"{'a' * 64}.{target.domain}", f"{'a.' * 126}{target.domain}",
                 f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 63}.{target.domain}",
                 f"{target.domain}.{'a' * 60}.{EVIL}",
                 f"{'a' * 100_000}.{target.domain}"):  # fmt: skip
        yield f"{target.scheme}://{host}{target.port}"
    yield f"{'h' * 65}://{target.host}{target.port}"
    yield f"{target.covered}{'/' * 400}"
    yield target.covered * 40
    yield f"{' ' * 400}{target.covered}"


def _wildcards(target: Target) -> Iterator[str]:
    yield from (
        "*",
        "**",
        "*.*",
        "%2a",
        "https://*",
        "https://*:*",
        "http://*",
        "*://*",
        ".*",
        "^",
        "$",
    )
    for label in ("*", "**", "?", "%", ".*", "[a-z]+", r"\w+", "{x}", "<x>", "*.*", "^", "(a|b)"):
        yield f"{target.scheme}://{label}.{target.domain}{target.port}"
        yield f"{target.scheme}://{label}{target.domain}{target.port}"
    yield from (f"{target.scheme}://{target.host}:*", f"{target.scheme}://{target.host}.*")
    yield rf"https://pr-\d+\.example\.com{target.port}"
    yield target.covered.replace(".", r"\.") + "$"


_MAKERS = {
    "reflection": _reflected,
    "null": _null,
    "prefix": _prefix,
    "suffix": _suffix,
    "substring": _substring,
    "dots": _dots,
    "special characters": _special,
    "downgrade": _downgrade,
    "ports": _ports,
    "case": _case,
    "lists and delimiters": _lists,
    "empty labels": _empty_labels,
    "userinfo": _userinfo,
    "white space": _white_space,
    "control bytes": _control,
    "non-ASCII and homographs": _homographs,
    "spellings of addresses": _addresses,
    "length": _length,
    "wildcards": _wildcards,
}
