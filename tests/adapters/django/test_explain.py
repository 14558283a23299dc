"""`manage.py corsguard explain`: by the policies of the project, and without its views."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views import View
from support.django_explain import API, APP, PARTNER, ROUTED, called, changes, document, explain

from corsguard import Guard, Policy
from corsguard_django import cors_exempt, cors_policy

PARTNERS = Policy(allow_origins=[PARTNER])


class Items(View):
    get = staticmethod(called)
    put = cors_exempt(lambda *_, **__: called)
    delete = cors_policy(PARTNERS)(lambda *_, **__: called)


class Dispatching(View):
    def dispatch(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        return called(request)


class Writing(View):
    post = staticmethod(called)


urlpatterns = [
    path("items/<int:item>", Items.as_view(), name="items"),
    path("dispatching", Dispatching.as_view()),
    path("writing", Writing.as_view()),
    path("partners", cors_policy(PARTNERS)(lambda request: called(request)), name="partners"),
]


@pytest.fixture(autouse=True)
def in_80_columns(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "80")
    with override_settings(CORSGUARD=ROUTED, ROOT_URLCONF=__name__):
        yield


def test_allowed_request_calls_no_view() -> None:
    report = explain(f"{API}/items/1")
    assert report.code == 0
    assert "│ ── GET /items/1 ──" in report.out
    assert "Allowed: the script gets the response." in report.out
    assert "status   200" in report.out


def test_fix_changes_the_policy_of_the_route() -> None:
    assert changes("--method=PATCH", f"{API}/items/1") == [
        ("route", "/", '"allow_methods": ["PATCH"],')
    ]
    report = explain("--method=PATCH", f"{API}/items/1")
    assert '\n    # in CORSGUARD["routes"]["/"]\n    "allow_methods": ["PATCH"],\n\n' in report.out


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (ROUTED["routes"]["/"], '    # in CORSGUARD\n    "allow_credentials": True,\n\n'),
        (
            {"routes": {"/partners": False}},
            '    # in CORSGUARD["routes"]\n    "/items/1": {\n'
            f'        "allow_origins": ["{APP}"],\n        "allow_credentials": True,\n'
            "    },\n\n",
        ),
        (
            {"routes": {"/items": Policy(allow_origins=[APP])}},
            "    # the policy of the route /items\n    allow_credentials=True,\n\n",
        ),
        (Policy(allow_origins=[APP]), "    # the policy\n    allow_credentials=True,\n\n"),
        (
            Guard({"/partners": None}),
            '    # the policies by route\n    "/items/1": Policy(\n'
            f'        allow_origins=["{APP}"],\n        allow_credentials=True,\n    ),\n\n',
        ),
    ],
)
def test_fix_is_written_as_a_dict(setting: Any, words: str) -> None:
    with override_settings(CORSGUARD=setting):
        assert words in explain("--credentials=include", f"{API}/items/1").out


def test_fix_without_the_setting_adds_a_route() -> None:
    with override_settings():
        del settings.CORSGUARD
        assert (
            f'    # in CORSGUARD["routes"]\n    "/items/1": {{\n        "allow_origins": ["{APP}"],'
        ) in explain(f"{API}/items/1").out


def test_method_that_no_view_accepts_is_noted_with_the_fix() -> None:
    out = " ".join(explain("--method=PATCH", f"{API}/items/1").out.split())
    assert "warning even then, the application responds with 405: no view there takes PATCH" in out
    assert document("--method=PATCH", f"{API}/items/1")["response_with_changes"]["status"] == 405
    out = " ".join(explain("--method=PATCH", f"{API}/nowhere").out.split())
    assert "warning even then, the application responds with 404: no view is there" in out
    assert "beware" not in explain("--method=DELETE", f"{API}/items/1").out


@pytest.mark.parametrize(
    ("method", "place", "status"),
    [
        ("GET", "items/1", 200),
        ("HEAD", "items/1", 200),
        ("POST", "items/1", 405),
        ("POST", "partners", 200),
        ("POST", "dispatching", 200),
        ("HEAD", "writing", 405),
    ],
)
def test_methods_of_a_view_class_are_known(method: str, place: str, status: int) -> None:
    report = document(f"--method={method}", f"{API}/{place}", page=PARTNER)
    [answer] = [hop["answer"] for hop in report["requests"]]
    assert answer["status"] == status


def test_fix_changes_the_policy_of_the_view() -> None:
    assert changes("--method=DELETE", "--header=x-a:1", "--header=x-b:1", f"{API}/items/1") == [
        ("view", "items", f'allow_origins=["{PARTNER}", "{APP}"],'),
        ("view", "items", 'allow_methods=["DELETE"],'),
        ("view", "items", 'allow_headers=["X-A", "X-B"],'),
    ]


def test_request_without_preflight_is_decided_by_its_view() -> None:
    report = explain(f"{API}/partners")
    assert report.code == 1
    assert (
        f'\n    # the policy of the view partners\n    allow_origins=["{PARTNER}", "{APP}"],\n'
    ) in report.out
    assert explain(f"{API}/partners", page=PARTNER).code == 0


def test_fix_of_an_exempt_view_adds_a_policy() -> None:
    assert (
        "# the policy of the method PUT of the class Items, which has none"
        in explain("--method=PUT", f"{API}/items/1").out
    )


def sharing(changed: str = "", **changes: Any) -> list[Any]:
    """Return URLs of views that share policies; `changed` names one with other fields."""

    def held(name: str) -> Any:
        fields = changes if name == changed else {"allow_origins": [PARTNER]}
        return cors_policy(Policy(**fields))

    def plain(request: HttpRequest) -> HttpResponse:
        return called(request)

    class Once(View):
        get = held("get")(lambda *_: called)
        put = patch = held("put")(lambda *_: called)

    class Base(View):
        get = staticmethod(called)

    class Derived(held("class")(Base)):  # type: ignore[misc]
        pass

    @method_decorator(held("dispatch"), name="dispatch")
    class Dispatching(View):
        get = staticmethod(called)

    class Own(View):
        get = staticmethod(called)

    shared = held("view")(lambda request: called(request))
    pages = held("include")(include(([path("a", plain), path("b", plain)], "app"), "space"))
    return [
        path("once", Once.as_view()),
        path("base", Base.as_view()),
        path("derived", Derived.as_view()),
        path("dispatching", Dispatching.as_view()),
        path("again", Dispatching.as_view()),
        path("own", held("own")(Own.as_view()), name="own"),
        path("own/not", cors_exempt(Own.as_view())),
        path("shared", shared, name="shared"),
        path("nested/", include(([path("shared", shared, name="too")], "app"), "inner")),
        path("in/", pages),
        path("out/", pages),
        held("entry")(path("entry/", include([path("a", plain)]))),
        held("path")(path("path", plain, name="path")),
    ]


@pytest.mark.parametrize(
    ("asked", "changed", "holder", "opened"),
    [
        ("GET /once", "get", "the method GET of the class Once", ["HEAD /once"]),
        ("HEAD /once", "get", "the method GET of the class Once", ["GET /once"]),
        ("PUT /once", "put", "the methods PATCH and PUT of the class Once", []),
        ("GET /derived", "class", "every view of the class Base", ["GET /base"]),
        ("GET /again", "dispatch", "every view of the class Dispatching", ["GET /dispatching"]),
        ("GET /own", "own", "the view own", []),
        ("GET /shared", "view", "the view shared and the view inner:too", ["GET /nested/shared"]),
        (
            "GET /in/a",
            "include",
            "every view of include() at /in/ and every view of include() at /out/",
            ["GET /in/b", "GET /out/a"],
        ),
        ("GET /entry/a", "entry", "every view of include() at /entry/", []),
        ("GET /path", "path", "the view path", []),
    ],
)
def test_fix_lists_every_url_that_shares_the_policy(
    asked: str, changed: str, holder: str, opened: list[str]
) -> None:
    places = "once base derived dispatching again own own/not shared nested/shared in/a in/b out/a"
    places += " entry/a path"
    asks = {f"GET /{place}" for place in places.split()} | {"HEAD /once", "PUT /once"}

    def allowed() -> set[str]:
        calls = {ask: ask.split() for ask in asks}
        return {
            ask
            for ask, (method, place) in calls.items()
            if document(f"--method={method}", f"{API}{place}")["verdict"] == "allowed"
        }

    method, place = asked.split()
    setting = {"routes": {"/routed": {"allow_origins": [APP]}}}
    with override_settings(CORSGUARD=setting, ROOT_URLCONF=tuple(sharing())):
        assert allowed() == set()
        report = document(f"--method={method}", f"{API}{place}")["changes"]
        out = explain(f"--method={method}", f"{API}{place}").out
    assert f"\n    # the policy of {holder}\n" in out
    assert {change["place"]["holder"] for change in report} == {holder}
    assert report[0]["exposes"].startswith(f"pages of {APP} may read the responses of {holder}")
    fields = {change["field"]: change["value"] for change in report}
    with override_settings(CORSGUARD=setting, ROOT_URLCONF=tuple(sharing(changed, **fields))):
        assert allowed() == {asked, *opened}


def test_async_callable_is_called() -> None:
    async def is_ours(origin: str) -> bool:
        return origin == APP

    with override_settings(CORSGUARD=Policy(allow_origins=[is_ours])):
        assert explain(f"{API}/items/1").code == 0
        report = document(f"{API}/items/1", page=PARTNER)
        assert report["changes"] == []
        assert report["decided_by"].endswith(f"is_ours does not allow {PARTNER}")


def test_json_document_ends_with_one_newline(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("--format=json", f"{API}/items/1").out.endswith("\n}\n")


@pytest.mark.parametrize(
    ("arguments", "configuration", "words"),
    [
        (["--page=app", f"{API}/"], ROUTED, "--page 'app' is neither"),
        ([f"--page={APP}", "--header=x", f"{API}/"], ROUTED, "--header 'x' is not a header"),
        ([f"--page={APP}", f"{API}/"], {"allow_origin": []}, "unknown-field"),
    ],
)
def test_unanswerable_request_exits_with_2(
    arguments: list[str], configuration: dict[str, Any], words: str
) -> None:
    with (
        override_settings(CORSGUARD=configuration),
        pytest.raises(CommandError, match=words.replace("[", r"\[")) as ended,
    ):
        call_command("corsguard", "explain", *arguments)
    assert ended.value.returncode == 2


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_explain_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for module in ("diagram", "explain_report", "terminal"):
        monkeypatch.delitem(sys.modules, f"corsguard.cli.{module}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setitem(sys.modules, f"{missing}.console", None)
    with pytest.raises(CommandError, match=r'pip install "corsguard\[cli\]"') as ended:
        explain(f"{API}/")
    assert ended.value.returncode == 2
    assert "\n" not in str(ended.value)
