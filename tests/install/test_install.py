"""The installed package: the wheel, an empty environment, and the commands of the documentation."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from support.doc_pages import read_blocks
from support.doc_programs import read_commands

ROOT = Path(__file__).parent.parent.parent
PACKAGES = {
    "corsguard",
    "corsguard_asgi",
    "corsguard_django",
    "corsguard_flask",
    "corsguard_pytest",
    "corsguard_starlette",
    "corsguard_wsgi",
}
SUB_PACKAGES = {"policy", "engine", "guard", "browser", "explain", "cli"}
"""Those of corsguard."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tracked files, like a fresh clone."""
    folder = tmp_path_factory.mktemp("checkout")
    # Whoever the checkout belongs to: git reads none of somebody else's by itself.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from the source distribution as it would be published."""
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--outdir", str(out), str(checkout)]
    subprocess.run(build, check=True, capture_output=True)
    [path] = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of an environment that holds only the wheel and its requirements."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    bin_folder = folder / "bin"
    subprocess.run([bin_folder / "pip", "install", "-q", str(wheel)], check=True)
    return bin_folder


def test_wheel_contains_the_typed_packages_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert {f"corsguard/{package}/__init__.py" for package in SUB_PACKAGES} <= set(names)
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "corsguard").rglob("*.py")}
    assert {name for name in names if re.match(r"corsguard/.*\.py$", name)} == modules
    assert any(name.endswith(".html") for name in names)


def test_import_in_an_empty_environment_succeeds(environment: Path) -> None:
    code = "import corsguard_asgi, corsguard_wsgi, corsguard; print(corsguard.Guard(None).policies)"
    run = subprocess.run([environment / "python", "-c", code], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("None\n", "")


@pytest.mark.parametrize("framework", ["flask", "django", "starlette"])
def test_adapter_without_its_framework_names_the_extra(environment: Path, framework: str) -> None:
    code = f"import corsguard_{framework}"
    run = subprocess.run([environment / "python", "-c", code], capture_output=True, text=True)
    last = run.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert last.endswith(f'pip install "corsguard[{framework}]"')


def test_command_without_click_names_the_extra(environment: Path) -> None:
    run = subprocess.run([environment / "corsguard", "demo"], capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert 'pip install "corsguard[cli]"' in run.stderr


@pytest.fixture
def folder(checkout: Path, tmp_path: Path) -> Path:
    """Return a folder with a checkout in `corsguard`, and with README's Flask application."""
    (tmp_path / "corsguard").symlink_to(checkout)
    [application] = [block.code for block in read_blocks("../README") if block.file == "app.py"]
    (tmp_path / "app.py").write_text(application, encoding="utf-8")
    return tmp_path


def run_commands(commands: list[str], folder: Path) -> str:
    """Run commands one after the other in one shell, and return what they print."""
    script = "\n".join(["set -e", *commands])
    run = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PIP_QUIET": "1", "PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return run.stdout


def test_commands_of_the_readme_install_a_service(folder: Path) -> None:
    commands = read_commands("../README")
    [install] = [each for each in commands if each.startswith("pip install")]
    activate = commands[commands.index(install) - 1]
    out = run_commands([activate, install, "corsguard check --app app:app"], folder)
    assert out.startswith("app:app: no problems\n")


def test_commands_of_the_page_install_checkout_and_wheel(folder: Path, checkout: Path) -> None:
    *start, build, from_wheel, version = read_commands("install")
    assert build.startswith("pip wheel")
    from_wheel = from_wheel.replace("/path/to", str(checkout))
    out = run_commands([*start, version], folder)
    anew = [f"{start[0]} --clear", start[1]]
    out += run_commands([*anew, f"(cd corsguard && {build})", from_wheel, version], folder)
    [printed] = [block.code for block in read_blocks("install", "text")]
    assert out == printed * 2


def test_first_command_of_the_readme_starts_the_demo(checkout: Path) -> None:
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^python3 -m venv .* demo$", readme, re.MULTILINE)
    assert command
    ports = "--api-port 0 --frontend-port 0 --untrusted-port 0"
    with subprocess.Popen(
        ["bash", "-c", f"{command[0]} {ports}"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout
        origins: dict[str, str] = {}
        try:
            for line in demo.stdout:
                shown = re.findall(r"(API|frontend|untrusted) +(http://localhost:\d+)", line)
                origins.update(shown)
                if "Ctrl-C" in line:
                    break
            for name, path in {"API": "/items", "frontend": "/", "untrusted": "/"}.items():
                with urllib.request.urlopen(f"{origins[name]}{path}") as answer:
                    assert answer.status == 200
        finally:
            os.killpg(demo.pid, signal.SIGINT)  # what Ctrl-C does
        assert "Goodbye" in demo.stdout.read()
    assert demo.returncode == 0
