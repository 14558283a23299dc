"""django-cors-headers: settings, old names, the signal, subclasses, and `manage.py`."""

from __future__ import annotations

import json
import re
import sys
from types import ModuleType
from typing import Any

import pytest
from corsheaders.middleware import CorsMiddleware
from corsheaders.signals import check_request_enabled
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.management.base import CommandError
from django.http import HttpResponse
from django.urls import path
from django.views import View
from support.migrate.applications import configure_django

from corsguard.cli.migrate.configuration import PeerConfiguration, PeerError
from corsguard.cli.migrate.peers import django_cors_headers, read_peer
from corsguard.cli.migrate.translation import translate

A = "https://a.example"
LISTED = {"CORS_ALLOWED_ORIGINS": [A]}


class Subclass(CorsMiddleware):
    """Middleware that decides by code."""

    def origin_found_in_white_lists(self, origin: str, url: object) -> bool:
        raise AssertionError("code of the application ran")


SUBCLASS = {"MIDDLEWARE": [f"{__name__}.Subclass"]}


def read(options: dict[str, Any], **others: Any) -> PeerConfiguration:
    with configure_django(options, **others):
        found = django_cors_headers.read_settings()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("pattern", "prefixes"),
    [
        (r"^/api/.*$", ("/api",)),
        (r"^/(api|media)/.*$", ("/api", "/media")),
        (re.compile(r"/admin"), ("/admin",)),
        (r"/.*", ("/",)),
    ],
)
def test_pattern_of_urls_becomes_prefixes(pattern: Any, prefixes: tuple[str, ...]) -> None:
    configuration = read({**LISTED, "CORS_URLS_REGEX": pattern})

    assert configuration.policies[0].scope.prefixes == prefixes
    assert configuration.todos == ()


@pytest.mark.parametrize(
    ("pattern", "views"),
    [(r"^/api/.+/[0-9]", ("item",)), (r"^/api/items/$", ("items",)), (r"^/none[0-9]", ())],
)
def test_unusual_pattern_of_urls_is_a_todo(pattern: str, views: tuple[str, ...]) -> None:
    configuration = read({**LISTED, "CORS_URLS_REGEX": pattern})

    (policy,), (todo,) = configuration.policies, configuration.todos
    assert (policy.scope.prefixes, policy.scope.views) == ((), views)
    assert todo.message == (
        f"CORS_URLS_REGEX '{pattern}': no route prefix says this pattern. Write @cors_policy on "
        f"the views that it covers: {', '.join(views) or 'none'}"
    )


def shared(request: object) -> HttpResponse:
    raise AssertionError("a view ran")


def test_view_that_an_unusual_pattern_covers_in_part_is_a_todo() -> None:
    urls = ModuleType("shop_urls")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path("api/v1/items/", shared),
        path("api/v2/other/", shared),
        path("home/", shared),
    ]

    configuration = read({**LISTED, "CORS_URLS_REGEX": "^/api/.*/items", "ROOT_URLCONF": urls})

    assert configuration.policies[0].scope == ((), (), "")
    assert [each.message for each in configuration.todos] == [
        "CORS_URLS_REGEX '^/api/.*/items': no route prefix says this pattern. Write @cors_policy "
        "on the views that it covers: none",
        "CORS_URLS_REGEX '^/api/.*/items' covers some of the paths of the view shared and not "
        "others: @cors_policy is for all of them, so it needs a view of its own",
    ]


def test_old_names_are_read() -> None:
    configuration = read(
        {"CORS_ORIGIN_WHITELIST": [A], "CORS_ORIGIN_REGEX_WHITELIST": [re.compile(r"https://b\.c")]}
    )

    (policy,) = configuration.policies
    assert policy.origins == (A,)
    assert [each.source for each in policy.regexes] == [r"https://b\.c"]
    assert configuration.notes == ()


def test_settings_without_an_effect_are_named() -> None:
    notes = read(
        {
            **LISTED,
            "CORS_ALLOWED_HEADERS": ["x"],
            "CORS_XYZ": 1,
            "CORS_MODEL": "shop.Origin",
            "CORS_REPLACE_HTTPS_REFERER": True,
        }
    ).notes

    assert notes == (
        "CORS_ALLOWED_HEADERS is not a setting of django-cors-headers, and never had an effect; "
        "was CORS_ALLOW_HEADERS meant?",
        "CORS_MODEL has no effect, removed in 3.0: connect check_request_enabled",
        "CORS_REPLACE_HTTPS_REFERER has no effect, removed in 4.0: use CSRF_TRUSTED_ORIGINS",
        "CORS_XYZ is not a setting of django-cors-headers, and never had an effect",
    )


def test_private_network_is_left_out() -> None:
    (note,) = read({**LISTED, "CORS_ALLOW_PRIVATE_NETWORK": True}).notes

    assert note == "allow_private_network: no browser asks for it any more; left out"


def test_max_age_of_zero_is_no_header() -> None:
    assert read({**LISTED, "CORS_PREFLIGHT_MAX_AGE": 0}).policies[0].max_age is None


def test_wildcards_with_credentials_are_todos() -> None:
    options = {
        **LISTED,
        "CORS_ALLOW_CREDENTIALS": True,
        "CORS_ALLOW_METHODS": ["*"],
        "CORS_ALLOW_HEADERS": ["*", "x-a"],
    }

    translation = translate(read(options))

    assert translation.mapping["allow_methods"] == []
    assert translation.mapping["allow_headers"] == ["x-a"]
    assert [todo.message.partition(":")[0] for todo in translation.todos] == [
        "allow_methods * with credentials allowed nothing",
        "allow_headers * with credentials allowed nothing",
    ]


def test_wildcards_without_credentials_stay() -> None:
    options = {**LISTED, "CORS_ALLOW_METHODS": ["*"], "CORS_ALLOW_HEADERS": ["*"]}

    mapping = translate(read(options)).mapping

    assert (mapping["allow_methods"], mapping["allow_headers"]) == (["*"], ["*"])


def test_receiver_is_a_todo_with_its_place() -> None:
    (todo,) = read(LISTED, receives=True).todos

    assert todo.message.startswith("the receiver decide of check_request_enabled decides by the")
    assert todo.place.startswith("tests/support/migrate/applications.py:")


def test_receiver_of_any_kind_is_a_todo() -> None:
    class Receiver:
        def __call__(self, **_: object) -> bool:
            raise AssertionError("code of the application ran")

    receiver = Receiver()
    gone = Receiver()
    check_request_enabled.connect(receiver, weak=False)
    check_request_enabled.connect(gone)
    del gone
    try:
        (todo,) = read(LISTED).todos
    finally:
        check_request_enabled.disconnect(receiver)

    assert todo.message.startswith("the receiver Receiver of check_request_enabled")
    assert todo.place == ""


def test_subclass_is_a_todo() -> None:
    (todo,) = read({**LISTED, **SUBCLASS}).todos

    assert todo.message.startswith("the subclass Subclass overrides origin_found_in_white_lists:")
    assert todo.place.startswith("tests/cli/migrate/test_django_cors_headers.py:")


def test_paths_and_methods_of_the_urlconf_are_read() -> None:
    from types import ModuleType

    from django.urls import include, path, re_path

    class Items(View):
        def put(self, request: object) -> None:
            raise AssertionError("a view ran")

    urls = ModuleType("urls")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path("api/", include([path("items/<int:number>", Items.as_view())])),
        re_path(r"^old/(\d+)$", Items.as_view(), name="old"),
    ]

    paths = read(LISTED, ROOT_URLCONF=urls).paths

    assert [each.path for each in paths] == ["/api/items/1", "/old/"]
    assert paths[0].methods == ("PUT",)
    assert [each.view for each in paths] == ["Items", "old"]


def test_handler_of_a_project_is_read() -> None:
    with configure_django(LISTED):
        configuration = read_peer(WSGIHandler(), "shop.wsgi:app")

    assert configuration.peer == "django-cors-headers"


def test_project_without_it_is_not_read() -> None:
    with configure_django({}, MIDDLEWARE=["django.middleware.common.CommonMiddleware"]):
        with pytest.raises(PeerError):
            read_peer(WSGIHandler(), "shop.wsgi:app")
        with pytest.raises(CommandError, match="there is nothing to migrate") as raised:
            call_command("corsguard", "migrate")

    assert raised.value.returncode == 2


def test_project_that_has_not_installed_it_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "corsheaders", None)

    with configure_django({}), pytest.raises(CommandError, match="there is nothing to migrate"):
        call_command("corsguard", "migrate")


def test_manage_py_names_the_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "corsguard.cli.migrate.command", raising=False)
    monkeypatch.setitem(sys.modules, "corsguard.cli.migrate.report", None)

    with (
        configure_django(LISTED),
        pytest.raises(CommandError, match="this needs: pip install") as at,
    ):
        call_command("corsguard", "migrate")

    assert at.value.returncode == 2


def test_manage_py_prints_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    with configure_django({**LISTED, "CORS_URLS_REGEX": "^/api/"}):
        call_command("corsguard", "migrate")

    out, err = capsys.readouterr()
    assert out.startswith('CORSGUARD = {\n    "routes": {\n        "/api": {\n')
    assert "requests through django-cors-headers and through corsguard: no differences" in err
    assert err.splitlines()[-1] == "starts"
    assert "PolicyWarning" not in err


@pytest.mark.parametrize(
    ("pattern", "scope"), [("^/api/.+/[0-9]", "view item"), ("^/none[0-9]", "no view")]
)
def test_manage_py_prints_the_policies_of_views(
    pattern: str, scope: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        configure_django({**LISTED, "CORS_URLS_REGEX": pattern}),
        pytest.raises(SystemExit) as ended,
    ):
        call_command("corsguard", "migrate")

    out, err = capsys.readouterr()
    assert ended.value.code == 1
    assert f"  settings: {scope}\n" in err
    assert 'CORSGUARD = {\n    "routes": {\n        "/": None,\n    },\n}\n' in out
    assert ("VIEW_ITEM = Policy(" in out) == (scope == "view item")


def test_manage_py_takes_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--format", "json", "--path", "/api/x", "--path", "/y")
    with configure_django(LISTED, receives=True), pytest.raises(SystemExit) as ended:
        call_command("corsguard", "migrate", *arguments)

    document = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert document["app"] == "settings"
    assert document["result"] == "starts, 1 to do"


def test_manage_py_without_replay(capsys: pytest.CaptureFixture[str]) -> None:
    with configure_django(LISTED):
        call_command("corsguard", "migrate", "--no-replay", "--format", "toml")

    out, err = capsys.readouterr()
    assert out.startswith('allow_origins = ["https://a.example"]\n')
    assert "replay" not in err


def test_pattern_of_urls_that_hangs_is_an_error() -> None:
    urls = ModuleType("shop_urls")
    urls.urlpatterns = [path(f"{'a' * 40}b", shared)]  # type: ignore[attr-defined]

    with (
        configure_django({**LISTED, "CORS_URLS_REGEX": "/(a+)+$", "ROOT_URLCONF": urls}),
        pytest.raises(CommandError, match=r"^CORS_URLS_REGEX '/\(a\+\)\+\$' takes more") as at,
    ):
        call_command("corsguard", "migrate")

    assert at.value.returncode == 2
