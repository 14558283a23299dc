"""Every problem code in the source of the core and the adapters, found with ast."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CHECK_ID = re.compile(r"corsguard\.([a-z-]+)")
_MISPLACED = re.compile(r"below-[a-z]+")
_COMPUTED_IDS = {
    "f'corsguard.asgi-{kind}'": ("asgi-websocket", "asgi-webtransport"),
    "f'corsguard.{above[0][1]}'": (),  # those of _MISPLACED
    "f'{TAG}.{problem.code}'": (),
}
"""Expression of a check's id -> the codes that it adds to those of problems."""


def find_codes() -> set[str]:
    """Return every code of a Problem, and of a system check of Django."""
    found: set[str] = set()
    for folder in ("corsguard", "adapters"):
        for path in sorted((_ROOT / folder).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            found.update(_find_problems(nodes, path))
            if path.parent.name == "corsguard_django":
                found.update(_find_check_ids(nodes))
    return found


def _find_problems(nodes: list[ast.AST], path: Path) -> Iterator[str]:
    """Yield the first argument of each `Problem(...)`, and of each `add(...)` of a collector."""
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    constructors = {"Problem", "add"} if "ProblemCollector" in names else {"Problem"}
    for node in nodes:
        if isinstance(node, ast.Call) and _get_name(node.func) in constructors:
            yield from _read_code(node.args[0], nodes, path)


def _get_name(function: ast.expr) -> str:
    return str(getattr(function, "id", getattr(function, "attr", "")))


def _read_code(argument: ast.expr, nodes: list[ast.AST], path: Path) -> list[str]:
    """Return the code that an argument is, or that a variable of the module may have."""
    if isinstance(argument, ast.Constant):
        return [str(argument.value)]
    assert isinstance(argument, ast.Name), f"{path}:{argument.lineno}: a code is no expression"
    assigned = [
        str(node.value.value)
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if ast.unparse(node.targets[0]) == argument.id
    ]
    # The collector's own method builds a Problem from its parameter.
    assert assigned or path.stem == "problem_collector", f"{path}:{argument.lineno}"
    return assigned


def _find_check_ids(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and _MISPLACED.fullmatch(str(node.value)):
            yield str(node.value)
        elif isinstance(node, ast.keyword) and node.arg == "id":
            if isinstance(node.value, ast.Constant):
                found = _CHECK_ID.fullmatch(str(node.value.value))
                assert found, node.value.value
                yield found[1]
            else:
                yield from _COMPUTED_IDS[ast.unparse(node.value)]
