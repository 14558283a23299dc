"""Problems of a configuration, and the error and the warning that carry them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple
from warnings import warn

from corsguard.escaping import show_value

__all__ = [
    "ALLOW_NOTHING",
    "ALLOW_NOTHING_IN_MAPPING",
    "ALLOW_NOTHING_VARIABLE",
    "DOCUMENTATION_URL",
    "NO_POLICY",
    "POLICY_OR_FIELDS",
    "PolicyError",
    "PolicyWarning",
    "Problem",
    "build_problem_url",
    "emit_warnings",
    "format_explain_command",
    "format_notes",
    "is_own_module",
]

DOCUMENTATION_URL = "https://corsguard.readthedocs.io/en/stable/"
"""The address of the documentation site, with the slash at its end."""

_ADAPTERS = ("asgi", "django", "flask", "pytest", "starlette", "wsgi")
_PACKAGES = frozenset({"corsguard", *(f"corsguard_{name}" for name in _ADAPTERS)})

_MAX_SAFE_INTEGER = 2**53 - 1


class Problem(NamedTuple):
    """One thing that is wrong with a configuration, and how to fix it."""

    code: str
    """Stable name of the kind of problem, such as `origin-invalid`."""
    field: str
    """The field and its place, such as `allow_origins` or `routes."/api".max_age`."""
    value: object
    """The offending value as it was given."""
    message: str
    """The reason, in one sentence without the name of the field and without a full stop."""
    suggestion: str
    """The value to use instead where there is one, else an instruction, such as `remove it`."""

    def __str__(self) -> str:
        # No full stop behind the suggestion, which a reader may copy.
        advice = _format_advice(self.suggestion)
        return f"{self.field}: {self.message}. {advice} [{self.code}]"

    @property
    def url(self) -> str:
        """The address of the section about the code. `corsguard explain-code` prints it offline."""
        return build_problem_url(self.code)

    def within(self, place: str) -> Problem:
        """Return the problem with its field named as a part of place; "" leaves it as it is."""
        return self._replace(field=f"{place}.{self.field}" if place else self.field)

    def as_dict(self) -> dict[str, object]:
        """Return a dict that `json.dumps` takes: attribute -> value, `url` among them.

        Values that JSON can't represent become their repr().
        """
        value = self.value if _is_json_scalar(self.value) else show_value(self.value)
        return {**self._asdict(), "value": value, "url": self.url}


def build_problem_url(code: str) -> str:
    """Return the address of the section about a code."""
    return f"{DOCUMENTATION_URL}problems.html#{code}"


_INSTRUCTION = re.compile(
    r"(?:add|call|correct|end|escape|exempt|give|in|include|install|keep|list|pass|publish|put|remove"
    r"|rename|set|to|use|write)\b(?!_)"
)
"""The first words of suggestions that say what to do. The others are values."""


def _format_advice(suggestion: str) -> str:
    """Return a suggestion as a sentence: `Remove it`, or `Use https://a.example`."""
    if _INSTRUCTION.match(suggestion):
        return suggestion[0].upper() + suggestion[1:]
    return f"Use {suggestion}"


ALLOW_NOTHING_VARIABLE = "CORSGUARD_ALLOW_ORIGINS=none"
_ALLOW_NOTHING_FORMS = (
    'to allow nothing, write {} in Python, [routes] "/" = false in TOML, '
    f"{ALLOW_NOTHING_VARIABLE} in the environment"
)
ALLOW_NOTHING = _ALLOW_NOTHING_FORMS.replace("{}", '{"/": None}')
"""How to configure that no origin is allowed, in Python, TOML and the environment."""

ALLOW_NOTHING_IN_MAPPING = _ALLOW_NOTHING_FORMS.replace("{}", '{"routes": {"/": None}}')
"""ALLOW_NOTHING for a mapping that has a key for routes (`Guard.from_mapping`)."""

NO_POLICY = Problem(
    "no-policy",
    "policy",
    None,
    f"no policy was given, and none is configured; {ALLOW_NOTHING}",
    'give a policy, such as Policy(allow_origins=["https://app.example.com"])',
)

POLICY_OR_FIELDS = "either policy=Policy(...), or its fields as keywords: allow_origins=[...]"
"""The suggestion for a call of an adapter with both, or with a dict of fields."""


def _is_json_scalar(value: object) -> bool:
    """Return True if every reader of JSON gets value exactly (RFC 8259, 6)."""
    if isinstance(value, (int, float)):
        return -_MAX_SAFE_INTEGER <= value <= _MAX_SAFE_INTEGER
    return value is None or isinstance(value, str)


class PolicyError(ValueError):
    """A configuration that is refused, with every problem and not just the first.

    Its notes, which a traceback shows below the message, say where each code is explained.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)
        for note in format_notes(self.problems):
            self.add_note(note)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = "".join(f"\n  * {problem}" for problem in self.problems)
        return f"{len(self.problems)} problems:{lines}"

    def as_dict(self) -> dict[str, object]:
        """Return a dict that `json.dumps` takes: `"problems"` -> a list of Problem.as_dict()."""
        return {"problems": [problem.as_dict() for problem in self.problems]}


def format_notes(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield lines: the address of each code's section, then the command that prints it offline."""
    urls = {problem.code: problem.url for problem in problems}
    for url in urls.values():
        yield f"See {url}"
    if urls:
        yield f"Offline: {format_explain_command(urls)}"


def format_explain_command(codes: Collection[str]) -> str:
    """Return the command that explains one code, or with a placeholder, each of several."""
    return f"corsguard explain-code {next(iter(codes)) if len(codes) == 1 else 'CODE'}"


class PolicyWarning(UserWarning):
    """A policy that is accepted, but is rarely what was meant."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem)

    def __str__(self) -> str:
        return str(self.problem)


def emit_warnings(problems: Iterable[Problem]) -> None:
    """Emit a PolicyWarning for each, at the line that called corsguard or an adapter."""
    for problem in problems:
        warn(PolicyWarning(problem), stacklevel=_count_own_frames())


def _count_own_frames() -> int:
    """Return the number of innermost stack frames that are in corsguard or its adapters."""
    from inspect import currentframe  # start-up only, and seldom

    calls, frame = 0, currentframe()
    while frame and is_own_module(frame.f_globals.get("__name__", "")):
        calls, frame = calls + 1, frame.f_back
    return calls


def is_own_module(name: str) -> bool:
    """Return True if a module is a part of corsguard or of an adapter."""
    return name.partition(".")[0] in _PACKAGES
