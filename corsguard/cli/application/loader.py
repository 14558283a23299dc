"""The loader of the application that `--app` names. It runs the application's own modules."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from functools import reduce
from importlib import import_module
from itertools import accumulate
from traceback import extract_tb, format_exception_only
from types import ModuleType
from typing import Any, NamedTuple

from corsguard import PolicyError
from corsguard.browser.interface import detect_interface
from corsguard.cli.application.adapters import find_own_command
from corsguard.cli.application.guarded_app import ApplicationError
from corsguard.escaping import escape_text

__all__ = ["find_place", "load_application"]

_APPLICATIONS = ("app", "application")
"""The names that servers and frameworks look for where none is given."""
_FACTORIES = ("create_app", "make_app")
_FORMS = 'Write MODULE:APP, such as main:app, or MODULE:FACTORY(), such as "main:create_app()"'
_MAX_ERROR = 400
"""Characters of an exception that are shown; some list a whole configuration."""


class _Target(NamedTuple):
    """What a text such as `main:create_app(True)` names."""

    module: str
    path: str
    """The name in the module, with dots. Empty for the first that is an application."""
    arguments: tuple[tuple[Any, ...], dict[str, Any]] | None
    """The arguments of the call. None without one."""


def load_application(text: str, *, is_factory: bool = False) -> object:
    """Return the application that a text names: `MODULE:APP`, `MODULE` or `MODULE:FACTORY()`.

    With `is_factory`, what it names is called in any case. A function that can't be an application
    and needs no arguments is called as well. The current folder is searched for modules first, and
    what the modules print goes to the standard error.

    Raises ApplicationError where there is no application, and PolicyError where its policies are
    not valid.
    """
    target = _parse_target(text)
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    with redirect_stdout(sys.stderr):
        module = _import_module(target.module)
        path = target.path or _find_default(module, is_factory=is_factory)
        found = _get_object(module, path)
        if target.arguments is not None or is_factory or _is_factory(found):
            found = _call_factory(found, f"{target.module}:{path}", target.arguments or ((), {}))
            path = f"{path}()"
    try:
        detect_interface(found)
    except TypeError:
        kind = type(found).__name__
        message = f"{target.module}:{path} is not a WSGI or ASGI application: its type is {kind}"
        raise ApplicationError(f"{message}. {_FORMS}") from None
    return found


def _parse_target(text: str) -> _Target:
    module, colon, expression = text.partition(":")
    if module.endswith(".py") or os.sep in module:
        name = module.removesuffix(".py").strip(f".{os.sep}").replace(os.sep, ".")
        suggestion = f"Use its name: {name}:{expression or 'app'}"
        raise ApplicationError(f"--app {text} names a file, not a module. {suggestion}")
    if not all(part.isidentifier() for part in module.split(".")):
        raise ApplicationError(f"--app {text} does not name a module. {_FORMS}")
    if not colon:
        return _Target(module, "", None)
    try:
        return _Target(module, *_parse_expression(expression))
    except (SyntaxError, ValueError):
        raise ApplicationError(f"--app {text} does not name an application. {_FORMS}") from None


def _parse_expression(text: str) -> tuple[str, tuple[tuple[Any, ...], dict[str, Any]] | None]:
    """Return the name with dots, and the arguments of its call. Raises SyntaxError, ValueError."""
    tree = ast.parse(text.strip(), mode="eval").body
    arguments = None
    if isinstance(tree, ast.Call):
        arguments = (
            tuple(map(ast.literal_eval, tree.args)),
            {each.arg or "": ast.literal_eval(each.value) for each in tree.keywords},
        )
        if "" in arguments[1]:  # `**`
            raise ValueError(text)
        tree = tree.func
    path = ast.unparse(tree)
    if not all(part.isidentifier() for part in path.split(".")):
        raise ValueError(text)
    return path, arguments


def _import_module(name: str) -> ModuleType:
    parents = set(accumulate(name.split("."), "{}.{}".format))
    with _report_errors(f"the import of {name}"):
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in parents:
                raise
            raise ApplicationError(
                f"there is no module {error.name} in {os.getcwd()}, and none is installed. "
                "Run the command in the folder of the application"
            ) from None


def _find_default(module: ModuleType, *, is_factory: bool) -> str:
    names = _FACTORIES if is_factory else (*_APPLICATIONS, *_FACTORIES)
    for name in names:
        if hasattr(module, name):
            return name
    listed = f"{', '.join(names[:-1])} or {names[-1]}"
    raise ApplicationError(
        f"the module {module.__name__} has no {listed}. "
        f"Write which object is the application: {module.__name__}:NAME"
    )


def _get_object(module: ModuleType, path: str) -> object:
    with _report_errors(f"reading {module.__name__}:{path}"):  # which may be a property
        try:
            return reduce(getattr, path.split("."), module)
        except AttributeError:
            close = get_close_matches(path, vars(module), 1)
            suggestion = f"Did you mean {module.__name__}:{close[0]}?" if close else _FORMS
            message = f"the module {module.__name__} has no {path}"
            raise ApplicationError(f"{message}. {suggestion}") from None


def _is_factory(found: Any) -> bool:
    """Return True for a function that needs no arguments, and so is not an application itself."""
    if not inspect.isroutine(found):
        return False
    try:
        detect_interface(found)
    except TypeError:
        return _can_call(found, (), {})
    return False


def _can_call(
    function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> bool:
    try:
        inspect.signature(function).bind(*arguments, **keywords)
    except TypeError:
        return False
    except ValueError:  # a function in C may have no signature
        return True
    return True


def _call_factory(
    found: Any, name: str, arguments: tuple[tuple[Any, ...], dict[str, Any]]
) -> object:
    positional, keywords = arguments
    if not callable(found):
        kind = type(found).__name__
        raise ApplicationError(f"{name} is not a factory: its type is {kind}")
    if not _can_call(found, positional, keywords):
        form = f"{name}{inspect.signature(found)}"
        raise ApplicationError(f"{form} can't be called with these arguments. {_FORMS}")
    with _report_errors(f"{name}()"):
        return found(*positional, **keywords)


@contextmanager
def _report_errors(action: str) -> Iterator[None]:
    """Turn what the application's own code raises into an ApplicationError of one line."""
    try:
        yield
    except (ApplicationError, PolicyError):
        raise
    except (Exception, SystemExit) as error:
        lines = format_exception_only(error)  # of a syntax error, the code first; else notes last
        shown = lines[-1 if isinstance(error, SyntaxError) else 0]
        line = escape_text(" ".join(shown.split()), _MAX_ERROR)
        place = find_place(error) or find_place(error, in_libraries=True)
        message = f"{action} failed{f' at {place}' if place else ''}: {line}"
        raise ApplicationError(f"{message}{_suggest_own_command(error)}") from None


def _suggest_own_command(error: BaseException) -> str:
    """Return a sentence on the command of the framework that raised an error, if it has one."""
    framework, command = find_own_command(error)
    return f". In a {framework} project, use `{command}`" if command else ""


def find_place(error: BaseException, *, in_libraries: bool = False) -> str:
    """Return FILE:LINE of the application's code that led to an error, the innermost one.

    For a syntax error, it is the line that Python can't parse. Empty where none of the code is
    below the current folder; with `in_libraries` it may be anywhere.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shorten(error.filename)}:{error.lineno}"
    places = [
        f"{_shorten(frame.filename)}:{frame.lineno}"
        for frame in extract_tb(error.__traceback__)
        if frame.filename != __file__ and not frame.filename.startswith("<")
    ]
    return next((each for each in reversed(places) if in_libraries or _is_own(each)), "")


def _is_own(file: str) -> bool:
    """Return True for a file below the current folder that is not of an environment there."""
    return not os.path.isabs(file) and "site-packages" not in file


def _shorten(file: str) -> str:
    """Return the name of a file below the current folder without that folder."""
    return file.removeprefix(f"{os.getcwd()}{os.sep}")
