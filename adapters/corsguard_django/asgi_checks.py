"""What ASGI_APPLICATION serves beside Django, and whether corsguard is around it."""

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

    It is a warning where that is not sure, or where a validator of Channels decides. A handshake is
    refused under `enforce` only. Without it, nothing could be done about one.
    """
    path = getattr(settings, "ASGI_APPLICATION", None)
    if not path:
        return
    try:
        application = import_string(path)
    except Exception:  # which is for the server to tell
        return
    hint = (
        f"in {path.rpartition('.')[0]}: application = CORSMiddleware(application), of "
        "corsguard_django.channels"
    )
    covered = {kind: find_coverage(application, kind) for kind in ("http", *_HANDSHAKES)}
    if has_router(application):
        yield from _check_routed(path, covered, hint, enforce=bool(guard.enforce))
    elif guard.enforce and any(covered.values()):
        yield Warning(
            f"ASGI_APPLICATION is {path}, and nothing tells what it serves besides Django: "
            "`enforce` does not see that",
            hint=hint,
            id="corsguard.asgi-unknown",
        )


def _check_routed(
    path: str, covered: Mapping[str, Coverage], hint: str, *, enforce: bool
) -> Iterator[CheckMessage]:
    """Yield what is found of each protocol that a router leads to."""
    for kind in _HANDSHAKES if enforce else ():
        if covered[kind] is Coverage.OUTSIDE:
            yield Error(
                f"{path} accepts a {kind} handshake from any page, with its cookies: "
                "`enforce` does not see it",
                hint=hint,
                id=f"corsguard.asgi-{kind}",
            )
        elif covered[kind] is Coverage.VALIDATED:
            yield Warning(
                f"{path} leaves each {kind} handshake to a validator of origins, which decides by "
                "ALLOWED_HOSTS or a list of its own, and not by CORSGUARD",
                hint=hint,
                id=f"corsguard.asgi-{kind}",
            )
    if covered["http"] is Coverage.OUTSIDE:
        yield Error(
            f"{path} serves http by something else than Django, where no policy applies",
            hint=hint,
            id="corsguard.asgi-http",
        )
    asked = ("http", *_HANDSHAKES) if enforce else ("http",)
    if unknown := [kind for kind in asked if covered[kind] is Coverage.UNKNOWN]:
        yield Warning(
            f"nothing tells what answers {' and '.join(unknown)} in {path}: where that is not "
            "Django, no policy applies",
            hint=hint,
            id="corsguard.asgi-unknown",
        )
