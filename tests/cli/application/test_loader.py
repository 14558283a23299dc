"""Loading the application that `--app` names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.app_command import forget_modules

from corsguard import PolicyError
from corsguard.cli.application.guarded_app import ApplicationError
from corsguard.cli.application.loader import find_place, load_application

FORMS = 'Write MODULE:APP, such as main:app, or MODULE:FACTORY(), such as "main:create_app()"'
SOURCE = """
from corsguard import Policy

def serve(environ, start_response): ...
def other(environ, start_response): ...
def create(name="x", *, mode="y"): return {"x": serve, "z": other}[name]
def demanding(name): return serve
def policy(): return Policy(allow_origins=["a.example"])
def failing(): raise KeyError("no such key")
class State: app = serve
class Factory:
    def __call__(self): return serve
setting, factory = {}, Factory()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, in which the tests write modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    forget_modules(tmp_path)


def write(source: str, name: str = "main.py") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(source, encoding="utf-8")


def fail_to_load(text: str, *, is_factory: bool = False) -> str:
    with pytest.raises(ApplicationError) as caught:
        load_application(text, is_factory=is_factory)
    return str(caught.value)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("main:serve", "serve"),
        ("main:State.app", "serve"),
        ("main:create", "serve"),
        ("main:create()", "serve"),
        ("main:create('z')", "other"),
        ("main: create(name='z', mode=None)", "other"),
        ("main:factory()", "serve"),
    ],
)
def test_load_names_the_application_or_its_factory(text: str, name: str) -> None:
    write(SOURCE)

    assert getattr(load_application(text), "__name__", "") == name


@pytest.mark.usefixtures("folder")
def test_load_with_factory_calls_any_object() -> None:
    write(SOURCE)

    assert getattr(load_application("main:factory", is_factory=True), "__name__", "") == "serve"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["app", "application", "create_app", "make_app"])
def test_load_module_finds_the_usual_names(name: str) -> None:
    factory = "def {}(): return serve" if "_app" in name else "{} = serve"
    write(f"def serve(environ, start_response): ...\n{factory.format(name)}")

    assert getattr(load_application("main"), "__name__", "") == "serve"


@pytest.mark.usefixtures("folder")
def test_load_module_with_factory_finds_the_usual_names() -> None:
    write("def app(environ, start_response): ...\ndef create_app(): return app")

    assert getattr(load_application("main", is_factory=True), "__name__", "") == "app"


@pytest.mark.usefixtures("folder")
def test_load_module_of_a_package() -> None:
    write("", "package/__init__.py")
    write("async def app(scope, receive, send): ...", "package/web.py")

    assert getattr(load_application("package.web"), "__module__", "") == "package.web"


@pytest.mark.usefixtures("folder")
def test_load_takes_no_unpacked_arguments() -> None:
    write("def create(**options): return lambda environ, start_response: None")
    text = "main:create(**{'name': 1})"
    assert fail_to_load(text) == f"--app {text} does not name an application. {FORMS}"


@pytest.mark.usefixtures("folder")
def test_load_twice_adds_the_folder_once() -> None:
    write(SOURCE)
    load_application("main:serve")
    load_application("main:serve")

    assert sys.path.count(os.getcwd()) == 1


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("main.py", "--app main.py names a file, not a module. Use its name: main:app"),
        (
            "./src/main.py:serve",
            "--app ./src/main.py:serve names a file, not a module. Use its name: src.main:serve",
        ),
        ("my-app:app", f"--app my-app:app does not name a module. {FORMS}"),
        (":app", f"--app :app does not name a module. {FORMS}"),
        ("main:", f"--app main: does not name an application. {FORMS}"),
        ("main:(", f"--app main:( does not name an application. {FORMS}"),
        ("main:1", f"--app main:1 does not name an application. {FORMS}"),
        ("main:create(serve)", f"--app main:create(serve) does not name an application. {FORMS}"),
        ("main:serv", "the module main has no serv. Did you mean main:serve?"),
        ("main:xyz", f"the module main has no xyz. {FORMS}"),
        (
            "main",
            "the module main has no app, application, create_app or make_app. "
            "Write which object is the application: main:NAME",
        ),
        (
            "main:setting",
            f"main:setting is not a WSGI or ASGI application: its type is dict. {FORMS}",
        ),
        (
            "main:demanding",
            f"main:demanding is not a WSGI or ASGI application: its type is function. {FORMS}",
        ),
        ("main:setting()", "main:setting is not a factory: its type is dict"),
        (
            "main:create(1, 2)",
            f"main:create(name='x', *, mode='y') can't be called with these arguments. {FORMS}",
        ),
        ("main:failing()", "main:failing() failed at main.py:9: KeyError: 'no such key'"),
        ("main:dict()", f"the module main has no dict. {FORMS}"),
    ],
)
def test_load_what_is_no_application_says_what_to_do(text: str, message: str) -> None:
    write(SOURCE)

    assert fail_to_load(text) == message


@pytest.mark.usefixtures("folder")
def test_load_factory_that_returns_no_application_names_the_call() -> None:
    write("def make(): return 1\nBUILTIN = dict")

    assert fail_to_load("main:make") == (
        f"main:make() is not a WSGI or ASGI application: its type is int. {FORMS}"
    )
    assert fail_to_load("main:BUILTIN()") == (
        f"main:BUILTIN() is not a WSGI or ASGI application: its type is dict. {FORMS}"
    )


@pytest.mark.parametrize("name", ["web", "web.wsgi"])
def test_load_missing_module_names_the_folder(folder: Path, name: str) -> None:
    assert fail_to_load(f"{name}:app") == (
        f"there is no module web in {folder}, and none is installed. "
        "Run the command in the folder of the application"
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import missing", "at main.py:1: ModuleNotFoundError: No module named 'missing'"),
        ("\ndef f(:", "at main.py:2: SyntaxError: invalid syntax"),
        (
            "error = ValueError('wrong')\nerror.add_note('a note')\nraise error",
            "at main.py:3: ValueError: wrong",
        ),
        ("import sys\nsys.exit(3)", "at main.py:2: SystemExit: 3"),
        (
            "import json\n\ndef load():\n    json.loads('{')\n\nload()",
            "at main.py:4: json.decoder.JSONDecodeError: Expecting property name enclosed in "
            "double quotes: line 1 column 2 (char 1)",
        ),
        ("raise ValueError('a\\nb\\tc \\x1b[0m')", r"at main.py:1: ValueError: a b c \x1b[0m"),
    ],
)
def test_load_module_that_fails_names_line_and_error(source: str, message: str) -> None:
    write(source)

    assert fail_to_load("main") == f"the import of main failed {message}"


@pytest.mark.usefixtures("folder")
def test_load_object_that_fails_names_line_and_error() -> None:
    write("def __getattr__(name): raise ValueError('no\\x1b[31m setting')")
    assert fail_to_load("main:app") == (
        r"reading main:app failed at main.py:1: ValueError: no\x1b[31m setting"
    )


@pytest.mark.usefixtures("folder")
def test_load_long_error_is_cut() -> None:
    write("raise ValueError('x' * 1000)")

    assert len(fail_to_load("main")) < 500


def test_load_error_of_a_library_names_its_file(folder: Path) -> None:
    file = folder / "venv" / "site-packages" / "library.py"
    write("raise LookupError('no')", str(file))
    sys.path.insert(0, str(file.parent))

    place = os.path.join("venv", "site-packages", "library.py")
    assert fail_to_load("library") == (
        f"the import of library failed at {place}:1: LookupError: no"
    )


@pytest.mark.usefixtures("folder")
def test_load_error_without_a_line_names_none() -> None:
    write("import math\nroot = math.sqrt")

    assert fail_to_load("main:root(-1)").startswith("main:root() failed: ValueError: ")


@pytest.mark.usefixtures("folder")
def test_load_policy_error_passes_with_its_place() -> None:
    write(SOURCE)
    with pytest.raises(PolicyError) as caught:
        load_application("main:policy")

    assert find_place(caught.value) == "main.py:8"


def test_place_of_an_error_elsewhere_is_empty(folder: Path) -> None:
    assert not folder.joinpath("main.py").exists()
    with pytest.raises(PolicyError) as caught:
        raise PolicyError([])

    assert find_place(caught.value) == ""
