"""The difference between two documents in words: what is newly allowed, and what no longer is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from corsguard import Policy
from corsguard.cli.check_report import format_as_json
from corsguard.fetch_spec import SAFELISTED_METHODS
from corsguard.guard.origin_sets import read_set
from corsguard.policy.validation import FLAGS

__all__ = ["Difference", "compare_documents", "compare_set"]

Table = Mapping[str, Any]
"""A table of TOML: key -> value."""

_MAX_ORIGINS = 5
_MAX_EXAMPLES = 3
_EVERYWHERE = "/"
_SET = "the set "
_DEFAULTS: Table = vars(Policy.__init__)["__wrapped__"].__kwdefaults__
_NO_POLICY: Table = {"allow_origins": ()}
_DANGEROUS = tuple(flag for flag in FLAGS if flag != "allow_credentials")
_NAMES = {
    "allow_methods": ("the method {}", "the methods {}", "every method"),
    "allow_headers": ("the request header {}", "the request headers {}", "every request header"),
    "expose_headers": (
        "reading the response header {}",
        "reading the response headers {}",
        "reading every response header",
    ),
}
"""Field -> the words for one name, for several, and for `*`."""
_ENFORCE = {False: "off", True: "on", "report": "report"}
_UNSAFE = "unsafe requests from origins that no policy allows (enforce: {} -> {})"
_OPTIONS = {
    "enforce_exempt": "unsafe requests from any origin to",
    "own_origins": "unsafe requests from",
}
"""Option of a guard -> the words for what its entries allow."""


class Difference(NamedTuple):
    """What changes from one document to another, in sentences."""

    allowed: list[str]
    """What the new document allows, and the old one does not."""
    refused: list[str]
    """What the old document allows, and the new one does not."""
    other: list[str]
    """What else changes."""


def compare_documents(before: Table | None, after: Table) -> Difference:
    """Return the difference between two valid documents; `before` is None if there is none.

    Candidates are not compared.
    """
    found = Difference([], [], [])
    old, new = _read_routes(before or {}), _read_routes(after)
    prefixes = sorted({*old, *new})
    for prefix in prefixes:
        if before is not None and (prefix in old) != (prefix in new):
            has = "now has" if prefix in new else "no longer has"
            found.other.append(f"{prefix}: {has} a route of its own")
        place = "every path" if prefixes == [_EVERYWHERE] else prefix
        _compare_lists(found, place, _find_policies(old, prefix), _find_policies(new, prefix))
    _compare_options(found, before or {}, after)
    used = {*_find_used_sets(old), *_find_used_sets(new)}
    old_sets, new_sets = _read_sets(before or {}), _read_sets(after)
    for name in dict.fromkeys((*old_sets, *new_sets)):
        old_set, new_set = old_sets.get(name, {}), new_sets.get(name, {})
        added = [entry for entry in new_set if entry not in old_set]
        removed = [entry for entry in old_set if entry not in new_set]
        _add_set(found, name, added, removed, is_used=name in used)
    return found


def compare_set(
    document: Table, name: str, added: Sequence[str], removed: Sequence[str]
) -> Difference:
    """Return the difference that other origins in a set of a document make."""
    found = Difference([], [], [])
    is_used = name in _find_used_sets(_read_routes(document))
    _add_set(found, name, added, removed, is_used=is_used)
    return found


def _add_set(
    found: Difference, name: str, added: Sequence[str], removed: Sequence[str], *, is_used: bool
) -> None:
    """Add the sentences on a set; `is_used` says that a policy refers to it, not a candidate."""
    if is_used:
        for sentences, origins in ((found.allowed, added), (found.refused, removed)):
            if origins:
                sentences.append(f"{_SET}{name}: {_format_origins(origins)}")
    elif added or removed:
        found.other.append(f"{_SET}{name}, which no policy in force refers to")


def _read_routes(document: Table) -> dict[str, tuple[Table, ...]]:
    """Return the policies of each route of a document, none for no CORS: prefix -> tables."""
    if "routes" not in document:
        return {_EVERYWHERE: (document,)} if "allow_origins" in document else {}
    return {
        prefix: tuple(given) if isinstance(given, list) else (given,) if given else ()
        for prefix, given in document["routes"].items()
    }


def _find_policies(routes: Mapping[str, tuple[Table, ...]], path: str) -> tuple[Table, ...]:
    """Return the policies that apply to a path: those of the longest prefix that covers it."""
    covering = [
        prefix for prefix in routes if f"{path.rstrip('/')}/".startswith(f"{prefix.rstrip('/')}/")
    ]
    return routes[max(covering, key=len)] if covering else ()


def _find_used_sets(routes: Mapping[str, tuple[Table, ...]]) -> set[str]:
    """Return the names of the sets that policies refer to."""
    tables = (table for policies in routes.values() for table in policies)
    return {
        entry["set"]
        for table in tables
        for entry in table.get("allow_origins", ())
        if isinstance(entry, Mapping) and "set" in entry
    }


def _read_sets(document: Table) -> dict[str, dict[str, None]]:
    """Return the sets of a document: name -> entries, which are the keys of a dict."""
    sets = document.get("origin_sets", {})
    return {name: dict.fromkeys(map(str, read_set(value) or ())) for name, value in sets.items()}


def _compare_lists(
    found: Difference, place: str, old: Sequence[Table], new: Sequence[Table]
) -> None:
    """Compare the policies of one place, each with the one at its position."""
    is_list = len(old) > 1 or len(new) > 1
    for index, (before, after) in enumerate(zip_longest(old, new, fillvalue=_NO_POLICY)):
        entry = f"{place}[{index}]" if is_list else place
        _compare_policies(found, entry, before, after)


def _compare_policies(found: Difference, place: str, before: Table, after: Table) -> None:
    old, new = ({**_DEFAULTS, **each} for each in (before, after))
    _compare_origins(found, place, old, new)
    if old["allow_credentials"] != new["allow_credentials"]:
        sentences = found.allowed if new["allow_credentials"] else found.refused
        sentences.append(f"{place}: credentials, such as cookies")
    for field in _NAMES:
        _compare_names(found, place, field, old[field], new[field])
    if _NO_POLICY in (before, after):
        return  # the rest has no effect without origins
    for field in ("max_age", "predicate_timeout", *_DANGEROUS):
        if old[field] != new[field]:
            values = (format_as_json(each[field]) for each in (old, new))
            found.other.append(f"{place}: {field} is changed from {' to '.join(values)}")


def _compare_origins(found: Difference, place: str, old: Table, new: Table) -> None:
    before, after = (_name_entries(each["allow_origins"]) for each in (old, new))
    for sentences, entries, others in (
        (found.allowed, after, before),
        (found.refused, before, after),
    ):
        changed = [entry for entry in entries if entry not in others]
        origins = [entry for entry in changed if not entry.startswith(_SET)]
        sets = [entry for entry in changed if entry.startswith(_SET)]
        if "*" in origins:
            besides = f" besides {_format_origins([*others])}" if others else ""
            sentences.append(f"{place}: every page{besides}")
        elif changed and "*" not in others:
            listed = [_format_origins(origins)] if origins else []
            sentences.append(f"{place}: pages of {' and '.join([*listed, *sets])}")


def _name_entries(entries: Iterable[Any]) -> dict[str, None]:
    """Return the words for entries of `allow_origins`, in their order."""
    return dict.fromkeys(map(_name_entry, entries))


def _name_entry(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    if "set" in entry:
        return f"{_SET}{entry['set']}"
    return f"{entry['origin']} (dangerously: {', '.join(sorted(entry['dangerously']))})"


def _compare_names(
    found: Difference, place: str, field: str, before: Sequence[str], after: Sequence[str]
) -> None:
    """Compare the names of a field; those of headers are compared in lower case."""
    free = SAFELISTED_METHODS if field == "allow_methods" else ()
    old, new = (
        {name if field == "allow_methods" else name.lower(): name for name in each}
        for each in (before, after)
    )
    for sentences, names, others in ((found.allowed, new, old), (found.refused, old, new)):
        changed = [name for key, name in names.items() if key not in others and key not in free]
        if "*" in changed:
            listed = [name for name in others.values() if name != "*"]
            besides = f" besides {', '.join(listed)}" if listed else ""
            sentences.append(f"{place}: {_NAMES[field][2]}{besides}")
        elif changed and "*" not in others:
            words = _NAMES[field][len(changed) > 1].format(", ".join(changed))
            sentences.append(f"{place}: {words}")


def _compare_options(found: Difference, before: Table, after: Table) -> None:
    old, new = (each.get("enforce", False) for each in (before, after))
    if old != new:
        sentences = found.other
        if True in (old, new):
            sentences = found.refused if new is True else found.allowed
        sentences.append(_UNSAFE.format(_ENFORCE[old], _ENFORCE[new]))
    for field, words in _OPTIONS.items():
        listed, others = (dict.fromkeys(each.get(field, ())) for each in (after, before))
        for sentences, names, absent in (
            (found.allowed, listed, others),
            (found.refused, others, listed),
        ):
            changed = [name for name in names if name not in absent]
            if changed:
                sentences.append(f"{words} {', '.join(changed)} ({field})")


def _format_origins(origins: Sequence[str]) -> str:
    """Return origins, or their number with some of them."""
    if len(origins) <= _MAX_ORIGINS:
        return ", ".join(origins)
    return f"{len(origins):,} origins, such as {', '.join(origins[:_MAX_EXAMPLES])}"
