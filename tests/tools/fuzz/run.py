"""Fuzzes every target for some seconds, and says how many inputs each took: `tox -e fuzz`.

    python tests/tools/fuzz/run.py [--seconds 60] [--jobs 2] [--json FILE] [TARGET ...]

A crash leaves its input in a file and prints how to run it again:

    python tests/tools/fuzz/run.py --input FILE TARGET
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tools.fuzz.targets import TARGETS, load  # noqa: E402  # found through the line above

PACKAGES = (
    "corsguard",
    "corsguard_asgi",
    "corsguard_django",
    "corsguard_flask",
    "corsguard_wsgi",
)
LONGEST = 8_192  # bytes of an input: beyond every limit of the protocol's own
PATIENCE = 10  # seconds for one input, where the usual one takes less than a millisecond
MOST_MEMORY = 2_048  # MB
MOST_SHOWN = 3_000  # characters


class Result(NamedTuple):
    """The result of fuzzing one target."""

    target: str
    inputs: int
    seconds: int
    crash: str | None
    """How to see it again."""


def main() -> int:
    """Run the fuzzer, a corpus, or one input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--json", type=Path, help="the counts")
    parser.add_argument("--crashes", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--input", type=Path, help="run this input, and fuzz nothing")
    parser.add_argument("--corpus", action="store_true", help="run the corpus, and fuzz nothing")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.targets or list(TARGETS)
    if given.child:
        fuzz(names[0], given.seconds, given.crashes)
    if given.input or given.corpus:
        for name in names:
            target = load(name)
            for path in [given.input] if given.input else corpus_of(name):
                target(path.read_bytes())
        return 0
    try:
        import_module("atheris")
    except ImportError:
        sys.exit("fuzzing needs atheris, which has wheels for CPython 3.11 to 3.13 on Linux only")
    with ThreadPoolExecutor(given.jobs) as pool:
        results = list(pool.map(lambda name: run_fuzzer(name, given.seconds, given.crashes), names))
    report(results, given.json)
    return int(any(result.crash for result in results))


def corpus_of(name: str) -> list[Path]:
    """Return the corpus of a target."""
    return sorted((HERE / "corpus" / name).iterdir())


def fuzz(name: str, seconds: int, crashes: Path) -> None:
    """Fuzz one target in this process, and end it."""
    import atheris

    with atheris.instrument_imports(include=list(PACKAGES)):
        for package in PACKAGES:
            if package.removeprefix("corsguard_") in {"corsguard", "asgi", "wsgi", name}:
                import_all(package)
        target = load(name)
    arguments = [
        sys.argv[0],
        f"-artifact_prefix={crashes}/{name}-",
        f"-dict={HERE / 'dictionary.txt'}",
        f"-max_len={LONGEST}",
        f"-max_total_time={seconds}",
        f"-rss_limit_mb={MOST_MEMORY}",
        f"-timeout={PATIENCE}",
        "-print_final_stats=1",
        tempfile.mkdtemp(),  # for inputs that are found
        str(HERE / "corpus" / name),
    ]
    atheris.Setup(arguments, target)
    atheris.Fuzz()


def import_all(package: str) -> None:
    """Import every module of a package, so that late imports are fuzzed too.

    Commands are left out, and what needs the client of a store, or of metrics.
    """
    for module in iter_modules(import_module(package).__path__, f"{package}."):
        name = module.name.rpartition(".")[2]
        if name in {"__main__", "checks", "cli", "management", "metrics", "sources"}:
            continue
        if module.ispkg:
            import_all(module.name)
        else:
            import_module(module.name)


def run_fuzzer(name: str, seconds: int, crashes: Path) -> Result:
    """Fuzz one target in a separate process."""
    crashes.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, "--child", "--seconds", str(seconds)]
    # The fuzzer ends its process without cleaning up: what is left there goes with this folder.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, "--crashes", str(crashes), name],
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "TMPDIR": folder},
            errors="replace",
            timeout=seconds + 120,
        )
    inputs = number_in(done.stderr, r"number_of_executed_units:\s*(\d+)")
    crash = reproduction(name, done.stdout, done.stderr) if done.returncode else None
    return Result(name, inputs, number_in(done.stderr, r"runs in (\d+) second"), crash)


def number_in(text: str, pattern: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def reproduction(name: str, raised: str, said: str) -> str:
    """Return the failure, and the command that shows it again."""
    found = re.search(r"Test unit written to (\S+)", said)
    if found is None:
        return (raised + said)[-MOST_SHOWN:]
    path = Path(found[1])
    return "\n".join(
        [
            raised[-MOST_SHOWN:].strip() or said[-MOST_SHOWN:],
            f"its input: {path.read_bytes()[:MOST_SHOWN]!r}",
            f"again: {Path(sys.executable).name} tests/tools/fuzz/run.py --input {path} {name}",
        ]
    )


def report(results: Sequence[Result], path: Path | None) -> None:
    """Print a table, and write the counts as JSON."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Fuzzing", show_footer=True)
    total = sum(result.inputs for result in results)
    table.add_column("target", "all")
    table.add_column("inputs", f"{total:,}", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("broken promises", str(crashes_in(results)), justify="right")
    for name, inputs, seconds, crash in results:
        table.add_row(name, f"{inputs:,}", str(seconds), "1" if crash else "0")
    console = Console()
    for result in results:
        if result.crash:
            console.rule(result.target)
            console.print(result.crash, markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {"inputs": total, "crashes": crashes_in(results)}
        rows = [result._asdict() for result in results]
        path.write_text(json.dumps({**found, "targets": rows}, indent=2) + "\n", encoding="utf-8")


def crashes_in(results: Iterable[Result]) -> int:
    return sum(result.crash is not None for result in results)


if __name__ == "__main__":
    sys.exit(main())
