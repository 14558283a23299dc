"""The text of a new configuration file: each line says what it allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corsguard.cli.schema.document import SCHEMA_URL
from corsguard.cli.terminal import make_printable
from corsguard.errors import DOCUMENTATION_URL
from corsguard.escaping import quote
from corsguard.fetch_spec import DEFAULT_MAX_AGE
from corsguard.origin import OriginPattern, is_insecure, is_loopback

__all__ = ["format_document"]

_WIDTH = 80
_COMMENTS = {
    "allow_origins": "Pages of these origins may read responses.",
    "allow_methods": "They may use these methods, beside GET, HEAD and POST.",
    "allow_headers": "They may set these request headers.",
    "expose_headers": "Their scripts may read these response headers.",
    "max_age": "Browsers may cache a preflight for so many seconds.",
}
_EMPTY_COMMENTS = {
    "allow_methods": 'They may use GET, HEAD and POST alone. Add others here, such as "PUT".',
    "allow_headers": 'They set no request headers. Add "Content-Type" for JSON.',
    "expose_headers": "Their scripts read only the response headers that are always readable.",
}
_CREDENTIALS_COMMENTS = {
    True: "They may send cookies, and read responses as the user who is signed in.",
    False: "Responses to requests with cookies stay hidden from them.",
}
_HEADER_HINTS = {
    "content-type": "for JSON",
    "authorization": "for tokens",
    "*": "any but Authorization",
}


def format_document(mapping: Mapping[str, Any], origin: str = "") -> str:
    """Return a mapping in the one configuration shape as TOML with comments.

    `origin` says where it comes from, in a sentence. Empty for answers, beside which the file
    suggests what is missing for development or production.
    """
    lines = [
        f"#:schema {SCHEMA_URL}",
        "# Which pages of other origins may call this service. `corsguard check` checks this file.",
        f"# Every key: {DOCUMENTATION_URL}configuration.html",
    ]
    if origin:
        lines.append(f"# {make_printable(origin)}")
    lines.append("")
    if "routes" not in mapping:
        suggested = "" if origin else _suggest_origin(mapping["allow_origins"])
        lines += _iter_fields(mapping, suggested)
        return "\n".join([*lines, ""])
    routes = mapping["routes"]
    closed = [prefix for prefix, entry in routes.items() if not entry]
    if closed:
        lines += ["# No page of another origin may read these paths.", "[routes]"]
        lines += [*(f"{quote(prefix)} = false" for prefix in closed), ""]
    for prefix, entry in routes.items():
        lines += _iter_route(prefix, entry or ())
    return "\n".join(lines)


def _iter_route(
    prefix: str, entry: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield the lines of the policies of a route prefix."""
    name = f"routes.{quote(prefix)}"
    if isinstance(entry, Mapping):
        yield from [f"# {_name_paths(prefix)}.", f"[{name}]", *_iter_fields(entry), ""]
        return
    for number, fields in enumerate(entry, 1):
        comment = (
            f"{_name_paths(prefix)}, policy {number}: the first that lists the origin decides."
        )
        yield from [f"# {comment}", f"[[{name}]]", *_iter_fields(fields), ""]


def _name_paths(prefix: str) -> str:
    return "All paths" if prefix == "/" else f"Paths below {make_printable(prefix)}"


def _suggest_origin(origins: Sequence[str]) -> str:
    """Return the commented line for what is missing in a list of origins, empty for nothing."""
    patterns = [OriginPattern.parse(each) for each in origins]
    if any(each.any_origin for each in patterns):
        return ""
    local = [is_loopback(each.host) for each in patterns]
    if all(local):
        return '# "https://app.example.com",  # your frontend in production'
    return "" if any(local) else '# "http://localhost:3000",  # development: not in production'


def _iter_fields(fields: Mapping[str, Any], suggested: str = "") -> Iterator[str]:
    """Yield the lines of a policy. `suggested` is a commented line for its origins."""
    for name, value in fields.items():
        if name == "max_age" and value is None:
            yield "# Browsers cache a preflight for so many seconds where no header says more."
            yield f"max_age = {DEFAULT_MAX_AGE}"
        elif isinstance(value, bool):
            yield f"# {_CREDENTIALS_COMMENTS[value]}"
            yield f"{name} = {str(value).lower()}"
        elif not isinstance(value, list):
            yield f"# {_COMMENTS[name]}"
            yield f"{name} = {value}"
        elif name == "allow_origins":
            yield f"# {_COMMENTS[name]}"
            yield from _iter_origins(value, suggested)
        else:
            yield f"# {_comment_on_names(name, value)}"
            yield from _iter_list(name, value)


def _comment_on_names(name: str, values: Sequence[str]) -> str:
    if not values:
        return _EMPTY_COMMENTS[name]
    hints = [
        f"{value} is {_HEADER_HINTS[value.lower()]}"
        for value in values
        if name == "allow_headers" and value.lower() in _HEADER_HINTS
    ]
    return f"{_COMMENTS[name]} {', '.join(hints)}{'.' if hints else ''}".rstrip()


def _iter_list(name: str, values: Sequence[str]) -> Iterator[str]:
    line = f"{name} = [{', '.join(map(quote, values))}]"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{name} = ["
    yield from (f"    {quote(value)}," for value in values)
    yield "]"


def _iter_origins(origins: Sequence[str], suggested: str) -> Iterator[str]:
    yield "allow_origins = ["
    for origin in origins:
        yield f"    {quote(origin)},  # {_describe_origin(origin)}"
    if suggested:
        yield f"    {suggested}"
    yield "]"


def _describe_origin(text: str) -> str:
    """Return what an entry covers, in a few words."""
    pattern = OriginPattern.parse(text)
    if pattern.any_origin:
        return "every site"
    any_port = ", with any port" if pattern.port == "*" else ""
    if is_loopback(pattern.host):
        return f"development on this machine{any_port}: remove it in production"
    risk = ", which the network can forge: it is plain http" if is_insecure(pattern) else ""
    if pattern.subdomains:
        return f"every subdomain of {pattern.host}, and not {pattern.host} itself{any_port}{risk}"
    if pattern.label:
        sample = pattern.label.replace("*", "1")
        return f"names such as {sample}.{pattern.host}{any_port}{risk}"
    return f"this origin alone{any_port}{risk}"
