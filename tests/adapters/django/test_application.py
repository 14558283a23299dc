"""`corsguard` with `--app` on a Django project, which has `manage.py corsguard`."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import override_settings
from support.app_command import AppCommand, run_in_process

SETTINGS = """
import os
from django.conf import settings

settings.configure(SECRET_KEY="x", ROOT_URLCONF="main", CORSGUARD={"routes": {"/": None}})
urlpatterns = []
"""


@pytest.mark.parametrize(
    "source",
    [
        "from django.core.wsgi import get_wsgi_application as get",
        "from django.core.asgi import get_asgi_application as get",
    ],
)
@pytest.mark.parametrize("wrapper", ["", "def wrap(*args): return app(*args)"])
def test_application_of_django_refers_to_manage_py(
    tmp_path: Path, source: str, wrapper: str
) -> None:
    name = "wrap" if wrapper and "wsgi" in source else "app"
    code = f"{SETTINGS}\n{source}\napp = get()\n{wrapper}"
    done = run_in_process(tmp_path, code, "check", "--app", f"main:{name}")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"corsguard: main:{name} is a Django project. "
        "Use `python manage.py corsguard check`, `routes` or `explain`\n"
    )


def test_django_without_settings_refers_to_manage_py(tmp_path: Path) -> None:
    source = "from django.core.wsgi import get_wsgi_application\napp = get_wsgi_application()"
    done = run_in_process(tmp_path, source, "routes", "--app", "main")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("corsguard: the import of main failed at main.py:2: ")
    assert done.stderr.endswith("use `python manage.py corsguard check`\n")


@pytest.mark.parametrize(
    "source",
    [
        "from django.core.handlers.wsgi import WSGIHandler\napp = WSGIHandler()",
        "from django.core.handlers.asgi import ASGIHandler\nhandler = ASGIHandler()\n"
        "async def app(scope, receive, send): await handler(scope, receive, send)",
    ],
)
def test_handler_of_django_is_found(on_app: AppCommand, source: str) -> None:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        done = on_app(source, "check", "--app", "main")

    assert done == (
        2,
        "",
        "corsguard: main is a Django project. "
        "Use `python manage.py corsguard check`, `routes` or `explain`\n",
    )


def test_error_of_django_refers_to_manage_py(on_app: AppCommand) -> None:
    source = "from django.core.exceptions import ImproperlyConfigured as E\nraise E('no settings')"

    assert on_app(source, "check", "--app", "main") == (
        2,
        "",
        "corsguard: the import of main failed at main.py:2: "
        "django.core.exceptions.ImproperlyConfigured: no settings. "
        "In a Django project, use `python manage.py corsguard check`\n",
    )
