"""A Django project with a guard that follows a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from support.django_requests import APP  # noqa: F401  # which configures Django
from support.memory_store import Changes

from corsguard import Guard
from corsguard_django.settings_mixin import SettingsMixin

A, B = "https://a.example", "https://b.example"


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


urlpatterns = [path("", view)]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=None, ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(f'allow_origins = ["{A}"]\n')
    return path


class Configured(SettingsMixin):
    @property
    def guard(self) -> Guard:
        if not self._is_configured:
            self._configure()
        return self._views.guard


@pytest.fixture
def mixin() -> Iterator[Callable[[], Configured]]:
    built: list[Configured] = []

    def build() -> Configured:
        built.append(Configured())
        return built[-1]

    yield build
    with override_settings(CORSGUARD={"allow_origins": [A]}):
        assert all(each.guard.version is None for each in built)


def test_django_follows_the_source_of_the_settings(
    file: Path, mixin: Callable[[], Configured]
) -> None:
    with override_settings(CORSGUARD={"source": str(file)}):
        guard = mixin().guard
        changes = Changes(guard)
        file.write_text(f'allow_origins = ["{B}"]\n')
        changes.wait_for_change()

        assert guard.decide("/", B, "GET", {}).allowed
        assert [each.id for each in run_checks(tags=["corsguard"]) if each.is_serious()] == []
        assert guard.version is not None


def test_django_stops_following_a_source_that_the_settings_have_no_longer(
    file: Path, mixin: Callable[[], Configured]
) -> None:
    with override_settings(CORSGUARD={"source": str(file)}):
        configured = mixin()
        first = configured.guard
        with override_settings(CORSGUARD={"allow_origins": [B]}):
            assert configured.guard is not first
            assert first.version is None


def test_django_leaves_a_guard_of_the_settings_alone(
    file: Path, mixin: Callable[[], Configured]
) -> None:
    guard = Guard(None)
    guard.follow(str(file))
    with override_settings(CORSGUARD=guard):
        configured = mixin()
        run_checks(tags=["corsguard"])
        with override_settings(CORSGUARD={"allow_origins": [B]}):
            assert configured.guard is not guard
        assert guard.version is not None
    guard.unfollow()


def test_django_commands_run_while_the_source_is_down_and_servers_do_not(tmp_path: Path) -> None:
    with override_settings(CORSGUARD={"source": str(tmp_path / "absent.toml")}):
        found = [each for each in run_checks(tags=["corsguard"]) if "source" in str(each.id)]
        with pytest.raises(ImproperlyConfigured, match="source-unavailable"):
            SettingsMixin()

    assert [(each.id, each.is_serious()) for each in found] == [
        ("corsguard.source-unavailable", False)
    ]
