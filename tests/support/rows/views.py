"""Policies of views, on the adapters of frameworks that have views.

`PAGES` and `INCLUDES` describe an application in no framework. Its URLs are written in the syntax
that Flask and Django share. A view answers 200 with its name and the method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from support.application import Fields
from support.table import (
    APP,
    EVIL,
    HOST,
    PREFLIGHT_VARY,
    Client,
    cors,
    cors_fields,
    origin,
    preflight,
)

from corsguard import Guard, Policy, Reason

PARTNER = "https://partner.example"
COOKIE = ("Cookie", "session=1")

OF_PATH = Policy(allow_origins=[APP], allow_methods=["PUT"])
PARTNERS = Policy(
    allow_origins=[PARTNER], allow_credentials=True, allow_methods=["PUT", "DELETE"], max_age=60
)
PUBLIC = Policy(allow_origins=["*"])


class Own(NamedTuple):
    """A per-view policy, or a list of policies; None where the view is exempt."""

    policy: Policy | list[Policy] | None


EXEMPT = Own(None)


class Page(NamedTuple):
    """A URL and its view: a function; or a class, where methods have policies of their own."""

    name: str
    url: str
    methods: tuple[str, ...] = ("GET", "POST", "PUT")
    own: Own | None = None
    by_method: Mapping[str, Own] = {}


class Include(NamedTuple):
    """Pages below a prefix, with a policy for all: a blueprint in Flask, an include in Django."""

    name: str
    prefix: str
    pages: tuple[Page, ...]
    own: Own | None = None
    includes: tuple[Include, ...] = ()


class ViewStack(Protocol):
    """A way to serve the pages behind an adapter."""

    name: str

    def build(self, guard: Guard) -> Client: ...


class ViewRow(NamedTuple):
    name: str
    """What it shows."""
    guard: Callable[[], Guard]
    reason: Reason
    method: str
    path: str
    headers: Fields
    reached: str | None = None
    """The view that answers; None where the adapter answers, or where the page is missing."""
    status: int = 200
    cors: dict[str, str] = {}  # noqa: RUF012
    """All `Access-Control-*` and `Vary` fields of the answer: no others may be there."""

    def __str__(self) -> str:
        return self.name


def plain() -> Guard:
    return Guard({"/": OF_PATH, "/closed": None})


def enforced() -> Guard:
    return Guard({"/": OF_PATH, "/closed": None}, enforce=True, enforce_exempt=["/hooks"])


def only_views() -> Guard:
    return Guard({})


PAGES = (
    Page("plain", "/plain"),
    Page("partners", "/partners", own=Own(PARTNERS)),
    Page("exempt", "/exempt", own=EXEMPT),
    Page("public", "/public", own=Own(PUBLIC)),
    Page(
        "items",
        "/items/<int:id>",
        ("GET", "POST", "PUT", "PATCH", "DELETE"),
        by_method={
            "GET": Own(PUBLIC),
            "PUT": Own(PARTNERS),
            "DELETE": Own(PARTNERS),
            "PATCH": EXEMPT,
        },
    ),
    Page("class", "/class/<int:id>", own=Own(PARTNERS), by_method={"GET": Own(PUBLIC)}),
    Page("several", "/several", own=Own([PARTNERS, PUBLIC])),
    Page("mixed", "/mixed/<int:id>", by_method={"GET": Own([PARTNERS, PUBLIC])}),
    Page("shut", "/closed/shut"),
    Page("opened", "/closed/opened", own=Own(PARTNERS)),
    Page("hook", "/hooks/hook", own=EXEMPT),
)
INCLUDES = (
    Include(
        "api",
        "/api",
        (
            Page("list", "/list"),
            Page("off", "/off", own=EXEMPT),
            Page("all", "/all", own=Own(PUBLIC)),
        ),
        Own(PARTNERS),
        (
            Include("v2", "/v2", (Page("list", "/list"),), Own(PUBLIC)),
            Include("v3", "/v3", (Page("list", "/list"),)),
        ),
    ),
)

VARY = cors(vary="Origin")
TO_APP = cors(allow_origin=APP, vary="Origin")
TO_PARTNER = cors(allow_origin=PARTNER, allow_credentials="true", vary="Origin")
TO_ALL = cors(allow_origin="*")
REFUSED = cors(vary=f"Origin, {PREFLIGHT_VARY}")


def _preflight_to_app(methods: str) -> dict[str, str]:
    return {**REFUSED, **cors(allow_origin=APP, allow_methods=methods, max_age="7200")}


def _preflight_to_partner(methods: str) -> dict[str, str]:
    fields = cors(allow_credentials="true", allow_methods=methods, max_age="60")
    return {**REFUSED, **cors(allow_origin=PARTNER), **fields}


def _preflight_to_all(**fields: str) -> dict[str, str]:
    return cors(allow_origin="*", max_age="7200", vary=PREFLIGHT_VARY, **fields)


def _answer_row(
    name: str,
    request: str,
    page: str,
    value: str,
    reason: Reason,
    expected: dict[str, str],
    *others: tuple[str, str],
    guard: Callable[[], Guard] = plain,
) -> ViewRow:
    """Build a row where the view answers, with the headers of its policy."""
    method, path = request.split(" ")
    return ViewRow(name, guard, reason, method, path, origin(value, *others), page, cors=expected)


def _preflight_row(
    name: str,
    path: str,
    method: str,
    value: str,
    expected: dict[str, str],
    reason: Reason = Reason.ALLOWED,
    guard: Callable[[], Guard] = plain,
) -> ViewRow:
    """Build a row for a preflight, answered for the view of the requested method."""
    status = 204 if expected.keys() - {"vary"} else 403
    return ViewRow(
        name, guard, reason, "OPTIONS", path, preflight(value, method), None, status, expected
    )


def _refusal_row(
    name: str, request: str, value: str, expected: dict[str, str], *others: tuple[str, str]
) -> ViewRow:
    """Build a row where enforcement answers 403, and the view is not called."""
    method, path = request.split(" ")
    reason = Reason.CROSS_ORIGIN_REFUSED
    return ViewRow(
        f"enforced: {name}",
        enforced, reason, method, path, origin(value, *others), None, 403, expected,
    )  # fmt: skip


NOT_ALLOWED = Reason.ORIGIN_NOT_ALLOWED
ACTUAL_ROWS = [
    _answer_row("a view without a policy has the one of its path",
                "GET /plain", "plain", APP, Reason.ALLOWED, TO_APP),
    _answer_row("the policy of a view wins",
                "GET /partners", "partners", PARTNER, Reason.ALLOWED, TO_PARTNER),
    _answer_row("the policy of a view wins: the origin of the path is refused",
                "GET /partners", "partners", APP, NOT_ALLOWED, VARY),
    _answer_row("the policy of a view wins: looser than its path's",
                "GET /public", "public", EVIL, Reason.ALLOWED, TO_ALL),
    _answer_row("the policy of a view wins over a path without",
                "GET /closed/opened", "opened", PARTNER, Reason.ALLOWED, TO_PARTNER),
    _answer_row("a path without a policy, and a view without",
                "GET /closed/shut", "shut", APP, Reason.NO_POLICY, {}),
    _answer_row("an exempt view", "GET /exempt", "exempt", APP, Reason.NO_POLICY, {}),
    _answer_row("GET of a class", "GET /items/1", "items", EVIL, Reason.ALLOWED, TO_ALL),
    _answer_row("HEAD reaches GET", "HEAD /items/1", "items", EVIL, Reason.ALLOWED, TO_ALL),
    _answer_row("PUT of a class", "PUT /items/1", "items", PARTNER, Reason.ALLOWED, TO_PARTNER),
    _answer_row("PUT of a class, another origin",
                "PUT /items/1", "items", APP, NOT_ALLOWED, VARY),
    _answer_row("PATCH of a class, exempt", "PATCH /items/1", "items", APP, Reason.NO_POLICY, {}),
    _answer_row("POST of a class, without a per-view policy",
                "POST /items/1", "items", APP, Reason.ALLOWED, TO_APP),
    _answer_row("the policy of a class", "POST /class/1", "class", PARTNER, Reason.ALLOWED,
                TO_PARTNER),
    _answer_row("a method wins over its class", "GET /class/1", "class", EVIL, Reason.ALLOWED,
                TO_ALL),
    _answer_row("a view without allow_credentials, and a cookie", "GET /public", "public", EVIL,
                Reason.CREDENTIALS_NOT_ALLOWED, TO_ALL, COOKIE),
    _answer_row("only views have policies: one with", "GET /partners", "partners", PARTNER,
                Reason.ALLOWED, TO_PARTNER, guard=only_views),
    _answer_row("only views have policies: one without", "GET /plain", "plain", APP,
                Reason.NO_POLICY, {}, guard=only_views),
    _answer_row("a list of policies for a view: the first", "GET /several", "several", PARTNER,
                Reason.ALLOWED, TO_PARTNER, COOKIE),
    _answer_row("a list of policies for a view: the next", "GET /several", "several", EVIL,
                Reason.ALLOWED, {**TO_ALL, **VARY}),
    _answer_row("a list of policies for a method", "GET /mixed/1", "mixed", EVIL,
                Reason.ALLOWED, {**TO_ALL, **VARY}),
    ViewRow("a URL that reaches no view has the policy of its path", plain, Reason.ALLOWED,
            "GET", "/nowhere", origin(APP), None, 404, TO_APP),
    ViewRow("a view's policy without an Origin", plain, Reason.NOT_CORS,
            "GET", "/public", [], "public", cors=TO_ALL),
]  # fmt: skip
PREFLIGHT_ROWS = [
    _preflight_row("no other policy on the URL: the whole list",
                   "/plain", "PUT", APP, _preflight_to_app("GET, HEAD, POST, PUT")),
    _preflight_row("one policy for all methods of a view: the whole list",
                   "/partners", "PUT", PARTNER,
                   _preflight_to_partner("GET, HEAD, POST, PUT, DELETE")),
    _preflight_row("a preflight by the view, another origin",
                   "/partners", "PUT", APP, REFUSED, NOT_ALLOWED),
    _preflight_row("the method's policy: PUT, and the methods that share it",
                   "/items/1", "PUT", PARTNER, _preflight_to_partner("DELETE, PUT")),
    _preflight_row("the method's policy: DELETE, and the methods that share it",
                   "/items/1", "DELETE", PARTNER, _preflight_to_partner("DELETE, PUT")),
    _preflight_row("the method's policy: PUT, another origin",
                   "/items/1", "PUT", EVIL, REFUSED, NOT_ALLOWED),
    _preflight_row("the method's policy: GET", "/items/1", "GET", EVIL,
                   _preflight_to_all(allow_methods="GET, HEAD")),
    _preflight_row("the method's policy: HEAD is the one of GET", "/items/1", "HEAD", EVIL,
                   _preflight_to_all(allow_methods="GET, HEAD")),
    _preflight_row("the path's policy, and the methods whose views have no other",
                   "/items/1", "POST", APP, _preflight_to_app("POST")),
    _preflight_row("the policy of a class, less the method that has its own",
                   "/class/1", "PUT", PARTNER, _preflight_to_partner("POST, PUT")),
    _preflight_row("the method of a class that has its own",
                   "/class/1", "GET", EVIL, _preflight_to_all(allow_methods="GET, HEAD")),
    _preflight_row("a preflight by the view, on a path without a policy",
                   "/closed/opened", "PUT", PARTNER,
                   _preflight_to_partner("GET, HEAD, POST, PUT, DELETE")),
    _preflight_row("a list of policies for a view: preflight by the first",
                   "/several", "PUT", PARTNER,
                   _preflight_to_partner("GET, HEAD, POST, PUT, DELETE")),
    _preflight_row("a list of policies for a view: preflight by the next",
                   "/several", "GET", EVIL, {**_preflight_to_all(), **REFUSED}),
    _preflight_row("a list of policies for a method, which no other method shares",
                   "/mixed/1", "GET", EVIL,
                   {**_preflight_to_all(allow_methods="GET, HEAD"), **REFUSED}),
    _preflight_row("a preflight for no page has the policy of its path",
                   "/nowhere", "PUT", APP, _preflight_to_app("GET, HEAD, POST, PUT")),
    _preflight_row("a method that the view's policy does not list", "/public", "PUT", EVIL,
                   _preflight_to_all(), Reason.METHOD_NOT_ALLOWED),
]  # fmt: skip
ENFORCE_ROWS = [
    _refusal_row("the view's policy does not list the origin of the path's",
                 "POST /partners", APP, VARY),
    _refusal_row("neither lists it", "POST /partners", EVIL, VARY),
    _refusal_row("the method's policy does not list the origin", "PUT /items/1", APP, VARY),
    _refusal_row("an exempt view", "POST /exempt", APP, {}),
    _refusal_row("an exempt method", "PATCH /items/1", APP, {}),
    _refusal_row("a view for everyone lists no origin", "POST /public", EVIL, TO_ALL),
    _refusal_row("a path without a policy", "POST /closed/shut", APP, {}),
    _refusal_row("no page", "POST /nowhere", EVIL, VARY),
    _answer_row("enforced, passes: the view's policy lists it", "POST /partners", "partners",
                PARTNER, Reason.ALLOWED, TO_PARTNER, COOKIE, guard=enforced),
    _answer_row("enforced, passes: the method's policy lists it", "PUT /items/1", "items",
                PARTNER, Reason.ALLOWED, TO_PARTNER, guard=enforced),
    _answer_row("enforced, passes: the view's policy, on a path without", "POST /closed/opened",
                "opened", PARTNER, Reason.ALLOWED, TO_PARTNER, guard=enforced),
    _answer_row("enforced, passes: the path's policy, and a method without its own",
                "POST /items/1", "items", APP, Reason.ALLOWED, TO_APP, guard=enforced),
    _answer_row("enforced, passes: an exempt view on an exempt path", "POST /hooks/hook", "hook",
                EVIL, Reason.NO_POLICY, {}, guard=enforced),
    _answer_row("enforced, passes: GET", "GET /partners", "partners", EVIL, NOT_ALLOWED, VARY,
                guard=enforced),
    _answer_row("enforced, passes: own", "POST /partners", "partners", EVIL, Reason.SAME_ORIGIN,
                VARY, ("Sec-Fetch-Site", "same-origin"), guard=enforced),
    _preflight_row("enforced: a preflight is answered as ever", "/items/1", "PUT", PARTNER,
                   _preflight_to_partner("DELETE, PUT"), guard=enforced),
]  # fmt: skip
INCLUDE_ROWS = [
    _answer_row("the policy of an include", "GET /api/list", "list", PARTNER, Reason.ALLOWED,
                TO_PARTNER),
    _answer_row("the policy of an include, not the path's", "GET /api/list", "list", APP,
                NOT_ALLOWED, VARY),
    _answer_row("a view wins over its include", "GET /api/all", "all", EVIL, Reason.ALLOWED,
                TO_ALL),
    _answer_row("a view is exempt from its include", "GET /api/off", "off", PARTNER,
                Reason.NO_POLICY, {}),
    _answer_row("the innermost include wins", "GET /api/v2/list", "list", EVIL, Reason.ALLOWED,
                TO_ALL),
    _answer_row("an include without a policy has the one around it", "GET /api/v3/list", "list",
                PARTNER, Reason.ALLOWED, TO_PARTNER),
    _preflight_row("a preflight by the policy of an include", "/api/v3/list", "PUT", PARTNER,
                   _preflight_to_partner("GET, HEAD, POST, PUT, DELETE")),
    ViewRow("no page below an include: the policy of the path", plain, Reason.ALLOWED,
            "GET", "/api/nowhere", origin(APP), None, 404, TO_APP),
    _refusal_row("the policy of an include", "POST /api/list", APP, VARY),
]  # fmt: skip


def check_view(row: ViewRow, stack: ViewStack) -> None:
    """Assert that the stack answers a request as the row says."""
    answer = stack.build(row.guard()).send(row.method, row.path, [("Host", HOST), *row.headers])
    assert answer.decision is not None
    assert answer.decision.reason is row.reason
    assert cors_fields(answer.headers) == row.cors
    assert (answer.status, answer.called) == (row.status, row.reached is not None)
    if row.reached is not None and row.method != "HEAD":
        assert answer.body.decode() == f"{row.reached} {row.method}"
