"""What can be wrong with a configuration, and the error and the warning that say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from warnings import warn

from corsguard.escaping import show_value

__all__ = [
    "ALLOW_NOTHING",
    "ALLOW_NOTHING_IN_MAPPING",
    "ALLOW_NOTHING_VARIABLE",
    "NO_POLICY",
    "POLICY_OR_FIELDS",
    "PolicyError",
    "PolicyWarning",
    "Problem",
    "emit_warnings",
]

_PACKAGES = frozenset(
    {"corsguard", *(f"corsguard_{name}" for name in ("asgi", "django", "flask", "pytest", "wsgi"))}
)

_MAX_SAFE_INTEGER = 2**53 - 1


class Problem(NamedTuple):
    """One thing that is wrong, and how to mend it."""

    code: str
    """Stable name of the kind of problem, such as `origin-invalid`."""
    field: str
    """Where it stands, such as `allow_origins` or `routes."/api".max_age`."""
    value: object
    """The offending value as it was given."""
    message: str
    """What is wrong with it, in one sentence."""
    suggestion: str
    """The value to write instead where there is one, else what to do."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message} [{self.code}] -> {self.suggestion}"

    def within(self, place: str) -> Problem:
        """The same problem, its field named as a part of place."""
        return self._replace(field=f"{place}.{self.field}" if place else self.field)

    def as_dict(self) -> dict[str, object]:
        """The same as a dict that `json.dumps` takes; what JSON has not becomes its repr."""
        value = self.value if _is_json_scalar(self.value) else show_value(self.value)
        return {**self._asdict(), "value": value}


ALLOW_NOTHING_VARIABLE = "CORSGUARD_ALLOW_ORIGINS=none"
_ALLOW_NOTHING_FORMS = (
    'to allow nothing, write {} in Python, [routes] "/" = false in TOML, '
    f"{ALLOW_NOTHING_VARIABLE} in the environment"
)
ALLOW_NOTHING = _ALLOW_NOTHING_FORMS.replace("{}", '{"/": None}')
"""The form of a policy that no origin passes, for each place where it may be configured."""

ALLOW_NOTHING_IN_MAPPING = _ALLOW_NOTHING_FORMS.replace("{}", '{"routes": {"/": None}}')
"""The same where Python's form is a mapping in the one configuration shape."""

NO_POLICY = Problem(
    "no-policy",
    "policy",
    None,
    f"no policy was given, and none is configured; {ALLOW_NOTHING}",
    'give a policy, such as Policy(allow_origins=["https://app.example.com"])',
)

POLICY_OR_FIELDS = "either policy=Policy(...), or its fields as keywords: allow_origins=[...]"
"""What to write where an adapter was called with both, or with a dict of fields."""


def _is_json_scalar(value: object) -> bool:
    """Whether any reader of JSON gets value as it was given (RFC 8259, 6)."""
    if isinstance(value, (int, float)):
        return -_MAX_SAFE_INTEGER <= value <= _MAX_SAFE_INTEGER
    return value is None or isinstance(value, str)


class PolicyError(ValueError):
    """A configuration that does not start. It carries every problem, not just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = "".join(f"\n  * {problem}" for problem in self.problems)
        return f"{len(self.problems)} problems:{lines}"

    def as_dict(self) -> dict[str, object]:
        """All problems as a dict that `json.dumps` takes."""
        return {"problems": [problem.as_dict() for problem in self.problems]}


class PolicyWarning(UserWarning):
    """A policy that starts, but is rarely what was meant."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem)

    def __str__(self) -> str:
        return str(self.problem)


def emit_warnings(problems: Iterable[Problem]) -> None:
    """Warn of each at the line that called this package, or an adapter, whatever it called."""
    for problem in problems:
        warn(PolicyWarning(problem), stacklevel=_count_own_frames())


def _count_own_frames() -> int:
    """How many calls within these packages lead here."""
    from inspect import currentframe  # start-up only, and seldom

    calls, frame = 0, currentframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _PACKAGES:
        calls, frame = calls + 1, frame.f_back
    return calls
