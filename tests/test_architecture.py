"""The layout: which package may import which, and the map of it in docs/architecture.md."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.house_imports import (
    FACE,
    FOUNDATION,
    find_cycle,
    find_modules,
    list_imports,
    name_package,
    read_graph,
)

ROOT = Path(__file__).resolve().parents[1]
MODULES = find_modules(ROOT)
BELOW: dict[str, set[str]] = {
    FOUNDATION: set(),
    "corsguard.policy": {FOUNDATION},
    "corsguard.engine": {FOUNDATION, "corsguard.policy"},
    "corsguard.guard": {FOUNDATION, "corsguard.policy", "corsguard.engine"},
    "corsguard.sources": {FOUNDATION, "corsguard.policy", "corsguard.engine", "corsguard.guard"},
    "corsguard.metrics": {FOUNDATION, "corsguard.policy", "corsguard.engine", "corsguard.guard"},
    "corsguard.browser": {FOUNDATION, "corsguard.policy"},
}
"""Package -> the packages that it may import when it is imported itself."""
BELOW[FACE] = {*BELOW} - {"corsguard.browser", "corsguard.metrics", "corsguard.sources"}
BELOW["corsguard.explain"] = {*BELOW}
BELOW["corsguard.cli"] = {*BELOW}
CORE = frozenset(BELOW)
BUILDS_ON = {"corsguard_flask": "corsguard_wsgi", "corsguard_starlette": "corsguard_asgi"}
"""Adapter -> the one other adapter that it may import."""
COMMANDS = (
    "corsguard_django.management.commands.",
    "corsguard_flask.cli",
    "corsguard_flask.commands",
)
APPLICATION = ".application"
"""The end of the name of an adapter's module that the commands with `--app` load."""
DEMO = ("corsguard.cli.demo", "corsguard.cli.commands")
"""The modules that run the demo, or start it."""


def arrows(*, lazy: bool = False) -> Iterator[tuple[str, str]]:
    for module, imported in read_graph(MODULES, lazy=lazy).items():
        for other in imported:
            yield module, other


def is_command(module: str) -> bool:
    """Return True for a module of an adapter that a command loads, and not the adapter itself."""
    return module.startswith(COMMANDS) or module.endswith(APPLICATION)


def package(module: str) -> str:
    return name_package(module, MODULES)


def test_core_packages_are_those_of_the_layout() -> None:
    found = {package(module) for module in MODULES if module.split(".")[0] == FACE}

    assert found == CORE


def test_core_imports_point_one_way() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, other in arrows()
        if package(module) in CORE
        and package(other) not in {package(module), *BELOW[package(module)]}
    ]

    assert not wrong, "\n".join(wrong)


def test_modules_import_one_another_in_no_cycle() -> None:
    assert find_cycle(read_graph(MODULES)) == []


def test_packages_import_one_another_in_no_cycle() -> None:
    packages: dict[str, set[str]] = {}
    for module, other in arrows():
        if package(module) != package(other):
            packages.setdefault(package(module), set()).add(package(other))

    assert find_cycle(packages) == []


def test_core_imports_no_adapter_but_for_the_demo() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, other in arrows(lazy=True)
        if package(module) in CORE and package(other) not in CORE and not module.startswith(DEMO)
    ]

    assert not wrong, "\n".join(wrong)


def test_demo_imports_its_adapter_inside_functions() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, other in arrows()
        if module.startswith(DEMO) and package(other) not in CORE
    ]

    assert not wrong, "\n".join(wrong)


def test_browser_model_knows_no_guard_and_no_engine() -> None:
    server = {FACE, "corsguard.engine", "corsguard.guard", "corsguard.explain", "corsguard.cli"}
    wrong = [
        f"{module} imports {other}"
        for module, other in arrows(lazy=True)
        if package(module) == "corsguard.browser" and package(other) in server
    ]

    assert not wrong, "\n".join(wrong)


def test_adapters_import_no_command_line_when_imported() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, other in arrows()
        if package(module) not in CORE
        and package(other) == "corsguard.cli"
        and not is_command(module)
    ]

    assert not wrong, "\n".join(wrong)


def test_adapters_do_not_load_what_commands_need_when_imported() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, other in arrows()
        if package(module) not in CORE and other.endswith(APPLICATION) and not is_command(module)
    ]

    assert not wrong, "\n".join(wrong)


def test_each_adapter_can_describe_an_application() -> None:
    adapters = {package(module) for module in MODULES} - CORE - {"corsguard_pytest"}

    assert {f"{each}{APPLICATION}" for each in adapters} <= set(MODULES)


def test_adapters_import_no_other_adapter() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, other in arrows(lazy=True)
        if package(module) not in CORE
        and package(other) not in {*CORE, package(module), BUILDS_ON.get(package(module))}
    ]

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", sorted({package(module) for module in MODULES}))
def test_architecture_page_names_every_module(folder: str) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([\w/.]+)` \|", page, re.MULTILINE))
    files = {
        file.relative_to(ROOT).as_posix()
        for module, file in MODULES.items()
        if package(module) == folder
    }

    assert not files - named, "run: python tests/tools/house.py --page docs/architecture.md"


def test_architecture_page_names_no_module_that_is_gone() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `((?:corsguard|adapters)/[\w/]+\.py)` \|", page, re.MULTILINE)

    assert [name for name in named if not (ROOT / name).is_file()] == []


SOURCE = """
import a
from b import c, Name
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import d
try:
    from e import f
except ImportError:
    pass
def lazy():
    import g
"""


def test_imports_are_those_at_import_time() -> None:
    known = ["a", "b", "b.c", "d", "e", "e.f", "g"]

    assert list_imports(ast.parse(SOURCE), known) == {"a", "b", "b.c", "e.f"}


def test_imports_with_lazy_ones_are_all() -> None:
    known = ["a", "b", "b.c", "d", "e", "e.f", "g"]

    assert list_imports(ast.parse(SOURCE), known, lazy=True) == {"a", "b", "b.c", "d", "e.f", "g"}


def test_cycle_is_found_and_named() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()})[0] in "abc"
    assert find_cycle({"a": {"b"}, "b": set()}) == []


def test_house_measures_this_checkout() -> None:
    pytest.importorskip("rich")
    program = ROOT / "tests" / "tools" / "house.py"
    run = subprocess.run(
        [sys.executable, str(program), "--root", str(ROOT), "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(run.stdout)

    statuses = [walk["status"].split()[0] for walk in found["walks"].values()]
    assert statuses == ["204", "204", "403"]
    assert found["packages"]["corsguard.policy"]["modules"] > 1
    assert "decide" in found["guard"]
    assert found["tests"]["helpers"] == []
    assert found["imports"]["module cycle"] == []
