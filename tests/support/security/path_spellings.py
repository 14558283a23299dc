"""Spellings of a path, as they are on the wire, that a router may take for the path itself."""

from __future__ import annotations

from collections.abc import Iterator

_DOTS = ("..", ".%2e", "%2e%2e", "%252e%252e", "%c0%ae%c0%ae", "..;", "%ef%bc%8e%ef%bc%8e")
_SLASHES = ("/", "%2f", "%252f", "%5c", "\\", "%c0%af", "%e2%81%84", "%ef%bc%8f", "//", "///")
_BYTES = [
    *(code for code in range(0x80) if not chr(code).isalnum()),
    *(0x80, 0x85, 0xA0, 0xAD, 0xBF, 0xC0, 0xC3, 0xE2, 0xED, 0xF0, 0xF4, 0xF5, 0xFE, 0xFF),
]
_DOT = (".", "%2e", "%252e", ";", ".;")


def list_spellings(path: str) -> Iterator[str]:
    """Yield spellings of path, the plain one first; to most routers, most are other paths."""
    segments = path[1:].split("/")
    yield path
    yield from _separated(segments)
    yield from _with_dots(path, segments)
    yield from _encoded(path, segments)
    for code in _BYTES:  # in every place where a router may drop or cut it
        byte = f"%{code:02x}"
        for segment in (f"{byte}{segments[-1]}", f"{segments[-1][:2]}{byte}{segments[-1][2:]}"):
            yield "/" + "/".join([*segments[:-1], segment])
        yield f"{path}{byte}"
        yield f"{path}{byte}/x"
        yield f"{byte}{path}"
    yield f"{path}%0d%0a"
    yield f"{path}%00.html"


def _separated(segments: list[str]) -> Iterator[str]:
    for slash in _SLASHES:
        yield slash + "/".join(segments)
        yield "/" + slash.join(segments)
        yield "/" + "/".join(segments) + slash
    yield "/".join(segments)  # without its first slash
    yield "https://api.example.com/" + "/".join(segments)  # RFC 9112, 3.2.2: absolute form


def _with_dots(path: str, segments: list[str]) -> Iterator[str]:
    first, *rest = segments
    for dot in _DOT:
        yield f"/{dot}{path}"
        yield f"/{first}/{dot}/{'/'.join(rest)}"
        yield f"{path}/{dot}"
        yield f"{path}{dot}"
    for dots in _DOTS:
        for slash in _SLASHES[:5]:
            yield f"/public{slash}{dots}{path}"
            yield f"/{first}/x{slash}{dots}/{'/'.join(rest)}"
            yield f"/{dots}{path}"
            yield f"{path}/x{slash}{dots}"
            yield f"/public/{dots}{slash}{path[1:]}"


def _encoded(path: str, segments: list[str]) -> Iterator[str]:
    whole = "".join(f"%{ord(character):02x}" for character in path[1:])
    yield f"/{whole}"
    yield f"/{whole.replace('%', '%25')}"
    yield path.upper()
    yield path.title()
    last = segments[-1]
    head = path.removesuffix(last)
    yield f"{head}%{ord(last[0]):02x}{last[1:]}"
    yield f"{head}%25{ord(last[0]):02x}{last[1:]}"
    yield f"{head}{last[0].upper()}{last[1:]}"
    # A full-width letter, a combining accent, a dotless i, a soft hyphen, a mark of byte order
    yield f"{head}%ef%bd%{0x20 + ord(last[0]):02x}{last[1:]}"
    yield f"{path}%cc%81"
    yield path.replace("i", "%c4%b1")
    yield path.replace("i", "%c4%b0")
    for invisible in ("%c2%ad", "%ef%bb%bf", "%e2%80%8b", "%e2%80%a8", "%c2%a0", "%ef%bf%bd"):
        yield f"{path}{invisible}"
        yield f"{head}{last[0]}{invisible}{last[1:]}"
