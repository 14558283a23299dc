"""The table of `manage.py corsguard routes`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from django.core.management import CommandError
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path, re_path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.http import require_GET
from support.django_checks import run_command
from support.django_frameworks import PathView
from support.django_requests import APP

from corsguard import Guard, Policy
from corsguard_django import cors_exempt, cors_policy

OTHER = "https://other.example"
POLICY = Policy(allow_origins=[APP])


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


def view_of_its_own(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


urlpatterns = [path("", view)]


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "80")  # the width of the table
    with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=__name__):
        yield


def is_ours(origin: str) -> bool:
    raise NotImplementedError


def test_routes_command_lists_urls_and_policies() -> None:
    full = Policy(
        allow_origins=[APP, re.compile(r"https://pr-\d+\.example\.com"), is_ours],
        allow_credentials=True,
        allow_methods=["PUT"],
        allow_headers=["X-A", "X-B"],
    )
    patterns = (
        cors_policy(POLICY)(path("items/<int:id>", view, name="items")),
        path("api/get", require_GET(view)),
        path("<str:any>", view),
        path("off/", include([re_path("^view$", view)])),
        path("other", view),
    )
    routes = Guard({"/api": full, "/off": None})
    assert run_command("routes", CORSGUARD=routes, ROOT_URLCONF=patterns) == (
        f"""\
METHODS     URL              POLICY   FROM
any method  /items/<int:id>  A        the view items
GET         /api/get         B        CORSGUARD.routes."/api"
any method  /<str:any>       B        CORSGUARD.routes."/api"
any method  /<str:any>       no CORS  CORSGUARD.routes."/off"
any method  /<str:any>       no CORS  no route covers it
any method  /off/^view$      no CORS  CORSGUARD.routes."/off"
any method  /other           no CORS  no route covers it

A  {APP}
B  {APP}, {full.allow_origins[1]!r},
   is_ours(); credentials; methods PUT; headers X-A, X-B
"""
    )
    assert run_command("routes") == (
        f"METHODS     URL  POLICY  FROM\nany method  /    A       CORSGUARD\n\nA  {APP}\n"
    )
    assert run_command("routes", CORSGUARD=Guard(None, enforce=True)) == (
        "METHODS     URL  POLICY   FROM\nany method  /    no CORS  CORSGUARD\n"
    )
    with pytest.raises(CommandError, match=r"\[no-policy\]\nSee https://.*#no-policy\nOffline: "):
        run_command("routes", CORSGUARD=None)


def test_routes_command_without_rich_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "corsguard.cli.route_listing", raising=False)
    monkeypatch.setitem(sys.modules, "rich.table", None)
    with pytest.raises(CommandError, match=r"corsguard\[cli\]") as caught:
        run_command("routes")
    assert caught.value.returncode == 1


def operation(request: HttpRequest) -> str:
    raise NotImplementedError


class Items(View):
    @method_decorator(cors_policy(Policy(allow_origins=["*"])))
    def get(self, request: HttpRequest) -> None: ...

    @method_decorator(cors_policy(Policy(allow_origins=[APP], allow_methods=["PUT"])))
    def put(self, request: HttpRequest) -> None: ...

    def patch(self, request: HttpRequest) -> None: ...

    def delete(self, request: HttpRequest) -> None: ...


def test_view_with_several_policies_has_a_row_for_each() -> None:
    patterns = (
        path("items", Items.as_view()),
        path("own", cors_exempt(Items.as_view()), name="own"),
        cors_policy(POLICY)(path("api/", include([path("items", Items.as_view())]))),
        path(
            "operations",
            PathView(get=cors_policy(allow_origins=[OTHER])(operation), put=view).get_view(),
        ),
        path(
            "plain/",
            include([path("view", view), path("own", cors_exempt(view_of_its_own), name="plain")]),
        ),
    )
    assert run_command("routes", ROOT_URLCONF=patterns) == (
        f"""\
METHODS        URL          POLICY   FROM
GET            /items       A        the method GET of the class Items
PUT            /items       B        the method PUT of the class Items
PATCH, DELETE  /items       C        CORSGUARD
GET            /own         A        the method GET of the class Items
PUT            /own         B        the method PUT of the class Items
PATCH, DELETE  /own         no CORS  the view own
GET            /api/items   A        the method GET of the class Items
PUT            /api/items   B        the method PUT of the class Items
PATCH, DELETE  /api/items   C        every view of include() at /api/
GET            /operations  D        the operation operation
PUT            /operations  C        CORSGUARD
any method     /plain/view  C        CORSGUARD
any method     /plain/own   no CORS  the view plain

A  *
B  {APP}; methods PUT
C  {APP}
D  {OTHER}
"""
    )


def test_policies_of_a_list_have_rows_of_their_own() -> None:
    public = Policy(allow_origins=["*"])
    own = path("own", cors_policy([public])(view_of_its_own), name="own")
    lists = {"routes": {"/": [POLICY, public]}}
    out = run_command("routes", CORSGUARD=lists, ROOT_URLCONF=(own, path("plain", view)))
    assert [re.split("  +", row) for row in out.partition("\n\n")[0].splitlines()[1:]] == [
        ["any method", "/own", "A", "the view own[0]"],
        ["any method", "/plain", "B", 'CORSGUARD.routes."/"[0]'],
        ["any method", "/plain", "A", 'CORSGUARD.routes."/"[1]'],
    ]
    everywhere = run_command("routes", CORSGUARD=[POLICY, public])
    assert "CORSGUARD[0]" in everywhere
    assert "CORSGUARD[1]" in everywhere


def test_policies_of_a_list_for_a_method_have_rows_of_their_own() -> None:
    class Items(View):
        @method_decorator(cors_policy([POLICY, Policy(allow_origins=["*"])]))
        def get(self, request: HttpRequest) -> HttpResponse:
            raise NotImplementedError

    out = run_command("routes", ROOT_URLCONF=(path("items", Items.as_view()),))
    assert [row.split()[:3] for row in out.splitlines()[1:3]] == [
        ["GET", "/items", "A"],
        ["GET", "/items", "B"],
    ]
