"""Changes of a policy, field by field, and what each of them exposes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from json import dumps
from re import Pattern
from typing import NamedTuple

from corsguard.escaping import list_values
from corsguard.explain.place import Place
from corsguard.policy import Policy
from corsguard.policy.origin_entry import OriginEntry, unwrap
from corsguard.policy.predicates import name_predicate

__all__ = ["Change", "list_changes"]

_FIELDS = ("allow_origins", "allow_credentials", "allow_methods", "allow_headers")
_EXPOSES = {
    "allow_origins": "pages of {added} may read the responses of {where}{and_send}{as_user}"
    "{unrefused}{instead}",
    "allow_credentials": "requests to {where} carry the user's cookies, and {who} may read and "
    "act as that user",
    "allow_methods": "{who} may send {added} to {where}",
    "allow_headers": "{who} may send {added} to {where}",
}
"""field -> sentence on what a new value of it exposes; see _describe_exposure"""


class Change(NamedTuple):
    """A new value of one field of one policy."""

    place: Place
    field: str
    value: tuple[OriginEntry, ...] | bool
    exposes: str
    """What the change opens, and to which pages, in one sentence."""

    @property
    def as_toml(self) -> str:
        """The line for a configuration file."""
        return f"{self.field} = {self._toml_value}"

    @property
    def as_python(self) -> str:
        """The keyword argument for a Policy."""
        return f"{self.field}={self._python_value},"

    @property
    def as_item(self) -> str:
        """The item for a mapping in the shape of a configuration file."""
        return f'"{self.field}": {self._python_value},'

    @property
    def table(self) -> str:
        """The header of the table that the line for a file goes into; empty for the top level."""
        if self.place.kind != "route":
            return ""
        table = f"[routes.{dumps(self.place.name, ensure_ascii=False)}]"
        return f"[{table}]  # {self.place.entry}" if self.place.policies else table

    @property
    def _python_value(self) -> str:
        return str(self.value) if isinstance(self.value, bool) else self._toml_value

    @property
    def _toml_value(self) -> str:
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return list_values(self.value)


def list_changes(place: Place, policy: Policy) -> Iterator[Change]:
    """Yield the changes that turn the policy of a place into another."""
    for field in _FIELDS:
        value = getattr(policy, field)
        before = getattr(place.policy, field, type(value)())
        if value != before:
            added = () if value is True else [str(entry) for entry in value if entry not in before]
            yield Change(place, field, value, _describe_exposure(field, place, policy, added))


def _describe_exposure(field: str, place: Place, policy: Policy, added: Sequence[str]) -> str:
    """Return the sentence on what a change of a field to policy exposes.

    `added` are the entries that are new in the field; empty if the field is not a list.
    """
    return _EXPOSES[field].format(
        added=", ".join(added),
        where=_describe_place(place),
        who=_describe_pages(policy),
        and_send=_describe_requests(place.policy),
        as_user=" as the user who is signed in" if policy.allow_credentials else "",
        unrefused="; `enforce` no longer refuses their unsafe requests, such as a POST"
        if place.enforced
        else "",
        instead=_describe_replaced(place, policy),
    )


def _describe_place(place: Place) -> str:
    if place.kind == "view":
        return place.holder
    if place.kind == "everywhere" or place.name == "/":
        return "every path"
    return f"{place.name} and every path below it"


def _describe_pages(policy: Policy) -> str:
    """Return the words for the pages that a policy allows; all but the first are counted."""
    first, *others = map(unwrap, policy.allow_origins)
    if first == "*":
        return "any page"
    if isinstance(first, (str, Pattern)):
        pages = f"pages of {first}"
    else:
        pages = f"pages that {name_predicate(first)} allows"
    return pages + (f" and of {len(others)} more listed" if others else "")


def _describe_requests(before: Policy | None) -> str:
    """Return the words for what an added origin may send, besides what any page may send."""
    if before is None:
        return ""
    methods = _join_names(before.allow_methods, "any method")
    headers = _join_names(before.allow_headers, "any header")
    sent = " with ".join(filter(None, (methods, headers)))
    return f", and send {sent} there" if sent else ""


def _join_names(names: Sequence[str], wildcard: str) -> str:
    return ", ".join(wildcard if name == "*" else name for name in names)


def _describe_replaced(place: Place, policy: Policy) -> str:
    """Return the words for what a change takes away, or makes an exception to."""
    before = place.policy.allow_origins if place.policy else ()
    if "*" in before and "*" not in policy.allow_origins:
        return "; other pages no longer may: list the ones that need it"
    if place.kind == "view" and place.policy is None:
        return "; until now it is exempt from CORS"
    if place.closed_by is not None:
        return f"; until now the route {place.closed_by} allows no page"
    return ""
