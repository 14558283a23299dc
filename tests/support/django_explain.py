"""Running `manage.py corsguard explain` on a project whose views must not be called."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any, NamedTuple

from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from support import django_project as django_project  # the settings come before what needs them

APP = "https://app.example.com"
PARTNER = "https://partner.example"
API = "https://api.example.com"
ROUTED = {"routes": {"/": {"allow_origins": [APP]}}}


def called(request: HttpRequest, **_: Any) -> HttpResponse:
    raise AssertionError("a view was called")


class Told(NamedTuple):
    code: int
    out: str


def explain(*arguments: str, page: str = APP) -> Told:
    out, code = StringIO(), 0
    try:
        call_command("corsguard", "explain", f"--page={page}", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return Told(code, out.getvalue())


def document(*arguments: str, page: str = APP) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(explain("--format=json", *arguments, page=page).out)
    return report


def changes(*arguments: str, page: str = APP) -> list[tuple[str, str, str]]:
    return [
        (change["place"]["kind"], change["place"]["name"], change["line"])
        for change in document(*arguments, page=page)["changes"]
    ]
