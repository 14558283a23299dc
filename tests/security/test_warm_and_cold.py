"""An application that has answered before answers as one that has not: nothing it keeps shows.

Whatever is kept of earlier requests, such as decisions by origin, must not answer for a view, a
URLconf, a cookie or a method that it was not made for. Each adapter is asked a random sequence of
requests, once by one application, and once by a new one for each request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st
from support.application import Fields
from support.security.random_services import (
    ABOVE,
    ADAPTERS,
    APP,
    ASKED,
    BELOW,
    BY_METHOD,
    BY_ORIGIN,
    BY_PATH,
    CACHED,
    EVIL,
    HOST,
    LISTED,
    LOOKUPS,
    OPEN,
    PARTNER,
    PATHS,
    PLAIN_HTTP,
    SUBDOMAIN,
    Answer,
    Mark,
    Serve,
    World,
)

from corsguard import Policies, Policy, PolicyError
from corsguard.engine.csrf import Enforce


class Request(NamedTuple):
    method: str
    path: str
    headers: Fields


class Reconfigure(NamedTuple):
    policies: Policies


class Replace(NamedTuple):
    path: str
    mark: Mark


Step = Request | Reconfigure | Replace

LISTS = (LISTED, PARTNER, ASKED, BY_ORIGIN, BY_PATH)
PREFIXES = ("/", "/items", "/admin", "/by-method")
OTHER_HOST = "other.example.com"
ORIGINS = (APP, APP, EVIL, EVIL, SUBDOMAIN, PLAIN_HTTP, None, "null", "https://A.example")
PAGE: dict[str, list[str | None]] = {
    "Cookie": [None, None, "session=1", ""],
    "Sec-Fetch-Site": [None, None, "cross-site", "cross-site", "same-origin"],
    "Sec-Fetch-Mode": [None, None, "cors", "navigate"],
}
"""What a browser says of a page."""
WAYS: tuple[Fields, ...] = (
    [],
    [],
    [],
    [(ABOVE, "other")],
    [(ABOVE, "other")],
    [(BELOW, "other")],
    [(BELOW, "other"), (CACHED, "yes")],
    [(ABOVE, "other"), (CACHED, "yes")],
    [(ABOVE, "other"), (BELOW, "root")],
    [(CACHED, "yes")],
)
"""What happens to a request on its way to a view."""
ENFORCE: tuple[Enforce, ...] = (False, False, False, False, True, "report")
METHODS = st.sampled_from(["GET", "GET", "POST", "PUT", "OPTIONS", "OPTIONS", "OPTIONS"])
ASKED_FOR: dict[str, list[str | None]] = {
    "Access-Control-Request-Method": ["PUT", "PUT", "GET", "TRACE", None],
    "Access-Control-Request-Headers": [None, None, "x-a", "x-b,x-a"],
}


def fields(table: dict[str, list[str | None]]) -> st.SearchStrategy[Fields]:
    drawn = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in table.items()})
    return drawn.map(lambda found: [(name, value) for name, value in found.items() if value])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world: most often one policy everywhere, and no view policy in the root URLconf."""
    enforce: Enforce = draw(st.sampled_from(ENFORCE))
    mark = st.sampled_from([None, None, *LISTS, OPEN, ""])
    marks = st.fixed_dictionaries(dict.fromkeys((*PATHS, BY_METHOD), mark))
    none: dict[str, Mark] = {}
    root = draw(st.just(none) | st.just(none) | marks)
    return World(draw(policies(enforce=bool(enforce))), enforce, root, draw(marks))


def policies(*, enforce: bool) -> st.SearchStrategy[Policies]:
    listed = st.sampled_from([*LISTS, *([] if enforce else [OPEN])])
    prefix = st.sampled_from(PREFIXES)
    routes = st.dictionaries(prefix, listed | st.none(), min_size=1, max_size=3)
    return listed | listed | listed | routes | (st.none() if enforce else listed)


@st.composite
def pages(draw: st.DrawFn) -> Fields:
    origin = draw(st.sampled_from(ORIGINS))
    host = draw(st.sampled_from([HOST, HOST, OTHER_HOST]))
    return [("Host", host), *([("Origin", origin)] if origin else []), *draw(fields(PAGE))]


@st.composite
def stories(draw: st.DrawFn) -> tuple[World, list[Step]]:
    """Draw one or two pages that request each path, before and after changes."""
    world = draw(worlds())
    page = st.sampled_from(draw(st.lists(pages(), min_size=1, max_size=2)))
    method = st.sampled_from(draw(st.lists(METHODS, min_size=1, max_size=2)))
    asked_for = draw(fields(ASKED_FOR))

    def visit(method: str, page: Fields, way: Fields) -> list[Step]:
        headers = [*page, *way, *(asked_for if method == "OPTIONS" else [])]
        return [Request(method, path, headers) for path in (*PATHS, BY_METHOD, "/missing")]

    visits = st.builds(visit, method, page, st.sampled_from(WAYS))
    asked = [request for each in draw(st.lists(visits, min_size=2, max_size=2)) for request in each]
    mark = st.none() | st.sampled_from([LISTED, PARTNER])
    replaced: st.SearchStrategy[Step] = st.builds(Replace, st.sampled_from(PATHS), mark)
    changed = st.builds(Reconfigure, policies(enforce=bool(world.enforce))) | replaced
    return world, [*asked, *draw(st.lists(changed, max_size=2)), *asked]


def story_of(
    *ways: Fields | Replace, method: str = "GET", policy: Policy = LISTED
) -> tuple[World, list[Step]]:
    """Build a story: one policy everywhere, an exempt view in the other URLconf, one page."""
    world = World(policy, enforce=False, marks={}, other_marks={"/admin": None})
    page: Fields = [("Host", HOST), ("Origin", APP), ("Access-Control-Request-Method", "PUT")]
    return world, [
        way if isinstance(way, Replace) else Request(method, path, [*page, *way])
        for way in ways
        for path in ("/items", "/admin")
    ]


@pytest.mark.parametrize("serve", ADAPTERS, ids=lambda serve: serve.__name__)
@example(story=story_of([], [(ABOVE, "other")], method="OPTIONS"))
@example(story=story_of([], [(ABOVE, "other"), (CACHED, "yes")]))
@example(story=story_of([], [(BELOW, "other"), (CACHED, "yes")]))
@example(story=story_of([], Replace("/admin", None), []))
@example(story=story_of([], [], policy=BY_PATH))
@example(story=story_of([], [], policy=BY_PATH, method="OPTIONS"))
@example(story=story_of([], [], policy=BY_ORIGIN, method="OPTIONS"))
@settings(max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories())
@pytest.mark.slow
def test_warm_service_answers_as_a_cold_one(serve: Serve, story: tuple[World, list[Step]]) -> None:
    try:
        assert list(warm(serve, *story)) == list(cold(serve, *story))
    except (PolicyError, ImproperlyConfigured):  # no policy anywhere
        reject()


def warm(serve: Serve, world: World, steps: Iterable[Step]) -> Iterable[Answer]:
    """Return the responses of one application that handles every step."""
    with serve(world) as service:
        for step in steps:
            if isinstance(step, Request):
                yield compared(service.send(*step))
            elif isinstance(step, Reconfigure):
                service.guard.reconfigure(step.policies)
            else:
                service.replace(*step)


def cold(serve: Serve, world: World, steps: Iterable[Step]) -> Iterable[Answer]:
    """Return the responses of an application that is rebuilt for each request."""
    replaced: list[Replace] = []
    for step in steps:
        if isinstance(step, Request):
            for lookup in LOOKUPS:
                lookup.clear()
            with serve(world) as service:
                for each in replaced:
                    service.replace(*each)
                yield compared(service.send(*step))
        elif isinstance(step, Reconfigure):
            world = world._replace(policies=step.policies)
        else:
            replaced.append(step)


def compared(answer: Answer) -> Answer:
    status, fields, body = answer
    return status, sorted((name.lower(), value) for name, value in fields), body
