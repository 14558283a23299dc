"""Checks of the order of MIDDLEWARE, and of leftover settings of django-cors-headers."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning  # noqa: A004  # their name in Django
from django.utils.module_loading import import_string

from corsguard import Guard, PolicyError
from corsguard_django.configuration import is_shadow

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
_UNREADABLE = "without CORS headers, so no page can read the reason"
# Class name -> (check id, what the class does to a request before corsguard sees it).
_MUST_BE_BELOW = {
    "django.middleware.security.SecurityMiddleware": (
        "below-security",
        "its redirect to https breaks preflights: browsers follow no redirect of a preflight",
    ),
    "django.middleware.common.CommonMiddleware": (
        "below-common",
        f"it redirects and refuses requests, preflights included, {_UNREADABLE}",
    ),
    "django.middleware.locale.LocaleMiddleware": (
        "below-locale",
        "its redirect to a language prefix has no CORS headers",
    ),
    "whitenoise.middleware.WhiteNoiseMiddleware": (
        "below-whitenoise",
        "the static files that it serves (fonts, for one) have no CORS headers",
    ),
    "django.contrib.auth.middleware.AuthenticationMiddleware": (
        "below-authentication",
        "it may ask for a login, and a preflight never carries a cookie",
    ),
    "django.contrib.auth.middleware.LoginRequiredMiddleware": (
        "below-authentication",
        f"it redirects anonymous requests to the login page {_UNREADABLE}",
    ),
    "django.contrib.auth.middleware.RemoteUserMiddleware": (
        "below-authentication",
        "it may ask for credentials, and a preflight never carries any",
    ),
    CSRF: ("below-csrf", f"it refuses requests {_UNREADABLE}"),
    "django.middleware.gzip.GZipMiddleware": (
        "below-gzip",
        "it changes responses after corsguard has completed their headers",
    ),
    "django.middleware.cache.UpdateCacheMiddleware": (
        "below-cache",
        "it caches responses with the CORS headers of one origin, and serves them to others",
    ),
    "django.middleware.cache.FetchFromCacheMiddleware": (
        "below-cache",
        "its cached responses do not have the CORS headers for this request",
    ),
}


def list_class_names(path: str) -> frozenset[str]:
    """Return the dotted names of a middleware and of its base classes."""
    try:
        found = import_string(path)
    except ImportError:  # Django reports it
        return frozenset({path})
    classes = found.__mro__ if isinstance(found, type) else ()
    return frozenset({path, *(f"{cls.__module__}.{cls.__qualname__}" for cls in classes)})


def check_middleware() -> Iterator[CheckMessage]:
    """Yield an error or warning if CORSMiddleware is missing, repeated or misplaced."""
    stack = [list_class_names(path) for path in settings.MIDDLEWARE]
    ours = [index for index, names in enumerate(stack) if _OURS in names]
    theirs = [index for index, names in enumerate(stack) if _CORSHEADERS in names]
    if is_shadow():
        yield Info(
            "the shadow mode is on: CORSGUARD refuses nothing and sets no header",
            hint='Remove "shadow" once `corsguard shadow-report` shows no difference.',
            id="corsguard.shadow",
        )
        if theirs and ours and theirs[0] < ours[0]:
            yield Error(
                "django-cors-headers is above CORSMiddleware and hides preflights from it",
                hint=f"Put it first: {_FIRST}",
                id="corsguard.corsheaders",
            )
    elif theirs:
        yield Error(
            "django-cors-headers is active too, with a configuration of its own",
            hint=f"Remove {_CORSHEADERS} from MIDDLEWARE.",
            id="corsguard.corsheaders",
        )
    if not ours:
        message = "MIDDLEWARE has no CORSMiddleware, so no policy applies"
        yield Error(message, hint=_FIRST, id="corsguard.middleware-missing")
        return
    if len(ours) > 1:
        message = "MIDDLEWARE lists CORSMiddleware more than once"
        yield Error(message, hint="Keep only the first.", id="corsguard.middleware-twice")
    above = list(_find_misplaced(stack[: ours[0]]))
    if above:  # one warning names them all, with the id of the first
        message = "; ".join(f"{path}: {why}" for path, _, why in above)
        message = f"CORSMiddleware is below {message}"
        yield Warning(message, hint=f"Put it first: {_FIRST}", id=f"corsguard.{above[0][1]}")


def check_leftovers() -> Iterator[CheckMessage]:
    """Yield a warning if settings of django-cors-headers are left that nothing reads."""
    left = [name for name in _LEFTOVERS if hasattr(settings, name)]
    if not left or any(_CORSHEADERS in list_class_names(path) for path in settings.MIDDLEWARE):
        return
    yield Warning(
        f"{', '.join(left)}: these settings of django-cors-headers have no effect",
        hint="; ".join(f"{name}: {_suggest_counterpart(name)}" for name in left),
        id="corsguard.corsheaders-settings",
    )


def _find_misplaced(stack: list[frozenset[str]]) -> Iterator[tuple[str, str, str]]:
    """Yield the path, check id and effect of each middleware that must be below ours."""
    for path, names in zip(settings.MIDDLEWARE, stack, strict=False):
        for code, why in (_MUST_BE_BELOW[name] for name in names & _MUST_BE_BELOW.keys()):
            if f"corsguard.{code}" not in settings.SILENCED_SYSTEM_CHECKS:
                yield path, code, why


def _suggest_counterpart(name: str) -> str:
    """Return the suggestion for a setting of django-cors-headers: its name in CORSGUARD."""
    suggestion = ""
    try:
        Guard.from_mapping({name: getattr(settings, name), "enforce": True})
    except PolicyError as error:
        suggestion = error.problems[0].suggestion
    return suggestion
