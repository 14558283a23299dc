"""The modules of a checkout and the imports between them, read with `ast`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

__all__ = [
    "FACE",
    "FOUNDATION",
    "find_cycle",
    "find_modules",
    "list_imports",
    "name_package",
    "read_graph",
    "read_tree",
]

FACE = "corsguard"
"""The public names: `corsguard/__init__.py` alone."""
FOUNDATION = "corsguard.*"
"""The other modules directly in `corsguard/`: they count as one package."""


def find_modules(root: Path) -> dict[str, Path]:
    """Return the modules of the core and of the adapters: dotted name -> file."""
    folders = [root / "corsguard", *sorted((root / "adapters").glob("corsguard_*"))]
    found = {}
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def name_package(module: str, modules: Mapping[str, Path]) -> str:
    """Return the package that a module counts to: `corsguard.policy`, `corsguard.*`, an adapter.

    Packages in packages count to the outer one, so `corsguard.cli.audit` is `corsguard.cli`, and so
    does `python -m corsguard`.
    """
    first, *rest = module.split(".")
    if first != FACE or not rest:
        return first
    if rest == ["__main__"]:
        return "corsguard.cli"
    if len(rest) > 1 or modules[module].name == "__init__.py":
        return f"{first}.{rest[0]}"
    return FOUNDATION


def read_tree(file: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def list_imports(tree: ast.Module, modules: Iterable[str], *, lazy: bool = False) -> set[str]:
    """Return which of `modules` a tree imports when it is imported itself.

    With `lazy`, imports inside functions and under TYPE_CHECKING count too.
    """
    known = set(modules)
    found: set[str] = set()
    for node in ast.walk(tree) if lazy else _walk_import_time(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= submodules
            if len(submodules) < len(node.names):
                found.add(node.module)
    return found & known


def _walk_import_time(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run at import: no bodies of functions, nothing for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _walk_import_time(child)


def read_graph(modules: Mapping[str, Path], *, lazy: bool = False) -> dict[str, set[str]]:
    """Return module -> the modules that it imports."""
    return {
        name: list_imports(read_tree(file), modules, lazy=lazy) - {name}
        for name, file in modules.items()
    }


def find_cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return one cycle of the graph, its first node again at the end; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []
