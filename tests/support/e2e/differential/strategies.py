"""Cases where all is well but for one thing: an aim for each reason why a browser refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from support.e2e.differential.cases import Case, Hop
from support.e2e.differential.requests import (
    draw_preflighted_request,
    draw_request,
    draw_simple_request,
)
from support.e2e.differential.responses import BODY, allowing_responses

from corsguard.browser.exchange import BlockReason as Reason
from corsguard.browser.messages import Answer, Fields, Request
from corsguard.fetch_spec import ALLOW_CREDENTIALS, ALLOW_HEADERS, ALLOW_METHODS, ALLOW_ORIGIN

Strategy = Callable[[Random], Case]
Ask = Callable[[Random], Request]

REDIRECTS = [301, 302, 303, 307, 308]
NO_LISTS = ["a b", "a;", "(a)", '"a"', "a, b c", "PUT, x-a, a/b"]


def build_allowed_case(request: Request) -> Case:
    """Build a case from a request and responses that the script may read."""
    return Case((request,), (Hop(*allowing_responses(request)),))


def change_header(request: Request, random: Random, name: str, value: str | None) -> Case:
    """Build a case where a header has another value, or none, in one response or both."""
    preflight, actual = allowing_responses(request)
    where = random.choice(["preflight", "actual", "both"])
    if where != "actual":
        preflight = replace_header(preflight, name, value)
    if where != "preflight":
        actual = replace_header(actual, name, value)
    return Case((request,), (Hop(preflight, actual),))


def replace_header(answer: Answer, name: str, value: str | None) -> Answer:
    rest = tuple(field for field in answer.headers if field[0] != name)
    return answer._replace(headers=rest if value is None else (*rest, (name, value)))


def change_allow_origin(values: Sequence[str | None], ask: Ask = draw_request) -> Strategy:
    return lambda random: change_header(ask(random), random, ALLOW_ORIGIN, random.choice(values))


def change_preflight_header(
    name: str, values: Sequence[str | None], ask: Ask = draw_preflighted_request
) -> Strategy:
    """Return a strategy that changes a header of the preflight response."""

    def draw(random: Random) -> Case:
        request = ask(random)
        preflight, actual = allowing_responses(request)
        preflight = replace_header(preflight, name, random.choice(values))
        return Case((request,), (Hop(preflight, actual),))

    return draw


def change_preflight_status(statuses: Sequence[int], *fields: tuple[str, str]) -> Strategy:
    def draw(random: Random) -> Case:
        request = draw_preflighted_request(random)
        preflight, actual = allowing_responses(request)
        answer = Answer(random.choice(statuses), (*preflight.headers, *fields))
        return Case((request,), (Hop(answer, actual), Hop(preflight, actual)))

    return draw


def build_unsendable(**values: Sequence[object]) -> Strategy:
    """Return a strategy for requests that the browser does not send."""

    def draw(random: Random) -> Case:
        request = draw_request(random)
        hops = build_allowed_case(request).hops
        changed = {name: random.choice(choices) for name, choices in values.items()}
        return Case((request._replace(**changed),), hops)  # type: ignore[arg-type]

    return draw


def draw_request_with_credentials(random: Random) -> Request:
    return draw_request(random)._replace(credentials="include")


def draw_request_with_unsafe_method(random: Random) -> Request:
    return draw_request(random)._replace(method=random.choice(["PUT", "PATCH", "DELETE", "patch"]))


def draw_request_with_unsafe_header(random: Random) -> Request:
    return draw_request(random)._replace(headers=(("X-A", "1"), ("X-B", "2")))


def block_by_resource_policy(random: Random) -> Case:
    """Draw a request without CORS that Cross-Origin-Resource-Policy blocks."""
    value, site = random.choice([("same-origin", "api"), ("same-site", "other")])
    request = draw_simple_request(random)._replace(mode="no-cors")
    fields = (("Cross-Origin-Resource-Policy", value),)
    return Case((request,), (Hop(None, Answer(200, fields, BODY), site=site),))


def redirect(
    locations: Sequence[str],
    ask: Ask = draw_request,
    sites: Sequence[str] = ("api",),
    hops: int = 1,
) -> Strategy:
    """Return a strategy for redirects, the last of which leads to an allowed response."""

    def draw(random: Random) -> Case:
        request = ask(random)
        preflight, actual = allowing_responses(request, random.choice(ORIGINS_AFTER))
        fields: Fields = (
            *allowing_responses(request)[1].headers,
            ("Location", random.choice(locations)),
        )
        status = random.choice(REDIRECTS)
        first, *rest = (random.choice(sites) for _ in range(hops + 1))
        leading = Hop(allowing_responses(request)[0], Answer(status, fields), site=first)
        between = [leading._replace(site=site) for site in rest[:-1]]
        return Case((request,), (leading, *between, Hop(preflight, actual, site=rest[-1])))

    return draw


ORIGINS_AFTER = ["{page}", "{page}", "null", "*"]


def redirect_in_error_mode(random: Random) -> Case:
    case = redirect(["{next}"])(random)
    [request] = case.requests
    return case._replace(requests=(request._replace(redirect="error"),))


def exceed_redirect_limit(random: Random) -> Case:
    """Draw one more redirect than a browser follows."""
    return redirect(["{next}"], draw_simple_request, hops=21)(random)


STRATEGIES: dict[str, Strategy] = {
    # What the script asks for
    Reason.URL_INVALID: build_unsendable(
        url=["http://", "http://[", "http://a b/", "http://a:99999/"]
    ),
    Reason.URL_WITH_CREDENTIALS: build_unsendable(url=["{first-with-userinfo}"]),
    Reason.METHOD_INVALID: build_unsendable(
        method=["", "GE T", "GET\n", "PU(T", "G\u00e9", "PUT:"]
    ),
    Reason.METHOD_FORBIDDEN: build_unsendable(
        method=["TRACE", "trace", "Track", "CONNECT", "connect"]
    ),
    Reason.HEADER_INVALID: build_unsendable(
        headers=[(("X A", "1"),), (("X-A", "1\n2"),), (("X-A", "\x00"),), (("X-A", "\u0100"),)]
    ),
    Reason.BODY_NOT_ALLOWED: build_unsendable(method=["GET", "HEAD", "get"], body=["text"]),
    Reason.NO_CORS_METHOD: build_unsendable(
        mode=["no-cors"], method=["PUT", "DELETE", "patch", "OPTIONS"]
    ),
    Reason.NO_CORS_REDIRECT_MODE: build_unsendable(
        mode=["no-cors"], method=["POST"], redirect=["error", "manual"]
    ),
    Reason.SAME_ORIGIN_ONLY: build_unsendable(mode=["same-origin"]),
    Reason.SCHEME_NOT_HTTP: build_unsendable(
        url=["ftp://localhost/", "foo://localhost/", "mailto:me"]
    ),
    Reason.PORT_BLOCKED: build_unsendable(url=["http://localhost:25/", "http://127.0.0.1:6667/"]),
    Reason.UNREACHABLE: build_unsendable(url=["{closed}/"]),
    # The answer to the preflight
    Reason.PREFLIGHT_STATUS: change_preflight_status([300, 304, 400, 401, 403, 404, 405, 500, 503]),
    Reason.PREFLIGHT_REDIRECTED: change_preflight_status(REDIRECTS, ("Location", "{next}")),
    Reason.ALLOW_METHODS_INVALID: change_preflight_header(ALLOW_METHODS, NO_LISTS),
    Reason.ALLOW_HEADERS_INVALID: change_preflight_header(ALLOW_HEADERS, NO_LISTS),
    Reason.METHOD_NOT_ALLOWED: change_preflight_header(
        ALLOW_METHODS,
        [None, "", "GET", "put", "Patch, CONNECT", "HEAD,,POST"],
        draw_request_with_unsafe_method,
    ),
    Reason.HEADER_NOT_ALLOWED: change_preflight_header(
        ALLOW_HEADERS, [None, "", "x-a", "X-B", "x-other, accept"], draw_request_with_unsafe_header
    ),
    # The CORS check, of either answer
    Reason.ALLOW_ORIGIN_MISSING: change_allow_origin([None]),
    Reason.ALLOW_ORIGIN_MULTIPLE: change_allow_origin(
        ["{page}, {page}", "*,{page}", "{page} {other}"]
    ),
    Reason.ALLOW_ORIGIN_INVALID: change_allow_origin(
        ["", "localhost", "{page}x", "'{page}'", "true"]
    ),
    Reason.ALLOW_ORIGIN_MISMATCH: change_allow_origin(
        ["{api}", "{page}/", "null", "http://localhost"]
    ),
    Reason.ALLOW_ORIGIN_WILDCARD: change_allow_origin(["*"], draw_request_with_credentials),
    Reason.ALLOW_CREDENTIALS_NOT_TRUE: lambda random: change_header(
        draw_request_with_credentials(random),
        random,
        ALLOW_CREDENTIALS,
        random.choice([None, "True", "TRUE", "false", "1", "'true'", "true, true"]),
    ),
    Reason.RESOURCE_POLICY: block_by_resource_policy,
    # Redirects
    Reason.REDIRECT_MODE_ERROR: redirect_in_error_mode,
    Reason.REDIRECT_INVALID: redirect(["http://", "http://[", "http://a:99999/"]),
    Reason.REDIRECT_SCHEME: redirect(["ftp://localhost/", "mailto:me", "data:,text", "foo:bar"]),
    Reason.REDIRECT_LIMIT: exceed_redirect_limit,
    Reason.REDIRECT_WITH_CREDENTIALS: redirect(["{next-with-userinfo}"]),
    # And where nothing, or not always something, is amiss
    "redirects": redirect(["{next}"], sites=("api", "other", "page")),
    "two-redirects": redirect(["{next}"], sites=("api", "other", "page"), hops=2),
    "three-redirects": redirect(["{next}"], sites=("api", "other", "page"), hops=3),
    "no-cors": lambda random: build_allowed_case(
        draw_simple_request(random)._replace(mode="no-cors")
    ),
    "allowed": lambda random: build_allowed_case(draw_request(random)),
}
