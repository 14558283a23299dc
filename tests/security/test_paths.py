"""Spellings of paths: none gets a view the policy of another, or takes it past enforcement."""

from __future__ import annotations

import pytest
from support.security.path_spellings import list_spellings
from support.security.routers import AT_SVC, LITESTAR_MOUNTS, ROUTERS, VIEWS, Router, Send
from support.table import by_name, preflight

from corsguard import Guard, Policy

ALL = "https://all.example"
ELSEWHERE = "https://elsewhere.example"


def exposing(name: str, *origins: str) -> Policy:
    return Policy(allow_origins=[ALL, *origins], expose_headers=[name], allow_methods=[name])


# Elsewhere may do anything, but not what stands below /api/admin.
ROOT, API, ADMIN = exposing("X-Root", ELSEWHERE), exposing("X-Api", ELSEWHERE), exposing("X-Admin")
HELD_BY = {"admin": "X-Admin", "users": "X-Admin", "items": "X-Api", "public": "X-Root"}
SPELLINGS = list(dict.fromkeys(list_spellings(VIEWS["admin"])))

by_path = pytest.mark.parametrize("router", ROUTERS, ids=lambda router: router.name)
by_view = pytest.mark.parametrize(
    "router",
    [router for router in ROUTERS if router.has_view_policies],
    ids=lambda router: router.name,
)


def guard(*, views: bool = False, enforce: bool = False) -> Guard:
    admin = {} if views else {"/api/admin": ADMIN}
    return Guard({"/": ROOT, "/api": API, **admin}, enforce=enforce)


def find_policy(send: Send, wire: str) -> tuple[str | None, str | None]:
    """Return the view that a spelling reaches and the policy applied, None where there is none."""
    reply = send("GET", wire, [("Origin", ALL)])
    exposed = by_name(reply.headers).get("access-control-expose-headers")
    return (reply.body if reply.status == 200 else None), exposed


def find_confused(send: Send, wires: list[str]) -> list[tuple[str, str | None, str | None]]:
    """Return the spellings that reach a view but get the policy of another one."""
    reached = ((wire, *find_policy(send, wire)) for wire in wires)
    return [
        (wire, view, exposed)
        for wire, view, exposed in reached
        if view is not None and exposed not in {None, HELD_BY[view]}
    ]


def find_unenforced(send: Send, wires: list[str]) -> list[str]:
    """Return the spellings with which a cross-site request reaches a view below /api/admin."""
    replies = ((wire, send("POST", wire, [("Origin", ELSEWHERE)])) for wire in wires)
    return [
        wire for wire, reply in replies if reply.status == 200 and HELD_BY[reply.body] == "X-Admin"
    ]


def check(router: Router, admin: Policy | None, wires: list[str], root_path: str = "") -> None:
    views = admin is not None
    with router.served(guard(views=views), admin, root_path) as send:
        for view, path in VIEWS.items():  # the plain spelling
            assert find_policy(send, router.wire(root_path, path)) == (view, HELD_BY[view])
        assert find_confused(send, wires) == []
    with router.served(guard(views=views, enforce=True), admin, root_path) as send:
        admin_path = router.wire(root_path, VIEWS["admin"])
        assert send("POST", admin_path, [("Origin", ALL)]).body == "admin"
        items_path = router.wire(root_path, VIEWS["items"])
        assert send("POST", items_path, [("Origin", ELSEWHERE)]).body == "items"
        assert find_unenforced(send, wires) == []


@by_path
@pytest.mark.slow
def test_path_spelling_never_gets_another_paths_policy(router: Router) -> None:
    check(router, None, SPELLINGS)


@by_view
@pytest.mark.slow
def test_path_spelling_never_gets_another_views_policy(router: Router) -> None:
    check(router, ADMIN, SPELLINGS)


TAILS = ("/api/admin", "api/admin", "//api/admin", "/../api/admin", "/svc/api/admin")
HEADS = (
    "/svc",
    "//svc",
    "/x/svc",
    "/svc/svc",
    "/api/svc",
    "svc",
    "/SVC",
    "/public/svc",
    "/svcx",
    "",
)
AT_ROOTS = [head + tail for head in HEADS for tail in TAILS]


@by_path
def test_root_path_spelling_never_gets_another_paths_policy(router: Router) -> None:
    check(router, None, AT_ROOTS, root_path="/svc")


@by_view
def test_root_path_spelling_never_gets_another_views_policy(router: Router) -> None:
    check(router, ADMIN, AT_ROOTS, root_path="/svc")


@by_path
@pytest.mark.parametrize("root_path", ["/", "/svc/", "/api", "/api/admin", "/a", "svc"])
def test_odd_root_path_never_gets_another_policy(router: Router, root_path: str) -> None:
    wires = [*AT_ROOTS, *(root_path + wire for wire in (*VIEWS.values(), *AT_ROOTS))]
    with router.served(guard(), None, root_path) as send:
        assert find_confused(send, wires) == []
    with router.served(guard(enforce=True), None, root_path) as send:
        assert find_unenforced(send, wires) == []


@pytest.mark.parametrize("router", AT_SVC, ids=lambda router: router.name)
@pytest.mark.parametrize("root_path", ["", "/x", "/svc"])
def test_root_path_of_the_application_gets_no_other_policy(router: Router, root_path: str) -> None:
    with router.served(guard(), None, root_path) as send:
        reached = {find_policy(send, wire) for wire in AT_ROOTS}
        assert find_confused(send, AT_ROOTS) == []
    with router.served(guard(enforce=True), None, root_path) as send:
        assert find_unenforced(send, AT_ROOTS) == []
    if root_path == "":
        assert ("admin", "X-Admin") in reached


@by_path
@pytest.mark.slow
def test_path_spelling_never_gets_another_views_preflight(router: Router) -> None:
    with router.served(guard(), None) as send:
        answered = {}
        for wire in SPELLINGS:
            reply = send("OPTIONS", wire, preflight(ALL))
            methods = by_name(reply.headers).get("access-control-allow-methods")
            if methods is not None:
                answered[wire] = methods
        for wire, methods in answered.items():
            view, _ = find_policy(send, wire)
            assert view is None or methods.endswith(HELD_BY[view])
        assert answered["/api/admin"].endswith("X-Admin")


@by_path
def test_path_spelling_is_never_exempt_for_another_path(router: Router) -> None:
    exempting = Guard({}, enforce=True, enforce_exempt=["/api/items", "/hooks"])
    wires = [
        *SPELLINGS,
        *(f"/hooks/{dots}{path}" for dots in ("..", "%2e%2e", ".%2e") for path in VIEWS.values()),
    ]
    with router.served(exempting, None) as send:
        assert send("POST", "/api/items", [("Origin", ELSEWHERE)]).body == "items"
        assert find_unenforced(send, wires) == []


def test_litestar_mount_answers_longer_names_as_documented() -> None:
    with LITESTAR_MOUNTS.served(guard(), None) as send:
        assert find_policy(send, "/api/administrator") == ("admin", "X-Api")
