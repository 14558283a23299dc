"""Where the middleware is in MIDDLEWARE, and what django-cors-headers has left in the settings."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  # their name in Django
from django.utils.module_loading import import_string

from corsguard import Guard, PolicyError

__all__ = ["CSRF", "check_leftovers", "check_middleware", "list_class_names"]

_OURS = "corsguard_django.middleware.CORSMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
_CORSHEADERS = "corsheaders.middleware.CorsMiddleware"
_LEFTOVERS = (
    "CORS_ALLOWED_ORIGINS",
    "CORS_ALLOWED_ORIGIN_REGEXES",
    "CORS_ALLOW_ALL_ORIGINS",
    "CORS_ALLOW_CREDENTIALS",
    "CORS_ALLOW_HEADERS",
    "CORS_ALLOW_METHODS",
    "CORS_ALLOW_PRIVATE_NETWORK",
    "CORS_EXPOSE_HEADERS",
    "CORS_ORIGIN_ALLOW_ALL",
    "CORS_ORIGIN_REGEX_WHITELIST",
    "CORS_ORIGIN_WHITELIST",
    "CORS_PREFLIGHT_MAX_AGE",
    "CORS_REPLACE_HTTPS_REFERER",
    "CORS_URLS_REGEX",
)
_FIRST = 'MIDDLEWARE = ["corsguard_django.CORSMiddleware", ...]'
_UNREADABLE = "without CORS headers, so that no page can read why"
# What must stand below, by its id, and what it does to a request before corsguard sees it.
_MUST_BE_BELOW = {
    "django.middleware.security.SecurityMiddleware": (
        "below-security",
        "its redirect to https breaks a preflight, which browsers let no server redirect",
    ),
    "django.middleware.common.CommonMiddleware": (
        "below-common",
        f"it redirects and refuses requests {_UNREADABLE}, and preflights too",
    ),
    "django.middleware.locale.LocaleMiddleware": (
        "below-locale",
        "its redirect to the path of a language has no CORS headers",
    ),
    "whitenoise.middleware.WhiteNoiseMiddleware": (
        "below-whitenoise",
        "the static files that it serves, such as fonts, have no CORS headers",
    ),
    "django.contrib.auth.middleware.AuthenticationMiddleware": (
        "below-authentication",
        "a preflight never carries a cookie, so nothing that asks for a login must see it",
    ),
    "django.contrib.auth.middleware.LoginRequiredMiddleware": (
        "below-authentication",
        f"it sends who is not logged in to another page {_UNREADABLE}",
    ),
    "django.contrib.auth.middleware.RemoteUserMiddleware": (
        "below-authentication",
        "a preflight never carries credentials, so nothing that asks for them must see it",
    ),
    CSRF: ("below-csrf", f"it refuses requests {_UNREADABLE}"),
    "django.middleware.gzip.GZipMiddleware": (
        "below-gzip",
        "it changes answers after their headers are complete",
    ),
    "django.middleware.cache.UpdateCacheMiddleware": (
        "below-cache",
        "it keeps answers with the CORS headers of one origin, for every other one",
    ),
    "django.middleware.cache.FetchFromCacheMiddleware": (
        "below-cache",
        "what it answers from the cache has no CORS headers of this request",
    ),
}


def list_class_names(path: str) -> frozenset[str]:
    """The names of a middleware and of what it is derived from."""
    try:
        found = import_string(path)
    except ImportError:  # which is for Django to tell
        return frozenset({path})
    classes = found.__mro__ if isinstance(found, type) else ()
    return frozenset({path, *(f"{cls.__module__}.{cls.__qualname__}" for cls in classes)})


def check_middleware() -> Iterator[CheckMessage]:
    """Yield what is wrong with the place of the middleware among the others."""
    stack = [list_class_names(path) for path in settings.MIDDLEWARE]
    ours = [index for index, names in enumerate(stack) if _OURS in names]
    if any(_CORSHEADERS in names for names in stack):
        yield Error(
            "django-cors-headers answers the same requests by another configuration",
            hint=f"remove {_CORSHEADERS} from MIDDLEWARE",
            id="corsguard.corsheaders",
        )
    if not ours:
        message = "MIDDLEWARE has no CORSMiddleware, so that no policy holds"
        yield Error(message, hint=_FIRST, id="corsguard.middleware-missing")
        return
    if len(ours) > 1:
        message = "CORSMiddleware stands in MIDDLEWARE more than once"
        yield Error(message, hint="keep the first", id="corsguard.middleware-twice")
    above = list(_find_misplaced(stack[: ours[0]]))
    if above:  # one misplacement, whatever is above; the first has the most to break
        message = "; ".join(f"{path}: {why}" for path, _, why in above)
        message = f"CORSMiddleware is below {message}"
        yield Warning(message, hint=f"put it first: {_FIRST}", id=f"corsguard.{above[0][1]}")


def check_leftovers() -> Iterator[CheckMessage]:
    """Yield a warning of the settings of django-cors-headers, once nothing reads them."""
    left = [name for name in _LEFTOVERS if hasattr(settings, name)]
    if not left or any(_CORSHEADERS in list_class_names(path) for path in settings.MIDDLEWARE):
        return
    yield Warning(
        f"{', '.join(left)}: nothing reads the settings of django-cors-headers any more",
        hint="; ".join(f"{name}: {_suggest_counterpart(name)}" for name in left),
        id="corsguard.corsheaders-settings",
    )


def _find_misplaced(stack: list[frozenset[str]]) -> Iterator[tuple[str, str, str]]:
    """Yield each middleware that must not be above ours, its check, and what it breaks."""
    for path, names in zip(settings.MIDDLEWARE, stack, strict=False):
        for code, why in (_MUST_BE_BELOW[name] for name in names & _MUST_BE_BELOW.keys()):
            if f"corsguard.{code}" not in settings.SILENCED_SYSTEM_CHECKS:
                yield path, code, why


def _suggest_counterpart(name: str) -> str:
    """Return what a setting of django-cors-headers is called in CORSGUARD."""
    suggestion = ""
    try:
        Guard.from_mapping({name: getattr(settings, name), "enforce": True})
    except PolicyError as error:
        suggestion = error.problems[0].suggestion
    return suggestion
