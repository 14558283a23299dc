"""Every change that is proposed is one that works, and names what it opens."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.random_policies import API, APP, ENGINES, GUARDS, PAGES, REQUESTS, build_policy

from corsguard import Guard, Policies, Policy, PolicyError, PolicyWarning
from corsguard.browser import (
    Answer,
    BlockReason,
    Browser,
    Cookie,
    EngineName,
    Exchange,
    Request,
    Send,
    Sent,
)
from corsguard.explain.changes import Change
from corsguard.explain.fixes import Explanation, Play, explain_request
from corsguard.explain.policy_server import build_policy_server
from corsguard.explain.trial_guard import TrialGuard
from corsguard.policy.validation import VALIDATORS


def playing(page: str, request: Request, engine: EngineName = "standard") -> Play:
    return lambda send: Browser(page, engine=engine).play(request, send)


def explain(
    policies: Guard | Policies, page: str = APP, url: str = "/", **asked: Any
) -> Explanation:
    guard = policies if isinstance(policies, Guard) else Guard(policies)
    return explain_request(
        guard, build_policy_server, playing(page, Request(f"{API}{url}", **asked))
    )


def lines(explanation: Explanation) -> list[str]:
    """The lines of the file, each table header once."""
    reported = [line for change in explanation.changes for line in (change.table, change.as_toml)]
    return [line for line in dict.fromkeys(reported) if line]


def only(page: str = APP, **fields: Any) -> Policy:
    return Policy(allow_origins=[page], **fields)


def test_allowed_request_needs_no_change() -> None:
    explanation = explain(only())
    assert explanation.exchange.allowed
    assert explanation[1:] == ((), (), None, None, "", "")


def test_blocked_request_lists_all_changes_it_needs() -> None:
    explanation = explain(
        only("https://other.example"),
        url="/items/1",
        method="PUT",
        headers={"content-type": "application/json", "X-Trace": "1"},
        credentials="include",
    )
    assert lines(explanation) == [
        'allow_origins = ["https://other.example", "https://app.example.com"]',
        "allow_credentials = true",
        'allow_methods = ["PUT"]',
        'allow_headers = ["Content-Type", "X-Trace"]',
    ]
    who = "pages of https://other.example and of 1 more listed may"
    assert [change.exposes for change in explanation.changes] == [
        "pages of https://app.example.com may read the responses of every path as the user who is "
        "signed in",
        f"requests to every path carry the user's cookies, and {who} read and act as that user",
        f"{who} send PUT to every path",
        f"{who} send Content-Type, X-Trace to every path",
    ]


def test_change_is_in_the_table_of_its_route() -> None:
    explanation = explain({"/": only(), "/api/": only()}, url="/api/items", method="PUT")
    assert lines(explanation) == ['[routes."/api/"]', 'allow_methods = ["PUT"]']
    [change] = explanation.changes
    assert change.exposes == f"pages of {APP} may send PUT to /api/ and every path below it"


@pytest.mark.parametrize(
    ("fields", "exposes"),
    [
        ({"allow_methods": ["PUT", "DELETE"]}, ", and send PUT, DELETE there"),
        ({"allow_headers": ["X-A"]}, ", and send X-A there"),
        (
            {"allow_methods": ["*"], "allow_headers": ["*", "Authorization"]},
            ", and send any method with any header, Authorization there",
        ),
        (
            {"allow_credentials": True, "allow_methods": ["PUT"], "allow_headers": ["X-A"]},
            ", and send PUT with X-A there as the user who is signed in",
        ),
    ],
)
def test_added_origin_exposes_methods_and_headers(fields: Mapping[str, Any], exposes: str) -> None:
    [change] = explain(only("https://other.example", **fields)).changes
    assert change.exposes == f"pages of {APP} may read the responses of every path{exposes}"


UNREFUSED = "; `enforce` no longer refuses their unsafe requests, such as a POST"


@pytest.mark.parametrize(
    ("enforce", "exempt", "exposes"),
    [
        (True, [], UNREFUSED),
        (True, ["/api/hooks"], UNREFUSED),
        (True, ["/api"], ""),
        ("report", [], ""),
    ],
)
def test_added_origin_exposes_unsafe_requests(
    enforce: Any, exempt: list[str], exposes: str
) -> None:
    other = only("https://other.example")
    guard = Guard({"/api": other}, enforce=enforce, enforce_exempt=exempt)
    [change] = explain(guard, url="/api/hooks").changes
    where = "/api and every path below it"
    assert change.exposes == f"pages of {APP} may read the responses of {where}{exposes}"


@pytest.mark.parametrize(
    ("policies", "table", "exposes"),
    [
        (Guard(None, enforce=True), '[routes."/items/1"]', UNREFUSED),
        ({"/api": only()}, '[routes."/items/1"]', ""),
        (
            {"/": only(), "/items": None},
            '[routes."/items/1"]',
            "; until now the route /items allows no page",
        ),
        (
            {"/": only(), "/items/1/": None},
            '[routes."/items/1/"]',
            "; until now the route /items/1/ allows no page",
        ),
    ],
)
def test_path_without_a_policy_gets_one(
    policies: Guard | Policies, table: str, exposes: str
) -> None:
    explanation = explain(policies, url="/items/1")
    assert lines(explanation) == [table, f'allow_origins = ["{APP}"]']
    [change] = explanation.changes
    place = table.split('"')[1]
    assert change.exposes == (
        f"pages of {APP} may read the responses of {place} and every path below it{exposes}"
    )


def test_wildcard_with_cookies_becomes_the_origin() -> None:
    explanation = explain(Policy(allow_origins=["*"]), credentials="include")
    assert lines(explanation) == [f'allow_origins = ["{APP}"]', "allow_credentials = true"]
    assert explanation.changes[0].exposes.endswith(
        "; other pages no longer may: list the ones that need it"
    )


def test_change_of_a_wildcard_policy_names_any_page() -> None:
    [change] = explain(Policy(allow_origins=["*"]), method="PUT").changes
    assert change.exposes == "any page may send PUT to every path"


@pytest.mark.parametrize(
    ("policies", "asked", "code"),
    [
        (only(), {"page": "null"}, "origin-null"),
        (only(allow_credentials=True), {"page": "http://app.example.com"}, "origin-insecure"),
        (Guard(only(), enforce=True), {"page": "http://app.example.com"}, "origin-insecure"),
        (only(), {"method": "patch"}, "method-case"),
        (only(), {"headers": {"access-control-max-age": "1"}}, "header-prohibited"),
        ({"/api": only()}, {"url": "//api"}, "route-invalid"),
        (
            Policy(allow_origins=["*"], expose_headers=["*"]),
            {"credentials": "include"},
            "expose-wildcard-with-credentials",
        ),
    ],
)
def test_unsafe_change_reports_the_problem(
    policies: Guard | Policies, asked: Mapping[str, Any], code: str
) -> None:
    explanation = explain(policies, **asked)
    assert explanation.changes == ()
    assert [problem.code for problem in explanation.problems] == [code]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"mode": "same-origin"}, BlockReason.SAME_ORIGIN_ONLY),
        ({"method": "TRACE"}, BlockReason.METHOD_FORBIDDEN),
    ],
)
def test_refusal_that_no_policy_decides_has_no_change(
    asked: Mapping[str, Any], reason: BlockReason
) -> None:
    explanation = explain(only(), **asked)
    assert explanation.exchange.refusal is not None
    assert explanation.exchange.refusal.reason is reason
    assert explanation[1:] == ((), (), None, None, "", "")


def test_refused_redirect_has_no_change() -> None:
    def stage(guard: Guard) -> Send:
        answer = build_policy_server(guard)
        return lambda sent: answer(sent)._replace(status=302)

    play = playing(APP, Request(f"{API}/", redirect="error"))
    explanation = explain_request(Guard(only()), stage, play)
    assert explanation.exchange.hops
    assert explanation[1:] == ((), (), None, None, "", "")


def test_too_many_headers_have_no_change() -> None:
    policy = only(allow_headers=["*"], allow_credentials=True)
    headers = {"Authorization": "1", **{f"x-{number}": "1" for number in range(64)}}
    explanation = explain(policy, headers=headers, credentials="include")
    assert not explanation.exchange.allowed
    assert explanation.changes == ()


@pytest.mark.parametrize(
    ("listed", "page", "differs"),
    [
        (APP, "http://app.example.com", "the scheme"),
        (APP, "https://app.example.com:8443", "the port"),
        (APP, "https://www.app.example.com", "`www.`"),
        ("https://www.app.example.com", APP, "`www.`"),
        (APP, "http://www.app.example.com:81", "the scheme and `www.` and the port"),
        ("https://*.app.example.com", APP, "being a subdomain"),
        ("https://*.example.com", "http://app.example.com", "the scheme"),
        ("http://localhost:*", "https://localhost:3000", "the scheme"),
        (APP, "https://evil.example", None),
    ],
)
def test_near_miss_names_the_difference(listed: str, page: str, differs: str | None) -> None:
    nearest = explain(only(listed), page=page).near_miss
    assert nearest == (None if differs is None else (listed, differs))


def test_path_without_a_policy_has_no_near_miss() -> None:
    assert explain({"/api": only()}, page="http://app.example.com").near_miss is None


def test_change_keeps_a_regex() -> None:
    policy = Policy(allow_origins=[re.compile(r"https://pr-\d+\.example\.com")])
    [change] = explain(policy).changes
    assert change.value == (*policy.allow_origins, APP)
    assert change.as_python.startswith(r"allow_origins=[re.compile('https://pr-\\d+")
    assert change.table == ""
    [credentials] = explain(only(), credentials="include").changes
    assert credentials.as_python == "allow_credentials=True,"
    assert credentials.as_item == '"allow_credentials": True,'


def is_partner(origin: str) -> bool:
    return origin == APP


class Partners:
    def __call__(self, origin: str) -> bool:
        return is_partner(origin)

    def __repr__(self) -> str:
        return "Partners()"


EVIL = "https://evil.example"


@pytest.mark.parametrize(
    ("entry", "name"),
    [(is_partner, "is_partner"), (Partners(), "Partners()"), (Partners().__call__, "Partners.")],
)
def test_callable_that_refuses_has_no_change(entry: Any, name: str) -> None:
    policy = Policy(allow_origins=["https://listed.example", entry], allow_methods=["PUT"])
    explanation = explain(policy, page=EVIL, method="PUT")
    assert (explanation.changes, explanation.problems) == ((), ())
    said = explanation.decided_by
    assert said.startswith(f"a callable of allow_origins decided: {name}")
    assert said.endswith(f" does not allow {EVIL}")
    allowed = explain(policy, page=APP, method="PUT").decided_by
    assert allowed.endswith(f" allows {APP}")


def test_callables_that_decided_are_named_with_failures() -> None:
    def fails(origin: str) -> bool:
        raise LookupError("no database")

    explanation = explain(Policy(allow_origins=[is_partner, fails]), page=EVIL)
    assert re.fullmatch(
        "a callable of allow_origins decided: is_partner, .*fails does not allow "
        rf"{EVIL}: .*fails failed \(LookupError: no database\)",
        explanation.decided_by,
    )


@pytest.mark.parametrize(
    ("fields", "page"),
    [
        ({}, "https://listed.example"),
        ({}, "https://pr-1.example.com"),
        ({}, "null"),
        ({"allow_credentials": True}, "http://app.example.com"),
    ],
)
def test_callable_that_is_not_called_did_not_decide(fields: dict[str, Any], page: str) -> None:
    entries: list[Any] = ["https://listed.example", re.compile(r"https://pr-\d+\.example\.com")]
    entries.append(is_partner)
    assert explain(Policy(allow_origins=entries, **fields), page=page).decided_by == ""


def test_callable_that_allows_may_need_another_change() -> None:
    explanation = explain(Policy(allow_origins=[is_partner]), method="PUT")
    assert lines(explanation) == ['allow_methods = ["PUT"]']
    assert explanation.decided_by.endswith(f"is_partner allows {APP}")


def test_callable_behind_a_redirect_decides() -> None:
    def stage(guard: Guard) -> Send:
        answer = build_policy_server(guard)

        def send(sent: Sent) -> Answer:
            given = answer(sent)
            if not sent.url.endswith("/start"):
                return given
            return given._replace(status=307, headers=(*given.headers, ("Location", "/end")))

        return send

    policies = {"/start": only(), "/end": Policy(allow_origins=[lambda origin: False])}
    play = playing(APP, Request(f"{API}/start"))
    explanation = explain_request(Guard(policies), stage, play)
    assert explanation.changes == ()
    assert explanation.decided_by.endswith(f" does not allow {APP}")


def test_enforcement_by_a_callable_has_no_change() -> None:
    guard = Guard(Policy(allow_origins=[is_partner]), enforce=True)
    explanation = explain(guard, page=EVIL, method="POST")
    assert explanation.changes == ()
    assert explanation.decided_by.endswith(f"is_partner does not allow {EVIL}")


def test_enforcement_of_cookies_suggests_credentials() -> None:
    guard = Guard(Policy(allow_origins=[is_partner]), enforce=True)
    cookies = [Cookie("session", "1", "api.example.com")]

    def play(send: Send) -> Exchange:
        request = Request(f"{API}/", method="POST", credentials="include")
        return Browser(APP, cookies=cookies).play(request, send)

    explanation = explain_request(guard, build_policy_server, play)
    [change] = explanation.changes
    assert change.as_python == "allow_credentials=True,"
    assert "and pages that is_partner allows may read and act" in change.exposes
    assert explanation.decided_by.endswith(f"is_partner allows {APP}")


def test_trial_logs_nothing_and_calls_no_subscriber(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(only())
    reported: list[object] = []
    guard.subscribe(lambda *facts: reported.append(facts))
    with caplog.at_level(logging.INFO):
        assert explain(guard, page="https://evil.example").changes
    assert (reported, caplog.messages) == ([], [])
    assert guard.policies == only()


def test_trial_has_the_options_of_its_guard() -> None:
    guard = Guard({"/api": only()}, enforce="report", enforce_exempt=["/hooks"], own_origins=[API])
    other = TrialGuard(guard)
    assert (other.policies, other.enforce) == (guard.policies, "report")
    assert (other.enforce_exempt, other.own_origins) == (("/hooks",), (API,))


def changed(guard: Guard, changes: Sequence[Change]) -> Guard | None:
    """A guard as a user makes it who does what is proposed; None where it does not start."""
    policies: Policies = guard.policies
    for place in {change.place for change in changes}:
        fields = {name: getattr(place.policy, name) for name in VALIDATORS} if place.policy else {}
        fields |= {change.field: change.value for change in changes if change.place == place}
        policy = build_policy({"allow_origins": [], **fields})
        if policy is None:
            return None
        routes = policies if isinstance(policies, Mapping) else {}
        given = policies if place.kind == "everywhere" else routes.get(place.name)
        replaced: Policy | list[Policy] = policy
        if place.position is not None:
            replaced = list_policies(given)
            replaced[place.position] = policy
        policies = replaced if place.kind == "everywhere" else {**routes, place.name: replaced}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)
        try:
            return Guard(policies, enforce=guard.enforce)
        except PolicyError:
            return None


def list_policies(given: Any) -> list[Policy]:
    return [given] if isinstance(given, Policy) else list(given)


@settings(max_examples=600, derandomize=True)
@given(GUARDS, st.sampled_from(PAGES), REQUESTS, ENGINES)
@pytest.mark.slow
def test_changes_allow_the_request_and_are_minimal(
    guard: Guard, page: str, request: Request, engine: EngineName
) -> None:
    def is_allowed(changes: Sequence[Change]) -> bool:
        tried = changed(guard, changes)
        return tried is not None and play(build_policy_server(tried)).allowed

    play = playing(page, request, engine)
    exchange, changes, problems, *_ = explain_request(guard, build_policy_server, play)
    if changes:
        assert is_allowed(changes)
        for change in changes:
            assert not is_allowed([other for other in changes if other != change])
    else:
        is_asked = exchange.hops and request.mode == "cors"
        assert exchange.allowed or problems or not is_asked


FRONTENDS = only("https://front.example", allow_credentials=True, allow_methods=["PUT"])
PARTNERS = only("https://partner.example", allow_methods=["DELETE"])
PUBLIC = only("*")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ['[[routes."/"]]  # routes."/"[1]', "allow_origins = "
              '["https://partner.example", "https://app.example.com"]']),
        ({"method": "PUT"}, ['[[routes."/"]]  # routes."/"[0]', "allow_origins = "
                             '["https://front.example", "https://app.example.com"]']),
    ],
)  # fmt: skip
def test_origin_is_added_to_the_policy_of_a_list_that_suffices(
    asked: Mapping[str, Any], expected: list[str]
) -> None:
    explanation = explain({"/": [FRONTENDS, PARTNERS]}, **asked)
    assert lines(explanation) == expected
    assert explanation.decided_in == f'no policy of routes."/" covers {APP}'


def test_cookies_under_a_wildcard_need_the_policy_with_credentials() -> None:
    explanation = explain([PARTNERS, FRONTENDS, PUBLIC], credentials="include")
    [change] = explanation.changes
    assert change.as_toml == 'allow_origins = ["https://front.example", "https://app.example.com"]'
    assert change.place.entry == "policies[1]"
    assert explanation.decided_in == f"policies[2] is the first policy that covers {APP}"


def test_cookies_without_a_policy_of_credentials_need_two_changes() -> None:
    explanation = explain([PARTNERS, PUBLIC], credentials="include")
    assert lines(explanation) == [
        'allow_origins = ["https://partner.example", "https://app.example.com"]',
        "allow_credentials = true",
    ]
    [place] = {change.place.entry for change in explanation.changes}
    assert place == "policies[0]"


def test_cookies_under_a_list_of_a_wildcard_replace_it() -> None:
    explanation = explain([PUBLIC], credentials="include")
    assert lines(explanation) == [f'allow_origins = ["{APP}"]', "allow_credentials = true"]


def test_method_is_added_to_the_policy_that_covers_the_origin() -> None:
    explanation = explain([FRONTENDS, PUBLIC], method="PUT")
    [change] = explanation.changes
    assert (change.as_toml, change.place.entry) == ('allow_methods = ["PUT"]', "policies[1]")


def test_allowed_request_names_the_policy_of_the_list() -> None:
    explanation = explain({"/": [only(), PUBLIC]})
    assert explanation.decided_in == f'routes."/"[0] is the first policy that covers {APP}'
    assert explain(only()).decided_in == ""
    assert explain({"/": [only(), PUBLIC]}, page=API).decided_in == ""


def test_near_miss_is_searched_in_all_policies_of_a_list() -> None:
    explanation = explain([PARTNERS, only("http://app.example.com:*")])
    assert explanation.near_miss is not None
    assert explanation.near_miss.listed == "http://app.example.com:*"


def test_callables_of_all_policies_of_a_list_have_decided() -> None:
    listed = [Policy(allow_origins=[is_partner]), only("https://x.example")]
    refused = explain(listed, page=EVIL)
    assert refused.changes == ()
    assert refused.decided_by.endswith(f"is_partner does not allow {EVIL}")
    assert explain([*listed, PUBLIC], page=EVIL).decided_by == ""
