"""The check of what ASGI_APPLICATION serves outside of corsguard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  # their name in Django
from django.utils.module_loading import import_string

from corsguard import Guard
from corsguard_django.asgi_routing import Coverage, find_coverage, has_router

__all__ = ["check_protocols"]

_HANDSHAKES = ("websocket", "webtransport")


def check_protocols(guard: Guard) -> Iterator[CheckMessage]:
    """Yield an error for each protocol that is answered outside of corsguard.

    It is a warning where that is not certain, or where a validator of Channels decides. Handshakes
    are checked under `enforce` only, as corsguard refuses none without it.
    """
    path = getattr(settings, "ASGI_APPLICATION", None)
    if not path:
        return
    try:
        application = import_string(path)
    except Exception:  # the server reports it
        return
    hint = (
        f"In {path.rpartition('.')[0]}, wrap it with CORSMiddleware of corsguard_django.channels: "
        "application = CORSMiddleware(application)"
    )
    covered = {kind: find_coverage(application, kind) for kind in ("http", *_HANDSHAKES)}
    if has_router(application):
        yield from _check_routed(path, covered, hint, enforce=bool(guard.enforce))
    elif guard.enforce and any(covered.values()):
        yield Warning(
            f"corsguard can't tell what {path} (ASGI_APPLICATION) serves besides Django: "
            "`enforce` does not protect that",
            hint=hint,
            id="corsguard.asgi-unknown",
        )


def _check_routed(
    path: str, covered: Mapping[str, Coverage], hint: str, *, enforce: bool
) -> Iterator[CheckMessage]:
    """Yield an error or warning for each protocol that a router leads to."""
    for kind in _HANDSHAKES if enforce else ():
        if covered[kind] is Coverage.OUTSIDE:
            yield Error(
                f"{path} accepts a {kind} handshake from any page, with the user's cookies: "
                "`enforce` does not protect it",
                hint=hint,
                id=f"corsguard.asgi-{kind}",
            )
        elif covered[kind] is Coverage.VALIDATED:
            yield Warning(
                f"a validator of Channels decides on each {kind} handshake of {path}: it reads "
                "ALLOWED_HOSTS or its own list, and not CORSGUARD",
                hint=hint,
                id=f"corsguard.asgi-{kind}",
            )
    if covered["http"] is Coverage.OUTSIDE:
        yield Error(
            f"{path} serves http by an application other than Django, where no policy applies",
            hint=hint,
            id="corsguard.asgi-http",
        )
    kinds = ("http", *_HANDSHAKES) if enforce else ("http",)
    if unknown := [kind for kind in kinds if covered[kind] is Coverage.UNKNOWN]:
        yield Warning(
            f"corsguard can't tell what answers {' and '.join(unknown)} in {path}: if that is not "
            "Django, no policy applies",
            hint=hint,
            id="corsguard.asgi-unknown",
        )
