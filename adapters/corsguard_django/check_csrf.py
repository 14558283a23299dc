"""The origins that `enforce` lets pass, beside those that Django's protection from CSRF trusts."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004  # their name in Django
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from corsguard import Engine, Guard, Policy
from corsguard_django.check_middleware import CSRF, names_of
from corsguard_django.configuration import placed

__all__ = ["check_csrf"]

_SUBDOMAIN = "corsguard-check"  # stands for any subdomain


def check_csrf(guard: Guard) -> Iterator[CheckMessage]:
    """Yield where CSRF_TRUSTED_ORIGINS and the policies of a guard with `enforce` differ."""
    yield from _trusted_but_refused(guard)
    if any(CSRF in names_of(path) for path in settings.MIDDLEWARE):
        yield from _allowed_but_not_trusted(guard)


def _trusted_but_refused(guard: Guard) -> Iterator[CheckMessage]:
    if guard.adapter.has_callables:  # which are not asked what they would say to a made-up origin
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
            id="corsguard.csrf-trusted-refused",
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
            id="corsguard.csrf-allowed-not-trusted",
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
