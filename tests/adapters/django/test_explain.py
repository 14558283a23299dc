"""`manage.py corsguard explain`: by the policies of the project, and without its views."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any, NamedTuple

import pytest
from adapters.django import project as project  # the settings come before what needs them
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.management import CommandError, call_command
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.test import override_settings
from django.urls import include, path, register_converter
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View

from corsguard import Guard, Policy
from corsguard_django import cors_exempt, cors_policy

APP = "https://app.example.com"
PARTNER = "https://partner.example"
API = "https://api.example.com"
PARTNERS = Policy(allow_origins=[PARTNER])


def called(request: HttpRequest, **_: Any) -> HttpResponse:
    raise AssertionError("a view was called")


class Items(View):
    get = staticmethod(called)
    put = cors_exempt(lambda *_, **__: called)
    delete = cors_policy(PARTNERS)(lambda *_, **__: called)


class Dispatching(View):
    def dispatch(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        return called(request)


class Writing(View):
    post = staticmethod(called)


class Raised:
    """What a project may raise before a view is known."""

    regex = "[A-Za-z0-9]+"
    errors = (Http404, PermissionDenied, BadRequest, SuspiciousOperation, RuntimeError)

    def to_python(self, value: str) -> str:
        raise next(error for error in self.errors if error.__name__ == value)

    def to_url(self, value: object) -> str:
        raise NotImplementedError


class Redirect(HttpResponsePermanentRedirect):
    status_code = 308


class Common(CommonMiddleware):
    """One of the project's own, which needs what another middleware does."""

    response_redirect_class = Redirect

    def process_request(self, request: HttpRequest) -> Any:
        raise AssertionError(request.user)


def unrelated(get_response: Any) -> Any:
    raise AssertionError("a middleware that has no say in the routing was made")


register_converter(Raised, "raised")
urlpatterns = [
    path("items/<int:item>", Items.as_view(), name="items"),
    path("dispatching", Dispatching.as_view()),
    path("writing", Writing.as_view()),
    path("partners", cors_policy(PARTNERS)(lambda request: called(request)), name="partners"),
    path("slashed/", called),
    path("raised/<raised:error>", called),
    *i18n_patterns(path("greeting", called), path("greetings/", called)),
]
OURS = "corsguard_django.CORSMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
ROUTED = {"routes": {"/": {"allow_origins": [APP]}}}


class Told(NamedTuple):
    code: int
    out: str


@pytest.fixture(autouse=True)
def in_80_columns(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "80")
    with override_settings(CORSGUARD=ROUTED, ROOT_URLCONF=__name__):
        yield


def explain(*arguments: str, page: str = APP) -> Told:
    out, code = StringIO(), 0
    try:
        call_command("corsguard", "explain", f"--page={page}", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return Told(code, out.getvalue())


def document(*arguments: str, page: str = APP) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(explain("--format=json", *arguments, page=page).out)
    return told


def changes(*arguments: str, page: str = APP) -> list[tuple[str, str, str]]:
    return [
        (change["place"]["kind"], change["place"]["name"], change["line"])
        for change in document(*arguments, page=page)["changes"]
    ]


def test_an_allowed_request_calls_no_view() -> None:
    told = explain(f"{API}/items/1")
    assert told.code == 0
    assert "│ ── GET /items/1 ──" in told.out
    assert "Allowed: the script gets the answer." in told.out
    assert "status   200" in told.out


def test_the_policy_of_the_route_is_changed() -> None:
    assert changes("--method=PATCH", f"{API}/items/1") == [
        ("route", "/", '"allow_methods": ["PATCH"],')
    ]
    told = explain("--method=PATCH", f"{API}/items/1")
    assert '\n    # in CORSGUARD["routes"]["/"]\n    "allow_methods": ["PATCH"],\n\n' in told.out


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
def test_the_change_is_written_as_the_setting_is(setting: Any, words: str) -> None:
    with override_settings(CORSGUARD=setting):
        assert words in explain("--credentials=include", f"{API}/items/1").out


def test_a_project_without_the_setting_is_given_a_route() -> None:
    with override_settings():
        del settings.CORSGUARD
        assert (
            f'    # in CORSGUARD["routes"]\n    "/items/1": {{\n        "allow_origins": ["{APP}"],'
        ) in explain(f"{API}/items/1").out


def test_a_method_that_no_view_takes_is_told_beside_the_change() -> None:
    told = " ".join(explain("--method=PATCH", f"{API}/items/1").out.split())
    assert "beware even so, the application answers 405: no view there takes PATCH" in told
    assert document("--method=PATCH", f"{API}/items/1")["response_with_changes"]["status"] == 405
    told = " ".join(explain("--method=PATCH", f"{API}/nowhere").out.split())
    assert "beware even so, the application answers 404: no view is there" in told
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
def test_the_class_of_a_view_tells_which_methods_it_takes(
    method: str, place: str, status: int
) -> None:
    told = document(f"--method={method}", f"{API}/{place}", page=PARTNER)
    [answer] = [hop["answer"] for hop in told["requests"]]
    assert answer["status"] == status


def test_the_policy_of_the_view_is_changed() -> None:
    assert changes("--method=DELETE", "--header=x-a:1", "--header=x-b:1", f"{API}/items/1") == [
        ("view", "items", f'allow_origins=["{PARTNER}", "{APP}"],'),
        ("view", "items", 'allow_methods=["DELETE"],'),
        ("view", "items", 'allow_headers=["X-A", "X-B"],'),
    ]


def test_a_request_without_a_preflight_is_decided_by_its_view() -> None:
    told = explain(f"{API}/partners")
    assert told.code == 1
    assert (
        f'\n    # the policy of the view partners\n    allow_origins=["{PARTNER}", "{APP}"],\n'
    ) in told.out
    assert explain(f"{API}/partners", page=PARTNER).code == 0


def test_an_exempt_view_is_given_a_policy() -> None:
    assert (
        "# the policy of the method PUT of the class Items, which has none"
        in explain("--method=PUT", f"{API}/items/1").out
    )


def sharing(changed: str = "", **mended: Any) -> list[Any]:
    """Views that share policies; the one that is named has been changed."""

    def held(name: str) -> Any:
        fields = mended if name == changed else {"allow_origins": [PARTNER]}
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
def test_what_a_change_opens_is_all_that_shares_the_policy(
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
        told = document(f"--method={method}", f"{API}{place}")["changes"]
        out = explain(f"--method={method}", f"{API}{place}").out
    assert f"\n    # the policy of {holder}\n" in out
    assert {change["place"]["holder"] for change in told} == {holder}
    assert told[0]["exposes"].startswith(f"pages of {APP} may read the answers of {holder}")
    mended = {change["field"]: change["value"] for change in told}
    with override_settings(CORSGUARD=setting, ROOT_URLCONF=tuple(sharing(changed, **mended))):
        assert allowed() == {asked, *opened}


def test_where_there_is_no_view_the_answer_is_404() -> None:
    assert document(f"{API}/nowhere")["response"]["status"] == 404


def answers(*arguments: str, **changed: Any) -> list[tuple[int, str | None]]:
    """The status of each answer, and where it redirects to."""
    with override_settings(**changed):
        told = document(*arguments)
    found = []
    for answer in (hop["answer"] for hop in told["requests"]):
        fields = {field["name"]: field["value"] for field in answer["headers"]}
        found.append((answer["status"], fields.get("Location")))
    return found


@pytest.mark.parametrize(("common", "status"), [(COMMON, 301), (f"{__name__}.Common", 308)])
def test_the_redirect_to_a_slash_is_part_of_it(common: str, status: int) -> None:
    stack = [OURS, common]
    assert answers(f"{API}/slashed?a=1", MIDDLEWARE=stack) == [
        (status, "/slashed/?a=1"),
        (200, None),
    ]
    assert answers(f"{API}/slashed", MIDDLEWARE=stack, APPEND_SLASH=False) == [(404, None)]
    assert answers(f"{API}/slashed", MIDDLEWARE=[OURS]) == [(404, None)]
    assert answers(f"{API}/nowhere", MIDDLEWARE=stack) == [(404, None)]
    # Django refuses to lose the body while one develops.
    assert answers("--method=POST", f"{API}/slashed", MIDDLEWARE=stack, DEBUG=True) == [(500, None)]


def test_a_preflight_where_no_policy_holds_is_redirected_to_the_slash() -> None:
    with override_settings(MIDDLEWARE=[OURS, COMMON], CORSGUARD={"routes": {"/api": False}}):
        told = document("--method=PUT", f"{API}/slashed", page=PARTNER)
    assert [hop["answer"]["status"] for hop in told["requests"]] == [301]
    assert told["verdict"] == "blocked"


def test_the_path_names_the_language_where_the_project_reads_it() -> None:
    in_german = f"{API}/de/greeting"
    assert answers(in_german, MIDDLEWARE=[OURS, LOCALE]) == [(200, None)]
    assert answers(in_german, MIDDLEWARE=[OURS], LANGUAGE_CODE="de") == [(200, None)]
    assert answers(in_german, MIDDLEWARE=[OURS]) == [(404, None)]
    before = get_language()
    answers(in_german, MIDDLEWARE=[OURS, LOCALE])
    assert get_language() == before


def test_the_redirect_to_a_language_is_part_of_it() -> None:
    stack = [OURS, LOCALE, COMMON]
    assert answers(f"{API}/greeting", MIDDLEWARE=stack, LANGUAGE_CODE="fr") == [
        (302, "/fr/greeting"),
        (200, None),
    ]
    assert answers(f"{API}/greetings", "--header=accept-language:de", MIDDLEWARE=stack) == [
        (302, "/de/greetings/"),
        (200, None),
    ]


def test_other_middleware_is_left_out() -> None:
    stack = [OURS, f"{__name__}.unrelated", "nowhere.Nothing", COMMON]
    assert answers(f"{API}/slashed", MIDDLEWARE=stack) == [(301, "/slashed/"), (200, None)]


def test_the_host_that_is_asked_about_is_the_projects() -> None:
    stack = [OURS, COMMON]
    assert answers(f"{API}/items/1", MIDDLEWARE=stack, ALLOWED_HOSTS=[]) == [(200, None)]


def test_the_length_of_what_no_view_has_made_is_not_told() -> None:
    with override_settings(MIDDLEWARE=[OURS, COMMON]):
        assert "content-length" not in explain("--format=json", f"{API}/items/1").out.lower()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("Http404", 404),
        ("PermissionDenied", 403),
        ("BadRequest", 400),
        ("SuspiciousOperation", 400),
        ("RuntimeError", 500),
    ],
)
def test_what_a_converter_raises_is_answered_as_django_does(error: str, status: int) -> None:
    assert answers(f"{API}/raised/{error}") == [(status, None)]


def test_the_forced_script_name_is_no_part_of_the_path() -> None:
    with override_settings(FORCE_SCRIPT_NAME="/service", MIDDLEWARE=[OURS, COMMON]):
        assert answers(f"{API}/service/items/1") == [(200, None)]
        assert answers(f"{API}/service/slashed") == [(301, "/service/slashed/"), (200, None)]
        assert answers(f"{API}/services/items/1") == [(404, None)]
        with override_settings(CORSGUARD={"routes": {"/partners": False}}):
            assert changes(f"{API}/service/items/1")[0][:2] == ("route", "/items/1")


def test_an_async_callable_is_asked() -> None:
    async def is_ours(origin: str) -> bool:
        return origin == APP

    with override_settings(CORSGUARD=Policy(allow_origins=[is_ours])):
        assert explain(f"{API}/items/1").code == 0
        told = document(f"{API}/items/1", page=PARTNER)
        assert told["changes"][0]["value"][1] == PARTNER


def test_the_document_is_one_line_end_from_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("--format=json", f"{API}/items/1").out.endswith("\n}\n")


@pytest.mark.parametrize(
    ("arguments", "configuration", "words"),
    [
        (["--page=app", f"{API}/"], ROUTED, "--page 'app' is neither"),
        ([f"--page={APP}", "--header=x", f"{API}/"], ROUTED, "--header 'x' is not a header"),
        ([f"--page={APP}", f"{API}/"], {"allow_origin": []}, "unknown-field"),
    ],
)
def test_what_can_not_be_told_is_2(
    arguments: list[str], configuration: dict[str, Any], words: str
) -> None:
    with (
        override_settings(CORSGUARD=configuration),
        pytest.raises(CommandError, match=words.replace("[", r"\[")) as ended,
    ):
        call_command("corsguard", "explain", *arguments)
    assert ended.value.returncode == 2


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_one_line_names_it(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for module in ("diagram", "terminal"):
        monkeypatch.delitem(sys.modules, f"corsguard.cli.{module}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setitem(sys.modules, f"{missing}.console", None)
    with pytest.raises(CommandError, match=r'pip install "corsguard\[cli\]"') as ended:
        explain(f"{API}/")
    assert ended.value.returncode == 2
    assert "\n" not in str(ended.value)
