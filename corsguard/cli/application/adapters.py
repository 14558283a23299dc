"""The search for the guard of an application, by the adapters that may have put it there.

This is the one place of the core that knows the names of the adapters. It imports none of them
before a command needs it, and only those for a framework that the application has imported.
"""

from __future__ import annotations

import sys
from importlib import import_module

from corsguard.browser.interface import detect_interface
from corsguard.cli.application.guarded_app import (
    ApplicationError,
    GuardedApp,
    UnguardedApplicationError,
)

__all__ = ["describe_app", "find_own_command"]

_ADAPTERS = (
    ("flask", "corsguard_flask"),
    ("starlette", "corsguard_starlette"),
    ("corsguard_asgi", "corsguard_asgi"),
    ("corsguard_wsgi", "corsguard_wsgi"),
    ("django", "corsguard_django"),
)
"""(module that an application with a guard of the adapter has imported, package of the adapter).

Adapters that know the URLs of an application come first.
"""


def describe_app(app: object, name: str) -> GuardedApp:
    """Return an application with its guard.

    `name` is what a message calls the application. Raises UnguardedApplicationError where it has
    no guard, and ApplicationError where another command is the right one. Raises PolicyError where
    the guard can't be built.
    """
    unguarded: UnguardedApplicationError | None = None
    for needed, package in _ADAPTERS:
        if needed not in sys.modules:
            continue
        try:
            found: GuardedApp | None = import_module(f"{package}.application").describe_app(app)
        except UnguardedApplicationError as error:
            unguarded = unguarded or error
        except ApplicationError as error:
            raise ApplicationError(f"{name} {error}") from None
        else:
            if found is not None:
                return found
    raise UnguardedApplicationError(f"{name} {unguarded or _suggest_wrapper(app)}")


def find_own_command(error: BaseException) -> tuple[str, str]:
    """Return the framework that raised an error, and its own command; empty where it has none."""
    framework = type(error).__module__.partition(".")[0]
    package = dict(_ADAPTERS).get(framework)
    module = import_module(f"{package}.application") if package else None
    return framework.capitalize(), getattr(module, "OWN_COMMAND", "")


def _suggest_wrapper(app: object) -> str:
    package = f"corsguard_{detect_interface(app)}"
    return (
        "has no corsguard. Wrap it: app = CORSMiddleware(app, allow_origins=[...]), "
        f"with `from {package} import CORSMiddleware`"
    )
