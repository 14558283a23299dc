"""The base of both middleware classes: it reads the settings at start, and after a change."""

from __future__ import annotations

from logging import getLogger
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from corsguard import Guard, PolicyError
from corsguard_django.configuration import is_built, load_views
from corsguard_django.unreachable_views import find_unreachable_views
from corsguard_django.views import Views

__all__ = ["SettingsMixin"]

_APP = "corsguard_django"
_SETTINGS = frozenset({"CORSGUARD", "ROOT_URLCONF"})

_logger = getLogger("corsguard")
_logged_for: list[object] = [None]
"""The settings object of the last log at start: a process may start several handlers with it."""


class SettingsMixin:
    """A class whose guard is that of settings.CORSGUARD, together with the policies of views.

    Raises ImproperlyConfigured with every problem of the configuration.
    """

    _views: Views
    _built: Guard | None = None
    """The guard, if it was built from the settings. It may follow a source."""
    _is_configured = False

    def __init__(self) -> None:
        self._configure()
        self._log_start()
        setting_changed.connect(self._on_setting_changed)

    def _configure(self) -> None:
        try:
            views = load_views()
        except PolicyError as error:
            raise ImproperlyConfigured(f"corsguard: {error}") from error
        if self._built is not None:
            self._built.unfollow()
        self._built = views.guard if is_built(views.guard) else None
        self._views = views
        self._is_configured = True

    def _on_setting_changed(self, *, setting: str, **_: Any) -> None:
        """Have the next request read the settings again: a test has used `override_settings`."""
        if setting in _SETTINGS:
            self._is_configured = False

    def _log_start(self) -> None:
        current = vars(settings)["_wrapped"]  # `override_settings` replaces it
        if current is _logged_for[0]:
            return
        _logged_for[0] = current
        # An exempt view that no URL leads to is only logged: a middleware may choose another
        # URLconf that leads to it. Where a wrapper certainly hides it, `Views` raises PolicyError.
        for problem in find_unreachable_views(exempt=True):
            _logger.error("%s", problem)
        if not apps.is_installed(_APP):
            _logger.warning(
                '%s is not in INSTALLED_APPS, so its system checks do not run. Add "%s" there.',
                _APP,
                _APP,
            )
