"""The configuration of a running project: read at start, and again when a test changes it."""

from __future__ import annotations

from logging import getLogger
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from corsguard import PolicyError
from corsguard_django.configuration import load_views
from corsguard_django.unreachable_views import find_unreachable_views
from corsguard_django.views import Views

__all__ = ["SettingsMixin"]

_APP = "corsguard_django"
_SETTINGS = frozenset({"CORSGUARD", "ROOT_URLCONF"})

_logger = getLogger("corsguard")
_logged_for: list[object] = [None]
"""The settings that were last logged for: a process may start several handlers with the same."""


class SettingsMixin:
    """What takes its guard from the settings, and its policies from views as well.

    Raises ImproperlyConfigured with every problem of the configuration.
    """

    _views: Views
    _is_configured = False

    def __init__(self) -> None:
        self._configure()
        self._log_start()
        setting_changed.connect(self._on_setting_changed)

    def _configure(self) -> None:
        try:
            self._views = load_views()
        except PolicyError as error:
            raise ImproperlyConfigured(f"corsguard: {error}") from error
        self._is_configured = True

    def _on_setting_changed(self, *, setting: str, **_: Any) -> None:
        """`override_settings` of a test: the next request sees what the settings then are."""
        if setting in _SETTINGS:
            self._is_configured = False

    def _log_start(self) -> None:
        current = vars(settings)["_wrapped"]  # `override_settings` replaces it
        if current is _logged_for[0]:
            return
        _logged_for[0] = current
        # An exempt view that no URL leads to is no reason not to start: a middleware may yet choose
        # a URLconf that does. Where a view is sure to hide it, `Views` has raised PolicyError.
        for problem in find_unreachable_views(exempt=True):
            _logger.error("%s", problem)
        if not apps.is_installed(_APP):
            _logger.warning(
                '%s is not in INSTALLED_APPS, so its system checks do not run. Add "%s" there.',
                _APP,
                _APP,
            )
