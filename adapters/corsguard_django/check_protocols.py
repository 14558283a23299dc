"""What ASGI_APPLICATION serves beside Django, and whether corsguard is around it."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  # their name in Django
from django.utils.module_loading import import_string

from corsguard import Guard
from corsguard_django.protocols import is_covered, is_django, outside, routed

__all__ = ["check_protocols"]

_HANDSHAKES = ("websocket", "webtransport")


def check_protocols(guard: Guard) -> Iterator[CheckMessage]:
    """Yield an error for each protocol that is answered outside of corsguard.

    A handshake is refused under `enforce` only. Without it, nothing could be done about one.
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
    if routed(application) is None:
        if guard.enforce and not is_covered(application) and not is_django(application):
            yield Warning(
                f"ASGI_APPLICATION is {path}, and nothing tells what it serves besides Django: "
                "`enforce` does not see that",
                hint=hint,
                id="corsguard.asgi-unknown",
            )
        return
    for kind in _HANDSHAKES if guard.enforce else ():
        if outside(application, kind):
            yield Error(
                f"{path} accepts a {kind} handshake from any page, with its cookies: "
                "`enforce` does not see it",
                hint=hint,
                id=f"corsguard.asgi-{kind}",
            )
    if outside(application, "http"):
        yield Error(
            f"{path} serves http by something else than Django, where no policy applies",
            hint=hint,
            id="corsguard.asgi-http",
        )
