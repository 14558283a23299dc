"""Several policies for one path: the first that covers the origin decides."""

from __future__ import annotations

from support.table import APP, EVIL, PREFLIGHT_VARY, Row, cors, origin, preflight

from corsguard import Guard, Policy, Reason

PARTNER = "https://partner.example"
COOKIE = ("Cookie", "session=1")
CROSS_SITE = ("Sec-Fetch-Site", "cross-site")

FRONTENDS = Policy(
    allow_origins=[APP],
    allow_credentials=True,
    allow_methods=["PUT"],
    allow_headers=["X-A"],
    max_age=60,
)
PARTNERS = Policy(allow_origins=[PARTNER], allow_methods=["DELETE"], expose_headers=["X-Total"])
PUBLIC = Policy(allow_origins=["*"], allow_headers=["X-B"], max_age=600)

VARY = cors(vary="Origin")
TO_APP = cors(allow_origin=APP, allow_credentials="true", vary="Origin")
TO_PARTNER = cors(allow_origin=PARTNER, expose_headers="X-Total", vary="Origin")
TO_ALL = cors(allow_origin="*", vary="Origin")
PREFLIGHT = cors(vary=f"Origin, {PREFLIGHT_VARY}")
PREFLIGHT_TO_APP = {
    **PREFLIGHT,
    **cors(
        allow_origin=APP,
        allow_credentials="true",
        allow_methods="GET, HEAD, POST, PUT",
        allow_headers="X-A",
        max_age="60",
    ),
}
PREFLIGHT_TO_PARTNER = {
    **PREFLIGHT,
    **cors(allow_origin=PARTNER, allow_methods="GET, HEAD, POST, DELETE", max_age="7200"),
}
PREFLIGHT_TO_ALL = {**PREFLIGHT, **cors(allow_origin="*", allow_headers="X-B", max_age="600")}


def open_to_all() -> Guard:
    return Guard({"/": [FRONTENDS, PARTNERS, PUBLIC]})


def everywhere() -> Guard:
    return Guard([FRONTENDS, PUBLIC])


def listed() -> Guard:
    return Guard({"/": [FRONTENDS, PARTNERS]})


def enforced() -> Guard:
    return Guard({"/": [FRONTENDS, PARTNERS]}, enforce=True)


def asking() -> Guard:
    """Build a guard whose first policy asks a callable, which refuses all but APP."""
    return Guard([Policy(allow_origins=[lambda value: value == APP]), PARTNERS])


LIST_ROWS = [
    Row("a list: the first policy covers the origin", open_to_all, Reason.ALLOWED,
        headers=origin(APP, COOKIE), cors=TO_APP),
    Row("a list: the second policy covers the origin", open_to_all, Reason.ALLOWED,
        headers=origin(PARTNER), cors=TO_PARTNER),
    Row("a list: `*` covers every other origin", open_to_all, Reason.ALLOWED,
        headers=origin(EVIL), cors=TO_ALL),
    Row("a list: `*` covers an Origin that is not valid", open_to_all, Reason.ALLOWED,
        headers=origin("https://A.example/"), cors=TO_ALL),
    Row("a list: cookies of an origin that only `*` covers", open_to_all,
        Reason.CREDENTIALS_NOT_ALLOWED, headers=origin(EVIL, COOKIE, CROSS_SITE), cors=TO_ALL),
    Row("a list: no Origin", open_to_all, Reason.NOT_CORS, cors=TO_ALL),
    Row("a list without `*`: no Origin", listed, Reason.NOT_CORS, cors=VARY),
    Row("a list without `*`: no policy covers the origin", listed, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin(EVIL), cors=VARY),
    Row("a list without `*`: an Origin that is not valid", listed, Reason.ORIGIN_INVALID,
        headers=origin("https://A.example/"), cors=VARY),
    Row("a list without `*`: the second policy allows no cookies", listed,
        Reason.CREDENTIALS_NOT_ALLOWED, headers=origin(PARTNER, COOKIE), cors=TO_PARTNER),
    Row("a list for every path", everywhere, Reason.ALLOWED, path="/other",
        headers=origin(EVIL), cors=TO_ALL),
    Row("a list: preflight by the first policy", open_to_all, Reason.ALLOWED, "OPTIONS",
        headers=preflight(APP, "PUT", "x-a"), status=204, cors=PREFLIGHT_TO_APP),
    Row("a list: preflight by the second policy", open_to_all, Reason.ALLOWED, "OPTIONS",
        headers=preflight(PARTNER, "DELETE"), status=204, cors=PREFLIGHT_TO_PARTNER),
    Row("a list: preflight by `*`", open_to_all, Reason.ALLOWED, "OPTIONS",
        headers=preflight(EVIL, "GET", "x-b"), status=204, cors=PREFLIGHT_TO_ALL),
    Row("a list: a method that another policy of it allows", open_to_all,
        Reason.METHOD_NOT_ALLOWED, "OPTIONS", headers=preflight(EVIL, "PUT"), status=204,
        cors=PREFLIGHT_TO_ALL),
    Row("a list: a header that another policy of it allows", open_to_all,
        Reason.HEADERS_NOT_ALLOWED, "OPTIONS", headers=preflight(APP, "PUT", "x-b"), status=204,
        cors=PREFLIGHT_TO_APP),
    Row("a list without `*`: preflight that no policy covers", listed, Reason.ORIGIN_NOT_ALLOWED,
        "OPTIONS", headers=preflight(EVIL, "PUT"), status=403, cors=PREFLIGHT),
    Row("a list, enforced: the second policy covers it", enforced, Reason.ALLOWED, "POST",
        headers=origin(PARTNER, CROSS_SITE), cors=TO_PARTNER),
    Row("a list, enforced: the policy that covers it allows no cookies", enforced,
        Reason.CROSS_ORIGIN_REFUSED, "POST", headers=origin(PARTNER, COOKIE, CROSS_SITE),
        status=403, cors=TO_PARTNER),
    Row("a list, enforced: no policy covers it", enforced, Reason.CROSS_ORIGIN_REFUSED, "POST",
        headers=origin(EVIL, CROSS_SITE), status=403, cors=VARY),
    Row("a list, a callable that allows", asking, Reason.ALLOWED,
        headers=origin(APP), cors=cors(allow_origin=APP, vary="Origin")),
    Row("a list, a callable that refuses: the next policy", asking, Reason.ALLOWED,
        headers=origin(PARTNER), cors=TO_PARTNER),
    Row("a list, a callable that refuses: no policy is left", asking, Reason.ORIGIN_NOT_ALLOWED,
        headers=origin(EVIL), cors=VARY),
]  # fmt: skip
