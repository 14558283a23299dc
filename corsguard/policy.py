"""Policy: an immutable statement of what a server allows, checked when it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypedDict, cast

from corsguard.checks import CHECKS, Findings, unknown_fields
from corsguard.dangers import cautions, combinations
from corsguard.escape import shown
from corsguard.problem import PolicyError, PolicyWarning, Problem, warn_of

if TYPE_CHECKING:
    from datetime import timedelta

    from corsguard.checks import OriginEntry

__all__ = ["Policy", "PolicyError", "PolicyFields", "PolicyWarning", "Problem"]

_Parameters = ParamSpec("_Parameters")


class PolicyFields(TypedDict, total=False):
    """The fields of a policy as the keyword arguments of whatever takes a policy."""

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


def _report_unknown_fields(init: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    """Wrap a Policy's `__init__` so that an unknown keyword is a PolicyError with the right name.

    Python's own TypeError would name the keyword, but not the field that was meant. Type checkers
    still see the signature of `init`.
    """

    @wraps(init)
    def report(self: Policy, /, **fields: Any) -> None:
        if not CHECKS.keys() >= fields.keys():
            Policy.read(fields)  # raises: one of them is unknown
        cast(Callable[..., None], init)(self, **fields)

    return cast(Callable[_Parameters, None], report)


class Policy:
    """What a server allows pages of other origins. Immutable, hashable, comparable.

    Each field is named after the response header that it becomes (Fetch, "HTTP responses" of the
    CORS protocol), without `Access-Control-`:

    * allow_origins: a list of origin patterns (`https://example.com`, `https://*.example.com`,
      `http://localhost:*`, or `*` alone), compiled regular expressions of str, matched as a
      whole, and callables that take a serialised origin and return a bool, or an awaitable of one.
    * allow_credentials: whether pages may send cookies and read the answer.
    * allow_methods, allow_headers, expose_headers: lists of names, or `*`.
    * max_age: how long a browser may keep the answer to a preflight, in seconds or as a
      timedelta; 0 for not at all; None to leave it to the browser (5 seconds).
    * predicate_timeout: how many seconds an async callable may take before it counts as a no.
    * dangerously_...: each lifts one check of allow_origins.

    Raises PolicyError with every problem found; warns with PolicyWarning.
    """

    __slots__ = tuple(CHECKS)

    allow_origins: tuple[OriginEntry, ...]
    allow_credentials: bool
    allow_methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    max_age: int | None
    predicate_timeout: float
    dangerously_allow_insecure_origins: bool
    dangerously_allow_public_suffixes: bool
    dangerously_allow_null_origin: bool

    @_report_unknown_fields
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
        self._keep(locals())
        warn_of(cautions(self))

    def _keep(self, given: Mapping[str, Any]) -> None:
        found = Findings()
        for field, check in CHECKS.items():
            object.__setattr__(self, field, check(found, field, given[field]))
        found.problems.extend(combinations(self))
        if found.problems:
            raise PolicyError(found.problems)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Policy:
        """The policy whose fields are the mapping's items, as in a configuration file.

        Raises PolicyError, where an unknown key is a problem as well, and a missing
        `allow_origins`; warns with PolicyWarning.
        """
        policy = cls.read(mapping)
        warn_of(cautions(policy))
        return policy

    @classmethod
    def read(cls, mapping: Mapping[str, Any]) -> Policy:
        """The same without a warning: for those who know the place that it is to name."""
        if not isinstance(mapping, Mapping):
            message = f"{shown(mapping)} is not a table of a policy's fields"
            suggestion = '{"allow_origins": ["https://app.example.com"]}'
            raise PolicyError([Problem("type-invalid", "policy", mapping, message, suggestion)])
        unknown = unknown_fields(mapping, CHECKS)
        known = {key: value for key, value in mapping.items() if key in CHECKS}
        policy = cls.__new__(cls)
        try:
            cls._keep(policy, {**_DEFAULTS, **known})
        except PolicyError as error:
            raise PolicyError([*unknown, *error.problems]) from None
        if unknown:
            raise PolicyError(unknown)
        return policy

    @property
    def warnings(self) -> tuple[PolicyWarning, ...]:
        """What this policy warned of when it was made."""
        return tuple(PolicyWarning(problem) for problem in cautions(self))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a policy can't be changed: make a new one with another {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a policy can't be changed: make a new one without {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        fields = zip(CHECKS, self._values(), strict=True)
        return f"Policy({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def __copy__(self) -> Policy:
        return self

    def __deepcopy__(self, memo: object) -> Policy:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Policy.from_mapping, (dict(zip(CHECKS, self._values(), strict=True)),)

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, field) for field in CHECKS)


_DEFAULTS: dict[str, object] = {
    "allow_origins": (),
    **vars(Policy.__init__)["__wrapped__"].__kwdefaults__,
}
