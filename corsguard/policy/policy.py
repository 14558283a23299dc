"""Policy: an immutable statement of what a server allows, validated when it is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict, cast

from corsguard.errors import PolicyError, PolicyWarning, Problem, emit_warnings
from corsguard.escaping import show_value
from corsguard.policy.allow_list import AllowList
from corsguard.policy.origin_validation import check_allow_list
from corsguard.policy.problem_collector import (
    AcceptanceTest,
    ProblemCollector,
    accept_anything,
    list_entries,
)
from corsguard.policy.safety import check_combinations, find_warnings
from corsguard.policy.unknown_fields import (
    find_meant_fields,
    find_unknown_fields,
    is_origins_option,
    is_routes_option,
    reject_unknown_keywords,
)
from corsguard.policy.validation import FLAGS, VALIDATORS, validate_flag

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from corsguard.policy.origin_entry import OriginEntry

__all__ = ["Policy", "PolicyError", "PolicyFields", "PolicyWarning", "Problem"]


class PolicyFields(TypedDict, total=False):
    """The fields of a policy, for functions that take them as keyword arguments."""

    allow_origins: Iterable[OriginEntry]
    allow_credentials: bool
    allow_methods: Iterable[str]
    allow_headers: Iterable[str]
    expose_headers: Iterable[str]
    max_age: int | timedelta | None
    predicate_timeout: float
    dangerously_allow_insecure_origins: bool
    dangerously_allow_public_suffixes: bool
    dangerously_allow_null_origin: bool


class Policy:
    """The permissions that a server grants to pages of other origins.

    A policy is immutable, hashable and comparable.

    Each field is named after the response header that it becomes (Fetch, "HTTP responses" of the
    CORS protocol), without `Access-Control-`:

    * `allow_origins`: a list of origin patterns (`https://example.com`, `https://*.example.com`,
      `http://localhost:*`, or `*` alone), compiled regular expressions of str, matched as a
      whole, and callables that take a serialised origin, or one and a CORSRequest, and return a
      bool, or an awaitable of one. An OriginLookup is a callable whose answers are remembered.
    * `allow_credentials`: True if pages may send cookies and read the response.
    * `allow_methods`, `allow_headers`, `expose_headers`: lists of names, or `*`.
    * `max_age`: how long a browser may cache a preflight, in seconds or as a timedelta. 0 disables
      the cache. None omits the header, which leaves 5 seconds.
    * `predicate_timeout`: how many seconds an async callable may take, and a request may wait for
      the OriginLookup of another one. After that, the origin is refused.
    * `dangerously_...`: flags that each switch off one check of `allow_origins`.

    Raises PolicyError with every problem found; warns with PolicyWarning.
    """

    __slots__ = ("allow_list", *(field for field in VALIDATORS if field != "allow_origins"))

    allow_list: AllowList
    """The entries of `allow_origins`, indexed."""
    allow_credentials: bool
    allow_methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    max_age: int | None
    predicate_timeout: float
    dangerously_allow_insecure_origins: bool
    dangerously_allow_public_suffixes: bool
    dangerously_allow_null_origin: bool

    @reject_unknown_keywords
    def __init__(
        self,
        *,
        allow_origins: Iterable[OriginEntry],
        allow_credentials: bool = False,
        allow_methods: Iterable[str] = (),
        allow_headers: Iterable[str] = (),
        expose_headers: Iterable[str] = (),
        max_age: int | timedelta | None = 7_200,
        predicate_timeout: float = 1.0,
        dangerously_allow_insecure_origins: bool = False,
        dangerously_allow_public_suffixes: bool = False,
        dangerously_allow_null_origin: bool = False,
    ) -> None:
        self._set_fields(locals())
        emit_warnings(find_warnings(self))

    def _set_fields(self, given: Mapping[str, Any], *, exposed: bool = False) -> None:
        """Set every field to its normalised value; raise PolicyError with every problem.

        `exposed` says that the origins must be as safe as with credentials.
        """
        found = self._validate(given, self._build_acceptance_test(given, exposed=exposed))
        if found.problems:
            raise PolicyError(found.problems)

    @staticmethod
    def _build_acceptance_test(given: Mapping[str, Any], *, exposed: bool) -> AcceptanceTest:
        """Return a function that tells if a field accepts a value beside the given flags.

        `exposed` says that the origins must be as safe as with credentials.
        """

        def is_accepted(field: str, value: object, /, *flags: str) -> bool:
            given_flags = {
                flag: validate_flag(ProblemCollector(), flag, given[flag]) for flag in FLAGS
            }
            fields = {**_DEFAULTS, "allow_origins": _EXAMPLE_ORIGINS, **given_flags, field: value}
            fields |= dict.fromkeys(flags, True)
            if exposed and field == "allow_origins":
                fields["allow_credentials"] = True
            policy = Policy.__new__(Policy)
            found = Policy._validate(policy, fields, accept_anything).problems
            unmatched = (
                [each for each in find_warnings(policy) if each.code in _UNMATCHED_CODES]
                if not found
                else []
            )
            return all(problem.field != field for problem in (*found, *unmatched))

        return is_accepted

    def _validate(self, given: Mapping[str, Any], is_accepted: AcceptanceTest) -> ProblemCollector:
        """Set every field to its normalised value, and return the problems."""
        found = ProblemCollector(is_accepted)
        self._set_slots(
            {field: validate(found, field, given[field]) for field, validate in VALIDATORS.items()}
        )
        found.problems.extend(check_combinations(self))
        return found

    def _set_slots(self, values: Mapping[str, object]) -> None:
        """Set every field; the value of `allow_origins` is an AllowList."""
        for field, value in values.items():
            slot = "allow_list" if field == "allow_origins" else field
            object.__setattr__(self, slot, value)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Policy:
        """Build the policy whose fields are the items of mapping, as in a configuration file.

        Raises PolicyError, where an unknown key is a problem as well, and a missing
        `allow_origins`; warns with PolicyWarning.
        """
        policy = cls.read(mapping)
        emit_warnings(find_warnings(policy))
        return policy

    @classmethod
    def read(
        cls,
        mapping: object,
        *,
        reported: Mapping[str, object] = MappingProxyType({}),
        enforced: bool = False,
    ) -> Policy:
        """Build a policy without emitting warnings, for callers that name its place in them.

        `reported` are unknown fields that the caller has reported. One of them may be meant for a
        field that is missing. `enforced` says that the policy is for a guard that enforces it.
        Raises PolicyError.
        """
        if not isinstance(mapping, Mapping):
            message = f"{show_value(mapping)} is not a table of a policy's fields"
            suggestion = '{"allow_origins": ["https://app.example.com"]}'
            raise PolicyError([Problem("type-invalid", "policy", mapping, message, suggestion)])
        unknown = find_unknown_fields(mapping, VALIDATORS)
        known = {key: value for key, value in mapping.items() if key in VALIDATORS}
        others = {**{key: mapping[key] for key in mapping if key not in VALIDATORS}, **reported}
        meant = find_meant_fields({**others, **known}, VALIDATORS)
        flags = {flag: True for flag in _DANGEROUS_FLAGS if meant.get(flag) is True}
        policy = cls.__new__(cls)
        exposed = enforced or meant.get("allow_credentials") is True
        try:
            cls._set_fields(policy, {**_DEFAULTS, **flags, **known}, exposed=exposed)
        except PolicyError as error:
            misnamed = any(
                is_origins_option(*item) or is_routes_option(item[0]) for item in others.items()
            )
            follow_up = "no-origins" if misnamed and "allow_origins" not in known else None
            found = [problem for problem in error.problems if problem.code != follow_up]
            raise PolicyError([*unknown, *found]) from None
        if unknown:
            raise PolicyError(unknown)
        return policy

    def with_origins(
        self, *, add: Iterable[OriginEntry] = (), remove: Iterable[OriginEntry] = ()
    ) -> Policy:
        """Return this policy without the entries of remove, and then with those of add.

        Only the entries of add are validated, so that a long list can be changed often: with
        `guard.reconfigure`, one origin of a million takes less than 5 ms. An entry of add that is
        listed already stays where it is.

        Raises PolicyError with every problem, such as an entry of remove that is not listed. Warns
        with PolicyWarning of entries of add.
        """
        changed, warnings = self.replace_origins(add=add, remove=remove)
        emit_warnings(warnings)
        return changed

    def replace_origins(
        self, *, add: Iterable[OriginEntry] = (), remove: Iterable[OriginEntry] = ()
    ) -> tuple[Policy, list[Problem]]:
        """Return the policy of `with_origins`, and the warnings of its entries of add."""
        found = ProblemCollector()
        gone = cast("Sequence[OriginEntry]", list_entries(found, "remove", remove))
        found.problems += [_reject_unlisted(each) for each in gone if each not in self.allow_list]
        new = list_entries(found, "add", add)
        fields = {field: getattr(self, field) for field in VALIDATORS if field != "allow_origins"}
        added, changed = Policy.__new__(Policy), Policy.__new__(Policy)
        Policy._set_slots(added, {**fields, "allow_origins": AllowList(())})
        try:
            if new:
                Policy._set_fields(added, {**fields, "allow_origins": new})
        except PolicyError as error:
            found.problems += error.problems
        if not found.problems:
            allow_list = self.allow_list.replace(added.allow_list, gone)
            Policy._set_slots(changed, {**fields, "allow_origins": allow_list})
            check_allow_list(found, "allow_origins", allow_list)
        if found.problems:
            raise PolicyError(found.problems)
        return changed, [each for each in find_warnings(added) if each.field == "allow_origins"]

    @property
    def allow_origins(self) -> tuple[OriginEntry, ...]:
        """The entries of the allow-list, in the order in which they were given."""
        return self.allow_list.entries

    @property
    def warnings(self) -> tuple[PolicyWarning, ...]:
        """The warnings that were emitted when this policy was built."""
        return tuple(PolicyWarning(problem) for problem in find_warnings(self))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a policy can't be changed: build a new one with another {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a policy can't be changed: build a new one without {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        fields = zip(VALIDATORS, self._values(), strict=True)
        return f"Policy({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def __copy__(self) -> Policy:
        return self

    def __deepcopy__(self, memo: object) -> Policy:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Policy.from_mapping, (dict(zip(VALIDATORS, self._values(), strict=True)),)

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, field) for field in VALIDATORS)


def _reject_unlisted(entry: OriginEntry) -> Problem:
    """Return the problem of an entry to remove that is not there: another one may be meant."""
    message = f"{show_value(entry, str)} is not an entry of allow_origins"
    suggestion = "the entry as allow_origins has it, or remove it from this list"
    return Problem("origin-not-listed", "remove", entry, message, suggestion)


_DANGEROUS_FLAGS = tuple(flag for flag in FLAGS if flag != "allow_credentials")
_UNMATCHED_CODES = frozenset({"never-matches", "regex-matches-nothing"})
_EXAMPLE_ORIGINS = ("https://app.example.com",)


_DEFAULTS: dict[str, object] = {
    "allow_origins": (),
    **vars(Policy.__init__)["__wrapped__"].__kwdefaults__,
}
