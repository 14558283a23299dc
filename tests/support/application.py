"""The application that every adapter is tested in front of, described once, without a framework."""

from __future__ import annotations

from typing import NamedTuple

Fields = list[tuple[str, str]]

PLAIN = ("Content-Type", "text/plain; charset=utf-8")


class CrashError(Exception):
    """The exception that the application raises at `/crash`."""


class Reply(NamedTuple):
    """The application's response, before any adapter has changed it."""

    status: int
    headers: Fields
    chunks: tuple[bytes, ...]


_REPLIES = {
    "/redirect": Reply(302, [("Location", "/items"), PLAIN], ()),
    "/not-modified": Reply(304, [("ETag", '"1"')], ()),
    "/missing": Reply(404, [PLAIN], (b"no such page",)),
    "/forbidden-method": Reply(405, [("Allow", "GET"), PLAIN], (b"only GET",)),
    "/too-large": Reply(413, [PLAIN], (b"too large",)),
    "/stream": Reply(200, [PLAIN], (b"one ", b"two ", b"three")),
    "/own-headers": Reply(
        200,
        [
            PLAIN,
            ("Access-Control-Allow-Origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("Access-Control-Allow-Methods", "TRACE"),
            ("Access-Control-Allow-Headers", "X-Own"),
            ("Access-Control-Max-Age", "1"),
            ("Access-Control-Expose-Headers", "X-Own, x-total"),
        ],
        (b"own",),
    ),
}
_VARY: dict[str, list[str]] = {
    "/vary-encoding": ["Accept-Encoding"],
    "/vary-origin": ["Origin"],
    "/vary-any": ["*"],
    "/vary-two-lines": ["Accept-Encoding", "Cookie"],
    "/vary-any-in-two-lines": ["Accept-Encoding", "*"],
    "/vary-mixed-case": ["accept-ENCODING, oRiGin"],
}


def reply_to(method: str, path: str) -> Reply:
    """Return the application's response; a path without one returns the method's name.

    An answer to HEAD is the one to GET without its content. Raises CrashError at `/crash`.
    """
    if path == "/crash":
        raise CrashError
    reply = _REPLIES.get(path) or Reply(200, [PLAIN], (method.encode(),))
    if path in _VARY:
        reply = reply._replace(headers=[PLAIN, *(("vary", value) for value in _VARY[path])])
    return reply._replace(chunks=()) if method == "HEAD" else reply
