"""Numbered policies that differ in all that a response shows, so that no mixture looks whole."""

from __future__ import annotations

from collections.abc import Iterable

from support.fleet_probe import FleetResponse, Sighting

APP = "https://app.example"
"""The origin that every policy allows."""
EVEN, ODD = "https://even.example", "https://odd.example"
"""The origins that every second policy allows, and the others refuse."""
ORIGINS = (APP, EVEN, ODD)

_EXPOSED = "x-version-"


def build_text(number: int) -> str:
    """Return the document of a policy: an odd one enforces, an even one allows credentials."""
    is_odd = number % 2 == 1
    return (
        f'allow_origins = ["{APP}", "{ODD if is_odd else EVEN}"]\n'
        f'expose_headers = ["{_EXPOSED}{number}"]\n'
        f"allow_credentials = {str(not is_odd).lower()}\n"
        f"enforce = {str(is_odd).lower()}\n"
    )


def read_number(response: FleetResponse) -> int | None:
    """Return the number of the policy that a response shows; None if it allows nothing."""
    exposed = response.headers.get("access-control-expose-headers")
    return None if exposed is None else int(exposed.removeprefix(_EXPOSED))


def find_mixtures(sightings: Iterable[Sighting], numbers: Iterable[int]) -> list[str]:
    """Return the responses that none of the numbered policies gives as a whole, nor in order."""
    known = [*numbers]
    newest: dict[int, int] = {}  # process id -> number of the newest policy seen
    found = []
    for sighting in sightings:
        number = read_number(sighting.response)
        expected = {_expect(sighting.origin, each) for each in known}
        is_old = number is not None and number < newest.get(sighting.pid, 0)
        if sighting.response.read_cors() not in expected or is_old:
            found.append(f"{sighting.pid} {sighting.origin}: {sighting.response}")
        if number is not None:
            newest[sighting.pid] = number
    return found


def _expect(origin: str, number: int) -> tuple[int, str | None, str | None, str | None]:
    is_odd = number % 2 == 1
    if origin in {APP, ODD if is_odd else EVEN}:
        return 200, origin, f"{_EXPOSED}{number}", None if is_odd else "true"
    return 403 if is_odd else 200, None, None, None
