"""Routes: the policy that applies to each path."""

from __future__ import annotations

from support.table import APP, Row, cors, origin, preflight

from corsguard import Guard, Policy, Reason


def _exposing(name: str) -> Policy:
    return Policy(allow_origins=[APP], expose_headers=[name])


ROUTES = {
    "/": _exposing("X-Root"),
    "/api": _exposing("X-Api"),
    "/api/v1/admin": _exposing("X-Admin"),
    "/api/off": None,
    "/slash/": _exposing("X-Slash"),
    "/caf\xe9": _exposing("X-Cafe"),
    "/\u65e5\u672c": _exposing("X-Japan"),
}


def routed() -> Guard:
    return Guard(ROUTES)


def routed_backwards() -> Guard:
    return Guard(dict(reversed(ROUTES.items())))


def everywhere() -> Guard:
    return Guard(_exposing("X-All"))


def _row_at(name: str, path: str, what: str) -> list[Row]:
    """Build a row where the policy that exposes `name` applies, in any order of the routes."""
    expected = cors(allow_origin=APP, expose_headers=name, vary="Origin")
    return [
        Row(f"{what}: {path!r}, {order}", guard, Reason.ALLOWED,
            path=path, headers=origin(APP), cors=expected)
        for order, guard in (("in order", routed), ("backwards", routed_backwards))
    ]  # fmt: skip


def _held_by_none(path: str, what: str) -> Row:
    return Row(f"{what}: {path!r}", routed, Reason.NO_POLICY, path=path, headers=origin(APP))


def _everywhere(path: str) -> Row:
    name = f"one policy for every path, whatever the path looks like: {path!r}"
    expected = cors(allow_origin=APP, expose_headers="X-All", vary="Origin")
    return Row(name, everywhere, Reason.ALLOWED, path=path, headers=origin(APP), cors=expected)


PATH_ROWS = [
    *_row_at("X-Root", "/", "the root"),
    *_row_at("X-Root", "", "an empty path is /"),
    *_row_at("X-Root", "/items", "the root covers the rest"),
    *_row_at("X-Api", "/api", "a prefix covers itself"),
    *_row_at("X-Api", "/api/", "a prefix covers itself with a slash"),
    *_row_at("X-Api", "/api/x/y", "a prefix covers whole segments"),
    *_row_at("X-Root", "/apix", "a prefix covers no other name"),
    *_row_at("X-Root", "/API", "paths are case-sensitive"),
    *_row_at("X-Admin", "/api/v1/admin/x", "the longest wins"),
    *_row_at("X-Api", "/api/v1/admins", "the longest that covers whole segments wins"),
    *_row_at("X-Slash", "/slash", "a last slash is the same prefix"),
    *_row_at("X-Slash", "/slash/x", "a last slash is the same prefix"),
    *_row_at("X-Root", "/slashed", "a last slash is the same prefix"),
    *_row_at("X-Cafe", "/caf\xe9/x", "a path is read as UTF-8"),
    *_row_at("X-Japan", "/\u65e5\u672c", "a path is read as UTF-8"),
    *_row_at("X-Root", "/caf\xc3\xa9", "a path is decoded once"),
    *_row_at("X-Root", "/%61pi", "a path is decoded once"),
    *_row_at("X-Root", "/...", "three dots are a name"),
    *_row_at("X-Api", "/api/.well-known", "a dot may begin a name"),
    _held_by_none("/api/off", "a None route"),
    _held_by_none("/api/off/x", "a None route covers whole segments"),
    _held_by_none("/api/../items", "a dot segment"),
    _held_by_none("/api/.", "a dot segment"),
    _held_by_none("/..", "a dot segment"),
    _held_by_none("//api", "an empty segment"),
    _held_by_none("/api//", "an empty segment"),
    _held_by_none("/api//x", "an empty segment"),
    _held_by_none("/api\\..\\x", "a backslash"),
    Row("no policy for the path: a preflight goes through", routed, Reason.NO_POLICY,
        "OPTIONS", "/api/off", preflight(APP, "PUT")),
    Row("no policy for the path: no Origin", routed, Reason.NO_POLICY, path="/api/off"),
    _everywhere("/api//x"),
    _everywhere("/../x"),
    _everywhere(""),
]  # fmt: skip
