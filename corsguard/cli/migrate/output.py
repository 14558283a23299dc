"""The text of the translated policies: Python, settings, TOML or JSON.

What is printed, executed or read again, gives the same policies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.translation import Fields, Translation, ViewPolicies
from corsguard.escaping import quote

__all__ = ["FormError", "as_document", "format_text"]

_INDENT = "    "
_WIDTH = 88
_FLAGS = (re.IGNORECASE, re.MULTILINE, re.DOTALL, re.VERBOSE, re.ASCII)
_DEFAULT_MAX_AGE = 5
"""Seconds, for TOML, which has no None: what browsers use without the header."""


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
    if form == "text":
        lines += _iter_wiring(translation, configuration)
    return "\n".join([*_iter_imports(lines), *lines, ""])


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


def name_constant(views: ViewPolicies) -> str:
    """Return the name of the constant for the policy of a view or a blueprint."""
    name = re.sub(r"\W+", "_", views.name).strip("_").upper()
    return f"{views.kind.upper()}_{name}"


def _iter_python(translation: Translation) -> Iterator[str]:
    yield f"CORSGUARD = {_write(translation.mapping)}"
    for each in translation.views:
        written = [_write_policy(fields) for fields in each.policies]
        value = written[0] if len(written) == 1 else f"[{', '.join(written)}]"
        yield ""
        yield f"{name_constant(each)} = {value}"


def _iter_imports(lines: Sequence[str]) -> Iterator[str]:
    text = "\n".join(lines)
    if "re.compile(" in text:
        yield "import re"
        yield ""
    names = {
        "corsguard": [name for name in ("Policy",) if f"{name}(" in text],
        "corsguard_flask": _find_used(text, "app.config", ("CORSGuard", "cors_policy")),
        "corsguard_starlette": _find_used(text, "**CORSGUARD", ("CORSGuard",)),
    }
    for module, used in names.items():
        if used:
            yield f"from {module} import {', '.join(used)}"
    if any(names.values()):
        yield ""


def _find_used(text: str, sign: str, names: Sequence[str]) -> list[str]:
    """Return the names that a text of one framework uses; `sign` is what only that one has."""
    return [name for name in names if f"{name}(" in text] if sign in text else []


def _iter_wiring(translation: Translation, configuration: PeerConfiguration) -> Iterator[str]:
    yield ""
    if configuration.framework == "django":
        yield "# MIDDLEWARE: replace corsheaders.middleware.CorsMiddleware by"
        yield '# "corsguard_django.CORSMiddleware", as the first entry.'
        for each in translation.views:
            yield f"# @cors_policy({name_constant(each)}) on the views: {', '.join(each.views)}"
        return
    by_path = [each.place for each in configuration.policies if each.scope.prefixes]
    if by_path:
        yield f"# In the place of {', '.join(dict.fromkeys(by_path))}:"
    if configuration.framework == "starlette":
        yield "CORSGuard(app, **CORSGUARD)"
        return
    yield 'app.config["CORSGUARD"] = CORSGUARD'
    yield "cors = CORSGuard(app)"
    for each in translation.views:
        yield from _iter_view_wiring(each)


def _iter_view_wiring(views: ViewPolicies) -> Iterator[str]:
    yield ""
    constant = name_constant(views)
    if views.kind == "blueprint":
        yield f"# In the place of {views.place}:"
        yield f"cors.set_policy(app.blueprints[{quote(views.name)}], {constant})"
        return
    yield f"# In the place of {views.place}; or write @cors_policy({constant}) on it:"
    for name in views.views:
        target = f"app.view_functions[{quote(name)}]"
        yield f"{target} = cors_policy({constant})({target})"


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
    is_raw = '"' not in source and "\n" not in source and not source.endswith("\\")
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
