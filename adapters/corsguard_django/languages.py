"""The languages in which Django may resolve the URL of a request, before it has chosen one."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import Any

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils.module_loading import import_string
from django.utils.translation import get_language_from_path, get_language_from_request

__all__ = ["guess_languages"]

_MOST_LANGUAGES = 20
"""The number of languages to try at most: each costs a look-up of the path."""


def guess_languages(request: HttpRequest, urlconf: Any) -> list[str]:
    """Return the languages to look for a view in, the one that Django will choose first.

    The order is that of LocaleMiddleware, which has not run yet. Another middleware may choose
    otherwise.
    """
    usual = settings.LANGUAGE_CODE
    if not settings.USE_I18N:
        return [usual]
    of_path = get_language_from_path(request.path_info)
    of_request = None
    with suppress(Exception):  # LocaleMiddleware raises it later
        of_request = get_language_from_request(request)
    is_prefixed, is_usual_prefixed = is_language_prefix_patterns_used(
        urlconf or settings.ROOT_URLCONF
    )
    chosen = [of_path, usual]
    if _has_locale_middleware():
        if not is_prefixed:
            chosen = [of_request, usual]
        elif is_usual_prefixed:
            chosen = [of_path, of_request, usual]
    every = (*chosen, of_path, of_request, *(code for code, _ in settings.LANGUAGES))
    return list(islice(dict.fromkeys(filter(None, every)), _MOST_LANGUAGES))


def _has_locale_middleware() -> bool:
    """Return True if MIDDLEWARE has LocaleMiddleware or a class derived from it."""
    for name in settings.MIDDLEWARE:
        with suppress(ImportError):  # Django reports it
            found = import_string(name)
            if isinstance(found, type) and issubclass(found, LocaleMiddleware):
                return True
    return False
