"""The house in numbers: layout, imports, the walk of a request, and how the code reads.

    python tests/tools/house.py [--root DIR] [--json | --list] [--page docs/architecture.md]

Measures the checkout in DIR (this one by default) with the standard library's `ast`, and three
requests by running them. An older checkout can be measured too. `--list` names what was counted.
`--page` writes the table of modules into a page, between its two comments.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))
from tools.house_imports import find_cycle, find_modules, name_package, read_graph, read_tree

HERE = Path(__file__).resolve().parents[2]
LONGEST_NAME = 60
CODE = ("corsguard", "adapters", "examples")
TOOLS = ("tests/support", "tests/tools")
MODULES_START = "<!-- modules: made by `python tests/tools/house.py --page` -->"
MODULES_END = "<!-- end of modules -->"
NOT_PROSE = ("house", "glossary.md", "CHANGELOG.md")
"""The beginnings of the names of files that quote the old dialect."""

VERBS = frozenset(
    """
    abort accept add adopt advance allow answer append apply ask assert assign attach audit
    await begin bind block build cache call cancel capture change check choose clear close
    collect combine compare compile complete compute configure connect consume continue convert
    copy count create cut deal decide declare decline decode decorate define delete demand deny
    derive describe detect discard disconnect dispatch display do drain draw drop echo emit
    encode end enforce ensure enter escape evaluate examine exclude execute exempt exit expand
    expect explain export expose extend extract fail feed fetch fill filter find finish fix
    flush fold follow forget format forward freeze fuzz gather generate get give go group guard
    handle hash have hide hold ignore implement import include increment index infer inherit
    initialise insert inspect install intersect invalidate invoke iterate join keep label leave
    let limit list listen load locate log look lower make map mark match measure merge mount
    move name narrow negotiate normalise normalize note notify offer open order override pad
    parse pass patch percent-decode percent-encode pick place play point poll pop predict prefer
    prepare prepend print probe process produce propose protect prove provide publish pull push
    put quote raise reach react read rebuild receive recognise recompile record reduce refuse
    register reject release reload remember remove rename render repeat replace report request
    require reset resolve respond restart restore retain retry return reverse revert reword
    rewrite round route run save say scan search see select send separate serialise serve set
    shorten show shut sign simulate skip sort spare split start stop store stream strip
    subscribe substitute subtract suggest summarise switch take tell terminate test trace track
    translate trim try turn unwrap update use validate verify visit wait walk warn watch weigh
    widen wrap write yield
    """.split()
)
"""The imperatives that a docstring may begin with."""

DIALECT = re.compile(
    r"""(?x) \b(?:
    mend(?:s|ed|ing)? | told | rulings? | judged | judges | in\ vain | strangers? | cautions? |
    is\ no\ (?:origin|token|policy|regex|list|host|browser|page|bool|url|header|method|preflight) |
    has\ what | what\ holds | stands?\ (?:in|at|before|behind|beside|around) | standing\ (?:in|at) |
    polic(?:y|ies)\ (?:that\ )?holds? | asks?\ ahead | asked\ (?:ahead|about|only) |
    need\ no\ leave | any\ port\ of\ it | (?:a|as\ a)\ no\b(?!-) | counts\ as\ a\ no |
    says?\ (?:yes|no)\b |
    said\ (?:yes|no)\b | habits?\ of\ (?:a|that|the)\ (?:browser|engine)s? | whether\ it\ tells |
    is\ kept\ from | hears?\ of | whose\ answer | of\ no\ use | so\ is\ none | no\ second\ thing |
    Facts | Trail | Trick | StageAt | facts\ of\ a\ request
    )\b"""
)
"""The old dialect: phrases of the glossary's left column that are never right here."""


def list_files(root: Path, *folders: str, suffix: str = ".py") -> list[Path]:
    """Return the files in the folders that git tracks, sorted."""
    # By default git refuses to read a checkout that belongs to another user.
    command = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "--", *folders]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [root / name for name in sorted(names) if name.endswith(suffix)]


def measure_packages(root: Path) -> dict[str, dict[str, int]]:
    """Return package -> how many modules and lines it has, and the lines of the longest module."""
    modules = find_modules(root)
    found: dict[str, dict[str, int]] = {}
    for name, file in modules.items():
        lines = len(file.read_text(encoding="utf-8").splitlines())
        row = found.setdefault(
            name_package(name, modules), {"modules": 0, "lines": 0, "longest": 0}
        )
        row["modules"] += 1
        row["lines"] += lines
        row["longest"] = max(row["longest"], lines)
    return found


def measure_imports(root: Path) -> dict[str, Any]:
    """Return the arrows between packages, and a cycle of modules and one of packages, if any."""
    modules = find_modules(root)
    graph = read_graph(modules)
    arrows = Counter(
        (name_package(name, modules), name_package(other, modules))
        for name, others in graph.items()
        for other in others
    )
    packages: dict[str, set[str]] = {}
    for start, end in arrows:
        if start != end:
            packages.setdefault(start, set()).add(end)
    return {
        "arrows": {f"{a} -> {b}": n for (a, b), n in sorted(arrows.items()) if a != b},
        "module cycle": find_cycle(graph),
        "package cycle": find_cycle(packages),
    }


def measure_walks(root: Path) -> dict[str, Any]:
    """Return the walks of the requests and the public names of Guard; see house_walk.py."""
    paths = os.pathsep.join(map(str, (root, root / "adapters")))
    program = Path(__file__).with_name("house_walk.py")
    run = subprocess.run(
        [sys.executable, str(program), str(root)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    if run.returncode:
        return {"walks": {}, "guard": [], "error": run.stderr.strip().splitlines()[-1]}
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def walk_functions(
    files: Iterable[Path],
) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the functions and methods of the files, async ones included."""
    for file in files:
        for node in ast.walk(read_tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield file, node


def measure_docstrings(root: Path) -> dict[str, Any]:
    """Return how many functions have a docstring, and which begin without an imperative verb.

    Properties are left out: a noun phrase is right for an attribute (as in D401).
    """
    count, others = 0, []
    for file, node in walk_functions(list_files(root, *CODE)):
        words = (ast.get_docstring(node) or "").split()
        if not words or any("property" in ast.unparse(item) for item in node.decorator_list):
            continue
        count += 1
        if words[0].strip(".,:;").lower() not in VERBS:
            others.append(f"{file.relative_to(root)}:{node.lineno}: {' '.join(words[:8])}")
    return {"functions": count, "imperative": count - len(others), "others": others}


def measure_dialect(root: Path) -> dict[str, list[str]]:
    """Return area -> the hits of the old dialect, as `file:line: phrase`."""
    markdown = list_files(root, suffix=".md")
    areas = {
        "code": list_files(root, *CODE),
        "docs": markdown,
        "tests": list_files(root, "tests"),
    }
    return {
        area: [
            f"{file.relative_to(root)}:{number}: {hit[0]}"
            for file in files
            if not file.name.startswith(NOT_PROSE)
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
            if not line.startswith(("| `corsguard/", "| `adapters/"))  # copied from docstrings
            for hit in DIALECT.finditer(line)
        ]
        for area, files in areas.items()
    }


def measure_tests(root: Path) -> dict[str, Any]:
    """Return how many tests there are, the long names, and the helpers outside of their place."""
    files = list_files(root, "tests")
    places = tuple(f"{root / place}{os.sep}" for place in TOOLS)
    names = [
        node.name
        for _, node in walk_functions(file for file in files if file.name.startswith("test_"))
        if node.name.startswith("test_")
    ]
    helpers = [
        str(file.relative_to(root))
        for file in files
        if not file.name.startswith(("test_", "conftest.", "__init__."))
        and not str(file).startswith(places)
    ]
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    longest = [name for name in names if len(name) > LONGEST_NAME]
    return {"names": len(names), "long names": longest, "helpers": helpers, "lines": lines}


def measure(root: Path) -> dict[str, Any]:
    """Return all that is measured of a checkout."""
    return {
        "packages": measure_packages(root),
        "imports": measure_imports(root),
        "docstrings": measure_docstrings(root),
        "dialect": measure_dialect(root),
        "tests": measure_tests(root),
        **measure_walks(root),
    }


def summarise(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the rows of the table: what was measured, and the figure."""
    for name, row in found["packages"].items():
        figures = f"{row['modules']} modules, {row['lines']:,} lines, longest {row['longest']}"
        yield name, figures
    imports = found["imports"]
    yield "arrows between packages", str(len(imports["arrows"]))
    for kind in ("module cycle", "package cycle"):
        yield kind, " -> ".join(imports[kind]) or "none"
    for name, walk in found["walks"].items():
        yield name, f"{walk['files']} files, {walk['calls']} calls"
    if "error" in found:
        yield "the walks did not run", found["error"]
    docstrings = found["docstrings"]
    share = docstrings["imperative"] / max(docstrings["functions"], 1)
    yield "docstrings that begin with a verb", f"{share:.0%} of {docstrings['functions']:,}"
    for area, hits in found["dialect"].items():
        yield f"hits of the old dialect, {area}", str(len(hits))
    tests = found["tests"]
    share = len(tests["long names"]) / max(tests["names"], 1)
    yield f"test names over {LONGEST_NAME} characters", f"{share:.1%} of {tests['names']:,}"
    yield "helper modules outside support and tools", str(len(tests["helpers"]))
    yield "lines of tests, support and tools", f"{tests['lines']:,}"
    yield "public names of Guard", str(len(found["guard"]))


def list_modules(root: Path) -> str:
    """Return a Markdown table for each package: its modules, and what their docstrings say first.

    The path in a row is the one from the root, so that an editor and GitHub find it.
    """
    modules = find_modules(root)
    tables: dict[str, list[str]] = {}
    for name, file in sorted(modules.items()):
        docstring = ast.get_docstring(read_tree(file)) or ""
        first = docstring.partition("\n")[0].replace("|", "\\|")
        path = file.relative_to(root).as_posix()
        row = f"| `{path}` | {first} |"
        tables.setdefault(name_package(name, modules), []).append(row)
    return "\n\n".join(
        "\n".join([f"### `{name}`", "", "| module | what it is |", "| --- | --- |", *rows])
        for name, rows in tables.items()
    )


def write_page(page: Path, root: Path) -> None:
    """Replace the tables of modules in a page."""
    before, start, rest = page.read_text(encoding="utf-8").partition(MODULES_START)
    _, end, after = rest.partition(MODULES_END)
    if not (start and end):
        sys.exit(f"{page} lacks {MODULES_START} and {MODULES_END}")
    page.write_text(f"{before}{start}\n{list_modules(root)}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Print the table, the lists or the JSON."""
    parser = argparse.ArgumentParser(description="The house in numbers.")
    parser.add_argument("--root", type=Path, default=HERE, help="the checkout to measure")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--list", action="store_true", help="name what was counted as well")
    parser.add_argument("--page", type=Path, help="write the table of modules into this page")
    given = parser.parse_args()
    if given.page:
        write_page(given.page, given.root.resolve())
        return
    found = measure(given.root.resolve())
    console = Console(soft_wrap=True)
    if given.json:
        print(json.dumps(found, indent=2))  # noqa: T201
        return
    table = Table("what", "measured", title=f"The house in {given.root}")
    for row in summarise(found):
        table.add_row(*row)
    console.print(table)
    if given.list:
        lists = {
            "Arrows": [f"{arrow} ({n})" for arrow, n in found["imports"]["arrows"].items()],
            "Docstrings without a verb first": found["docstrings"]["others"],
            **{f"Old dialect, {area}": hits for area, hits in found["dialect"].items()},
            "Long test names": found["tests"]["long names"],
            "Helper modules": found["tests"]["helpers"],
            **{name: walk["entered"] for name, walk in found["walks"].items()},
            "Guard": found["guard"],
        }
        for title, items in lists.items():
            console.print(f"\n{title}:", *items, sep="\n  ", markup=False, highlight=False)


if __name__ == "__main__":
    main()
