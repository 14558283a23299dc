"""The check that compares the origins that `enforce` allows with CSRF_TRUSTED_ORIGINS."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004  # their name in Django
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from corsguard import Engine, Guard, Policy
from corsguard.origin import OriginPattern
from corsguard.policy.origin_entry import unwrap
from corsguard_django.configuration import iter_policies
from corsguard_django.middleware_checks import CSRF, list_class_names

__all__ = ["check_csrf"]

_SUBDOMAIN = "corsguard-check"  # an example of a subdomain


def check_csrf(guard: Guard) -> Iterator[CheckMessage]:
    """Yield a warning for each origin that only CSRF_TRUSTED_ORIGINS or only a policy lists."""
    yield from _find_refused(guard)
    if any(CSRF in list_class_names(path) for path in settings.MIDDLEWARE):
        yield from _find_untrusted(guard)


def _find_refused(guard: Guard) -> Iterator[CheckMessage]:
    if guard.adapter.has_callables:  # a callable only gets origins that a request has sent
        return
    engines = [Engine(policy) for policy in _list_policies(guard)]
    patterns = [OriginPattern.of(entry) for entry in _list_entries(guard)]
    labels = {"*", *(each.label for each in patterns if each.label)}
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        examples = {origin.replace("*", each.replace("*", _SUBDOMAIN)) for each in labels}
        if _is_own(origin, guard) or any(
            engine.decide(each, "GET", {}).allowed for engine in engines for each in examples
        ):
            continue
        yield Warning(
            f"CSRF_TRUSTED_ORIGINS lists {origin}, but no policy allows it: `enforce` refuses it",
            hint="Add it to allow_origins, or to own_origins if it is this service. Or remove it.",
            id="corsguard.csrf-trusted-refused",
        )


def _find_untrusted(guard: Guard) -> Iterator[CheckMessage]:
    trusted = [urlsplit(origin) for origin in settings.CSRF_TRUSTED_ORIGINS]
    for entry in _list_entries(guard):
        example = urlsplit(entry.replace("*.", f"{_SUBDOMAIN}.").replace(":*", ":65535"))
        if any(
            origin.scheme == example.scheme
            and is_same_domain(example.netloc, origin.netloc.lstrip("*"))
            for origin in trusted
        ):
            continue
        pattern = OriginPattern.of(entry)
        # Django knows no other wildcard than `*.`.
        name = pattern._replace(label="", subdomains=True) if pattern.label else entry
        yield Warning(
            f"a policy allows {entry}, but CSRF_TRUSTED_ORIGINS does not list it: "
            "CsrfViewMiddleware refuses requests that `enforce` allows",
            hint=f"Add '{name}' to CSRF_TRUSTED_ORIGINS, or exempt the views from CSRF tokens.",
            id="corsguard.csrf-allowed-not-trusted",
        )


def _list_entries(guard: Guard) -> list[str]:
    """Return the origins and patterns of all policies that can allow such a request."""
    entries = [unwrap(each) for policy in _list_policies(guard) for each in policy.allow_origins]
    return list(dict.fromkeys(entry for entry in entries if isinstance(entry, str)))


def _list_policies(guard: Guard) -> list[Policy]:
    """Return the policies that can allow an unsafe cross-origin request."""
    policies = [policy for _, policy in iter_policies(guard)]
    return [policy for policy in policies if policy and not policy.allow_list.is_any]


def _is_own(origin: str, guard: Guard) -> bool:
    """Return True if an origin is this service, even if a proxy hides that from Django."""
    if origin in guard.own_origins:
        return True
    host, _ = split_domain_port(urlsplit(origin).netloc)
    return validate_host(host, [name for name in settings.ALLOWED_HOSTS if name != "*"])
