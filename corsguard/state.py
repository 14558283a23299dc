"""State: everything that a guard's decisions depend on, compiled, and replaced as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from re import Pattern
from types import MappingProxyType
from typing import Literal, NamedTuple

from corsguard.checks import Findings, exposure, is_async
from corsguard.engine import Engine
from corsguard.policy import Policy, PolicyError, Problem
from corsguard.routes import Routes, prefix_problems

__all__ = ["Enforce", "Policies", "State", "compiled"]

Policies = Policy | Mapping[str, Policy | None] | None
"""One policy for every path, or policies by route prefix, or none."""
Enforce = bool | Literal["report"]


class State(NamedTuple):
    """The policies and options of a guard, so that one assignment replaces them all."""

    policies: Policies
    everywhere: Engine | None
    routes: Routes[Engine | None] | None
    enforce: Enforce
    enforce_exempt: tuple[str, ...]
    exempt: Routes[None]
    own_origins: tuple[str, ...]

    def find(self, path: str) -> tuple[str | None, Engine | None]:
        """The route that covers path and the engine that holds there; None for what is not."""
        if self.routes is None:
            return None, self.everywhere
        return self.routes.find(path) or (None, None)

    def require_sync(self) -> None:
        """Raise PolicyError where a callable of a policy can only be awaited."""
        problems = [
            Problem(
                "callable-async",
                "allow_origins",
                entry,
                f"{entry!r} is async, and nothing can await it here",
                "a callable that returns a bool at once, or an ASGI application",
            ).within(_place(prefix))
            for prefix, policy in _by_prefix(self.policies).items()
            if isinstance(policy, Policy)
            for entry in policy.allow_origins
            if not isinstance(entry, (str, Pattern)) and is_async(entry)
        ]
        if problems:
            raise PolicyError(problems)


def compiled(
    policies: Policies, enforce: Enforce, enforce_exempt: Iterable[str], own_origins: Iterable[str]
) -> State:
    """The state that the parameters of a guard make; raises PolicyError with every problem."""
    found = Findings()
    if not (enforce is True or enforce is False or enforce == "report"):
        message = f"{enforce!r} is neither a bool nor 'report'"
        found.add("type-invalid", "enforce", enforce, message, "True")
    exempt = found.strings("enforce_exempt", enforce_exempt)
    found.problems.extend(prefix_problems("enforce_exempt", exempt))
    owned = found.strings("own_origins", own_origins)
    for origin in owned:
        found.own_origin("own_origins", origin)
    table = _by_prefix(policies)
    if policies is not table.get(_EVERYWHERE):
        found.problems.extend(prefix_problems("routes", table))
    for prefix, policy in table.items():
        if policy is not None and not isinstance(policy, Policy):
            message = f"{policy!r} is not a Policy"
            suggestion = "Policy(allow_origins=[...]), or Guard.from_mapping for a table of fields"
            found.add("type-invalid", _place(prefix) or "policy", policy, message, suggestion)
    exempt_routes = Routes(dict.fromkeys(exempt))
    if enforce:
        found.problems.extend(_unenforceable(table, exempt_routes))
    if found.problems:
        raise PolicyError(found.problems)

    engines = {
        id(policy): Engine(policy, own_origins=owned, enforced=bool(enforce))
        for policy in table.values()
        if policy is not None
    }
    by_prefix = {prefix: engines.get(id(policy)) for prefix, policy in table.items()}
    everywhere = by_prefix.pop(_EVERYWHERE, None)
    return State(
        policies if everywhere or policies is None else MappingProxyType(table),
        everywhere,
        None if everywhere else Routes(by_prefix),
        enforce,
        exempt,
        exempt_routes,
        owned,
    )


_EVERYWHERE = ""
"""The prefix of a policy that holds for every path, whatever the path looks like."""


def _by_prefix(policies: Policies) -> dict[str, Policy | None]:
    if isinstance(policies, Mapping):
        return dict(policies)  # whoever gave it may change theirs
    return {} if policies is None else {_EVERYWHERE: policies}


def _place(prefix: str) -> str:
    return f'routes."{prefix}"' if prefix else ""


def _unenforceable(table: Mapping[str, Policy | None], exempt: Routes[None]) -> Iterator[Problem]:
    """What must not be in a policy under `enforce`, on the routes that are not exempt."""
    for prefix, policy in table.items():
        if not isinstance(policy, Policy) or (prefix and exempt.find(prefix)):
            continue
        if "*" in policy.allow_origins:
            yield Problem(
                "enforce-with-wildcard",
                "allow_origins",
                "*",
                "`*` lets every site do everything, which leaves nothing to enforce",
                "list the origins, or exempt the path",
            ).within(_place(prefix))
        if not policy.allow_credentials:  # with credentials, these have been checked
            yield from (problem.within(_place(prefix)) for problem in exposure(policy))
