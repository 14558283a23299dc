"""The system checks: what is wrong, or rarely meant, in a project's CORS configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from warnings import catch_warnings, simplefilter

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  # their name in Django
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain
from django.utils.module_loading import import_string

from corsguard import Engine, Guard, Policy, PolicyError, PolicyWarning, Problem
from corsguard_django.configuration import configured, placed

__all__ = ["TAG", "check_configuration"]

TAG = "corsguard"

_OURS = "corsguard_django.middleware.CORSMiddleware"
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"
_CORSHEADERS = "corsheaders.middleware.CorsMiddleware"
_FIRST = 'MIDDLEWARE = ["corsguard_django.CORSMiddleware", ...]'
_UNREADABLE = "without CORS headers, so that no page can read why"
# What must stand below, by its id, and what it does to a request before corsguard sees it.
_BELOW = {
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
    _CSRF: ("below-csrf", f"it refuses requests {_UNREADABLE}"),
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
_SUBDOMAIN = "corsguard-check"  # stands for any subdomain


def check_configuration(**_: Any) -> list[CheckMessage]:
    """Every problem and warning of the policies, and how they fit the other settings."""
    stack = [_names(path) for path in settings.MIDDLEWARE]
    messages: list[CheckMessage] = [*_misplaced(stack)]
    try:
        with catch_warnings():
            simplefilter("ignore", PolicyWarning)  # told below, each with an id
            guard = configured().guard
    except PolicyError as error:
        return [*messages, *(_message(Error, problem) for problem in error.problems)]
    for place, policy in placed(guard):
        problems = [warning.problem for warning in policy.warnings] if policy else []
        messages.extend(_message(Warning, problem.within(place)) for problem in problems)
    if guard.enforce and settings.CSRF_TRUSTED_ORIGINS:
        messages.extend(_trusted_but_refused(guard))
        if any(_CSRF in names for names in stack):
            messages.extend(_allowed_but_not_trusted(guard))
    return messages


def _message(level: type[Error | Warning], problem: Problem) -> CheckMessage:
    text = f"{problem.field}: {problem.message}"
    return level(text, hint=problem.suggestion, id=f"{TAG}.{problem.code}")


def _names(path: str) -> frozenset[str]:
    """The names of a middleware and of what it is derived from."""
    try:
        found = import_string(path)
    except ImportError:  # which is for Django to tell
        return frozenset({path})
    classes = found.__mro__ if isinstance(found, type) else ()
    return frozenset({path, *(f"{cls.__module__}.{cls.__qualname__}" for cls in classes)})


def _misplaced(stack: list[frozenset[str]]) -> Iterator[CheckMessage]:
    """What is wrong with the place of the middleware among the others."""
    ours = [index for index, names in enumerate(stack) if _OURS in names]
    if any(_CORSHEADERS in names for names in stack):
        yield Error(
            "django-cors-headers answers the same requests by another configuration",
            hint=f"remove {_CORSHEADERS} from MIDDLEWARE",
            id=f"{TAG}.corsheaders",
        )
    if not ours:
        message = "MIDDLEWARE has no CORSMiddleware, so that no policy holds"
        yield Error(message, hint=_FIRST, id=f"{TAG}.middleware-missing")
        return
    if len(ours) > 1:
        message = "CORSMiddleware stands in MIDDLEWARE more than once"
        yield Error(message, hint="keep the first", id=f"{TAG}.middleware-twice")
    for path, names in zip(settings.MIDDLEWARE, stack[: ours[0]], strict=False):
        for code, why in (_BELOW[name] for name in names & _BELOW.keys()):
            message = f"CORSMiddleware stands below {path}: {why}"
            yield Warning(message, hint=f"put it first: {_FIRST}", id=f"{TAG}.{code}")


def _trusted_but_refused(guard: Guard) -> Iterator[CheckMessage]:
    if guard.has_callables:  # which are not asked what they would say to a made-up origin
        return
    engines = [Engine(policy) for policy in _by_name(guard)]
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        example = origin.replace("*", _SUBDOMAIN)
        if _is_own(origin, guard) or any(
            engine.decide(example, "GET", {}).allowed for engine in engines
        ):
            continue
        yield Warning(
            f"CSRF_TRUSTED_ORIGINS has {origin}, which no policy allows: `enforce` refuses it",
            hint="list it in allow_origins, or in own_origins if it is this service; or remove it",
            id=f"{TAG}.csrf-trusted-refused",
        )


def _allowed_but_not_trusted(guard: Guard) -> Iterator[CheckMessage]:
    trusted = [urlsplit(origin) for origin in settings.CSRF_TRUSTED_ORIGINS]
    entries = [entry for policy in _by_name(guard) for entry in policy.allow_origins]
    for entry in dict.fromkeys(entry for entry in entries if isinstance(entry, str)):
        example = urlsplit(entry.replace("*.", f"{_SUBDOMAIN}.").replace(":*", ":65535"))
        if any(
            origin.scheme == example.scheme
            and is_same_domain(example.netloc, origin.netloc.lstrip("*"))
            for origin in trusted
        ):
            continue
        yield Warning(
            f"a policy allows {entry}, which CSRF_TRUSTED_ORIGINS has not: "
            "CsrfViewMiddleware refuses what `enforce` lets pass",
            hint=f"add {entry!r} to CSRF_TRUSTED_ORIGINS, or exempt the views from CSRF tokens",
            id=f"{TAG}.csrf-allowed-not-trusted",
        )


def _by_name(guard: Guard) -> list[Policy]:
    """The policies that can allow an unsafe request from elsewhere."""
    policies = [policy for _, policy in placed(guard)]
    return [policy for policy in policies if policy and "*" not in policy.allow_origins]


def _is_own(origin: str, guard: Guard) -> bool:
    """Whether an origin is this service, which a proxy may hide from Django."""
    if origin in guard.own_origins:
        return True
    host, _ = split_domain_port(urlsplit(origin).netloc)
    return validate_host(host, [name for name in settings.ALLOWED_HOSTS if name != "*"])
