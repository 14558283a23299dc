"""The Django application: system checks, and `manage.py corsguard`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.core import checks

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

__all__ = ["CorsguardConfig"]


class CorsguardConfig(AppConfig):
    """The application that `INSTALLED_APPS += ["corsguard_django"]` adds."""

    name = "corsguard_django"
    verbose_name: StrOrPromise = "corsguard"

    def ready(self) -> None:
        from corsguard_django.checks import TAG, check_configuration

        checks.register(check_configuration, TAG)
