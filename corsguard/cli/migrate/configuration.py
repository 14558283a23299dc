"""The configuration of another CORS library, as it has taken effect in a loaded application."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

__all__ = [
    "PRIVATE_NETWORK",
    "OriginRegex",
    "PathScope",
    "PeerConfiguration",
    "PeerError",
    "PeerPolicy",
    "RouterPath",
    "ToDo",
    "as_texts",
    "build_todo",
    "find_source",
    "parse_seconds",
    "sample_parameter",
    "split_list",
]


PRIVATE_NETWORK = "allow_private_network: no browser asks for it any more; left out"
"""The sentence about an option of all peers."""


class PeerError(Exception):
    """A configuration that can't be read. The message is one line: why, and what to do."""


class ToDo(NamedTuple):
    """What a person has to decide or write, because it is code or can't be known."""

    message: str
    file: str = ""
    """The file of the code, below the current folder where it is there. May be empty."""
    line: int = 0

    @property
    def place(self) -> str:
        """FILE:LINE, or empty."""
        return f"{self.file}:{self.line}" if self.file else ""


class OriginRegex(NamedTuple):
    """A regular expression of origins."""

    source: str
    flags: int = 0
    is_prefix: bool = False
    """True if the peer matched it as a prefix (`re.match`), False if as a whole."""


class PathScope(NamedTuple):
    """The requests that a policy applies to: those below prefixes, or those of views."""

    prefixes: tuple[str, ...] = ("/",)
    """Route prefixes. Empty where the policy applies to views alone."""
    views: tuple[str, ...] = ()
    """The names of views (Flask's endpoints)."""
    blueprint: str = ""
    """The name of the blueprint, where `views` are all of its views."""


class PeerPolicy(NamedTuple):
    """One effective configuration, with the defaults of the peer written out."""

    place: str
    """Where it is configured, in words, such as `CORS(app)`."""
    scope: PathScope
    origins: tuple[str, ...]
    """Origins as they are written, and `*` for any."""
    regexes: tuple[OriginRegex, ...]
    credentials: bool
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    max_age: int | None
    """Seconds. None if the peer sends no Access-Control-Max-Age."""


class RouterPath(NamedTuple):
    """A URL of the application's router."""

    path: str
    """A path that the URL pattern matches."""
    methods: tuple[str, ...]
    view: str = ""
    """The name of its view, where the framework has one."""


class PeerConfiguration(NamedTuple):
    """The configuration of one peer in one application."""

    peer: str
    """The name of the peer, such as `flask-cors`."""
    version: str
    framework: str
    """`flask`, `starlette`, `django`, or `asgi` for any other with Starlette's middleware."""
    policies: tuple[PeerPolicy, ...]
    """Those with the same scope in the order in which an origin is looked up in them."""
    todos: tuple[ToDo, ...] = ()
    notes: tuple[str, ...] = ()
    paths: tuple[RouterPath, ...] = ()
    """The URLs of the router. Empty if it is not known."""
    app: Any = None
    """The application that has been read."""


_SAMPLES = {"uuid": "00000000-0000-4000-8000-000000000000", "float": "1.0"}
_CONVERTER = re.compile(r"(?P<name>\w+)(?:\((?P<arguments>.*)\))?")


def sample_parameter(converter: str) -> str:
    """Return a value for a parameter of a URL, by the name of its converter.

    `converter` may have arguments: `any(a, b)` is Werkzeug's for the texts `a` and `b`. Of a
    converter of the application the values are not known.
    """
    match = _CONVERTER.match(converter)
    if match is not None and match["name"] == "any" and match["arguments"]:
        return match["arguments"].partition(",")[0].strip(" \"'")
    return _SAMPLES.get(match["name"] if match else "", "1")


def build_todo(message: str, code: object) -> ToDo:
    """Return a to-do about a function or a class, with its file and line."""
    file, line = find_source(code)
    return ToDo(message, file, line)


def find_source(code: Any) -> tuple[str, int]:
    """Return the file and the line of a function, a method or a class; ("", 0) if unknown."""
    code = inspect.unwrap(code) if callable(code) else code
    function = getattr(code, "__func__", code)
    try:
        file = inspect.getsourcefile(function) or ""
        line = inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        return "", 0
    return os.path.abspath(file).removeprefix(f"{os.getcwd()}{os.sep}"), line


def parse_seconds(given: Any) -> int | None:
    """Return a max-age in whole seconds; None where a browser can't read it as a number."""
    try:
        return int(float(given))
    except (TypeError, ValueError, OverflowError):
        return None


def split_list(text: str | None) -> tuple[str, ...]:
    """Return the elements of the value of a header field."""
    return tuple(filter(None, re.split(r"\s*,\s*", text or "")))


def as_texts(values: str | Iterable[Any]) -> tuple[str, ...]:
    """Return the values of a list as texts. A single text is a list of one."""
    return (values,) if isinstance(values, str) else tuple(map(str, values))
