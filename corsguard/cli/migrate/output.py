"""The text of the translated policies: Python, settings, TOML or JSON.

What is printed, executed or read again, gives the same policies.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Any, NamedTuple

from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.translation import (
    ALLOW_NOTHING,
    Fields,
    Translation,
    ViewPolicies,
)
from corsguard.cli.terminal import make_printable
from corsguard.escaping import quote

__all__ = ["FormError", "as_document", "format_text"]

_INDENT = "    "
_WIDTH = 88
_FLAGS = (re.IGNORECASE, re.MULTILINE, re.DOTALL, re.VERBOSE, re.ASCII)
_DEFAULT_MAX_AGE = 5
"""Seconds, for TOML, which has no None: what browsers use without the header."""


class _Wiring(NamedTuple):
    """The code that puts the policies into an application."""

    module: str
    """The module of the adapter. Empty if nothing is imported from it."""
    names: Sequence[str]
    """The names that are imported from it."""
    lines: Sequence[str]


_NO_WIRING = _Wiring("", (), ())


class FormError(Exception):
    """Policies that a format can't hold. The message says why, and which format can."""


def format_text(translation: Translation, form: str, configuration: PeerConfiguration) -> str:
    """Return the policies as text.

    `form` is `text`, the code of a framework, `python`, which is the policies alone, or `toml`.
    Raises FormError where a format can't hold them.
    """
    if form == "toml":
        return _format_toml(translation)
    lines = list(_iter_python(translation))
    wiring = _NO_WIRING
    if form == "text":
        wiring = _WIRINGS[configuration.framework](translation, configuration)
        lines += ["", *wiring.lines]
    return "\n".join([*_build_imports(lines, wiring), *lines, ""])


def as_document(translation: Translation) -> dict[str, Any]:
    """Return the policies as JSON can hold them: a regular expression becomes a table."""
    return {
        "policy": _as_json(translation.mapping),
        "views": [
            {
                "kind": each.kind,
                "name": each.name,
                "views": list(each.views),
                "policies": [_as_json(fields) for fields in each.policies],
            }
            for each in translation.views
        ],
    }


def _name_constants(translation: Translation) -> dict[str, ViewPolicies]:
    """Return the name of a constant -> the policies of a view or a blueprint.

    Names that differ by punctuation or case alone get a number: `shop.items` and `shop_items`.
    """
    named: dict[str, ViewPolicies] = {}
    for each in translation.views:
        words = re.sub(r"\W+", "_", each.name).strip("_").upper()
        name = f"{each.kind.upper()}_{words}"
        names = chain([name], (f"{name}_{number}" for number in count(2)))
        named[next(free for free in names if free not in named)] = each
    return named


def _iter_python(translation: Translation) -> Iterator[str]:
    yield f"CORSGUARD = {_write(translation.mapping)}"
    for constant, each in _name_constants(translation).items():
        written = [_write_policy(fields) for fields in each.policies]
        value = written[0] if len(written) == 1 else f"[{', '.join(written)}]"
        yield ""
        yield f"{constant} = {value}"


def _build_imports(lines: Sequence[str], wiring: _Wiring) -> list[str]:
    imports = [f"from {wiring.module} import {', '.join(wiring.names)}"] if wiring.names else []
    text = "\n".join(lines)
    if "Policy(" in text:
        imports.insert(0, "from corsguard import Policy")
    needed = {"re.compile(": "import re", "(partial(": "from functools import partial"}
    standard = [line for use, line in needed.items() if use in text]
    if standard:
        imports[:0] = [*standard, *[""] * bool(imports)]
    return [*imports, ""] if imports else []


def _introduce(configuration: PeerConfiguration) -> list[str]:
    """Return the comment that names what the policies of paths replace; none without these."""
    places = dict.fromkeys(each.place for each in configuration.policies if each.scope.prefixes)
    return [f"# In the place of {', '.join(places)}:"] if places else []


def _wire_flask(translation: Translation, configuration: PeerConfiguration) -> _Wiring:
    functions = configuration.app.view_functions
    uses = Counter(map(id, functions.values()))
    lines = _introduce(configuration)
    lines += ['app.config["CORSGUARD"] = CORSGUARD', "cors = CORSGuard(app)"]
    names = ["CORSGuard"]
    for constant, each in _name_constants(translation).items():
        place = make_printable(each.place)  # which may contain a line end
        if each.kind == "blueprint":
            lines += [
                "",
                f"# In the place of {place}:",
                f"cors.set_policy(app.blueprints[{quote(each.name)}], {constant})",
            ]
            continue
        names = ["CORSGuard", "cors_policy"]
        (name,) = each.views
        target = view = f"app.view_functions[{quote(name)}]"
        remark = f"; or write @cors_policy({constant}) on it"
        if uses[id(functions[name])] > 1:  # the decorator marks the function, for all its views
            view, remark = f"partial({target})", ", whose function is that of other views too"
        lines += ["", f"# In the place of {place}{remark}:"]
        lines.append(f"{target} = cors_policy({constant})({view})")
    return _Wiring("corsguard_flask", names, lines)


def _wire_django(translation: Translation, configuration: PeerConfiguration) -> _Wiring:
    del configuration
    lines = [
        "# MIDDLEWARE: replace corsheaders.middleware.CorsMiddleware by",
        '# "corsguard_django.CORSMiddleware", as the first entry.',
    ]
    lines += [
        f"# @cors_policy({constant}) on the views: {make_printable(', '.join(each.views))}"
        for constant, each in _name_constants(translation).items()
    ]
    return _Wiring("", [], lines)


def _wire_starlette(translation: Translation, configuration: PeerConfiguration) -> _Wiring:
    del translation
    lines = [*_introduce(configuration), "CORSGuard(app, **CORSGUARD)"]
    return _Wiring("corsguard_starlette", ["CORSGuard"], lines)


def _wire_asgi(translation: Translation, configuration: PeerConfiguration) -> _Wiring:
    del translation
    lines = [*_introduce(configuration), "app = CORSMiddleware(app, **CORSGUARD)"]
    return _Wiring("corsguard_asgi", ["CORSMiddleware"], lines)


_WIRINGS: dict[str, Callable[[Translation, PeerConfiguration], _Wiring]] = {
    "flask": _wire_flask,
    "django": _wire_django,
    "starlette": _wire_starlette,
    "asgi": _wire_asgi,
}
"""Framework -> the function that returns the code for a translation of a configuration."""


def _write_policy(fields: Fields) -> str:
    lines = [f"{_INDENT}{name}={_write(value, 1)}," for name, value in fields.items()]
    return "\n".join(["Policy(", *lines, ")"])


def _write(value: object, depth: int = 0) -> str:
    """Return a value as Python writes it, on several lines where it is long."""
    if isinstance(value, re.Pattern):
        return _write_regex(value)
    if isinstance(value, str):
        return quote(value)
    if not isinstance(value, (Mapping, list)):
        return repr(value)
    is_mapping = isinstance(value, Mapping)
    opening, closing = "{}" if is_mapping else "[]"
    items = (
        [f"{quote(key)}: {_write(each, depth + 1)}" for key, each in value.items()]
        if isinstance(value, Mapping)
        else [_write(each, depth + 1) for each in value]
    )
    line = f"{opening}{', '.join(items)}{closing}"
    is_short = len(line) + len(_INDENT) * depth + 20 <= _WIDTH and "\n" not in line
    if not items or (is_short and not is_mapping):
        return line
    inner = _INDENT * (depth + 1)
    written = "".join(f"{inner}{item},\n" for item in items)
    return f"{opening}\n{written}{_INDENT * depth}{closing}"


def _write_regex(pattern: re.Pattern[str]) -> str:
    source = pattern.pattern
    is_raw = '"' not in source and source.isprintable() and not source.endswith("\\")
    text = f'r"{source}"' if is_raw else repr(source)
    flags = " | ".join(f"re.{flag.name}" for flag in _FLAGS if pattern.flags & flag)
    return f"re.compile({text}{', ' if flags else ''}{flags})"


def _as_json(value: object) -> Any:
    if isinstance(value, re.Pattern):
        return {"regex": value.pattern, "flags": int(value.flags & ~re.UNICODE)}
    if isinstance(value, Mapping):
        return {key: _as_json(each) for key, each in value.items()}
    return [_as_json(each) for each in value] if isinstance(value, list) else value


def _format_toml(translation: Translation) -> str:
    if translation.views:
        kinds = " and ".join(sorted({f"{each.kind}s" for each in translation.views}))
        raise FormError(f"a TOML file can't hold the policies of {kinds}: use --format python")
    if "re.compile(" in _write(translation.mapping):
        raise FormError("a TOML file can't hold regular expressions: use --format python")
    mapping = translation.mapping
    if mapping == ALLOW_NOTHING:
        return '[routes]\n"/" = false\n'
    if "routes" not in mapping:
        return "".join(f"{line}\n" for line in _iter_toml_fields(mapping))
    lines: list[str] = []
    for prefix, entry in mapping["routes"].items():
        is_list = isinstance(entry, list)
        header = f"routes.{quote(prefix)}"
        for fields in entry if is_list else [entry]:
            lines += [f"[[{header}]]" if is_list else f"[{header}]", *_iter_toml_fields(fields), ""]
    return "\n".join(lines)


def _iter_toml_fields(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if value is None:
            yield f"{name} = {_DEFAULT_MAX_AGE}  # what browsers use where the header is missing"
        elif isinstance(value, list):
            yield f"{name} = {_write_toml_list(value)}"
        else:
            yield f"{name} = {json.dumps(value)}"


def _write_toml_list(values: Sequence[str]) -> str:
    line = f"[{', '.join(map(quote, values))}]"
    if len(line) <= _WIDTH - 20:
        return line
    return "".join(["[\n", *(f"{_INDENT}{quote(each)},\n" for each in values), "]"])
