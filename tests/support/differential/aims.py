"""Cases where all is well but for one thing: an aim for each reason why a browser refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from support.differential.answering import BODY, allowing
from support.differential.asking import preflighted, request, simple
from support.differential.cases import Case, Hop

from corsguard.browser.exchange import BlockReason as Reason
from corsguard.browser.messages import Answer, Fields, Request
from corsguard.fetch_spec import ALLOW_CREDENTIALS, ALLOW_HEADERS, ALLOW_METHODS, ALLOW_ORIGIN

Aim = Callable[[Random], Case]
Ask = Callable[[Random], Request]

REDIRECTS = [301, 302, 303, 307, 308]
NO_LISTS = ["a b", "a;", "(a)", '"a"', "a, b c", "PUT, x-a, a/b"]


def allowed(asked: Request) -> Case:
    """A request, and the answers that a browser lets through to its script."""
    return Case((asked,), (Hop(*allowing(asked)),))


def amiss(asked: Request, random: Random, name: str, value: str | None) -> Case:
    """The same with another value of a header, or none, in one of the answers or in both."""
    preflight, actual = allowing(asked)
    where = random.choice(["preflight", "actual", "both"])
    if where != "actual":
        preflight = replaced(preflight, name, value)
    if where != "preflight":
        actual = replaced(actual, name, value)
    return Case((asked,), (Hop(preflight, actual),))


def replaced(answer: Answer, name: str, value: str | None) -> Answer:
    rest = tuple(field for field in answer.headers if field[0] != name)
    return answer._replace(headers=rest if value is None else (*rest, (name, value)))


def allow_origin(values: Sequence[str | None], ask: Ask = request) -> Aim:
    return lambda random: amiss(ask(random), random, ALLOW_ORIGIN, random.choice(values))


def in_preflight(name: str, values: Sequence[str | None], ask: Ask = preflighted) -> Aim:
    """A header of the answer to a preflight."""

    def drawn(random: Random) -> Case:
        asked = ask(random)
        preflight, actual = allowing(asked)
        preflight = replaced(preflight, name, random.choice(values))
        return Case((asked,), (Hop(preflight, actual),))

    return drawn


def preflight_status(statuses: Sequence[int], *fields: tuple[str, str]) -> Aim:
    def drawn(random: Random) -> Case:
        asked = preflighted(random)
        preflight, actual = allowing(asked)
        answer = Answer(random.choice(statuses), (*preflight.headers, *fields))
        return Case((asked,), (Hop(answer, actual), Hop(preflight, actual)))

    return drawn


def asking(**values: Sequence[object]) -> Aim:
    """A request that the browser does not send, whatever would be answered."""

    def drawn(random: Random) -> Case:
        asked = request(random)
        allowing_all = allowed(asked).hops
        changed = {name: random.choice(choices) for name, choices in values.items()}
        return Case((asked._replace(**changed),), allowing_all)  # type: ignore[arg-type]

    return drawn


def with_credentials(random: Random) -> Request:
    return request(random)._replace(credentials="include")


def with_unsafe_method(random: Random) -> Request:
    return request(random)._replace(method=random.choice(["PUT", "PATCH", "DELETE", "patch"]))


def with_unsafe_header(random: Random) -> Request:
    return request(random)._replace(headers=(("X-A", "1"), ("X-B", "2")))


def resource_policy(random: Random) -> Case:
    """Without CORS, it is the resource that says who may load it."""
    value, site = random.choice([("same-origin", "api"), ("same-site", "other")])
    asked = simple(random)._replace(mode="no-cors")
    fields = (("Cross-Origin-Resource-Policy", value),)
    return Case((asked,), (Hop(None, Answer(200, fields, BODY), site=site),))


def redirected(
    locations: Sequence[str], ask: Ask = request, sites: Sequence[str] = ("api",), hops: int = 1
) -> Aim:
    """Redirects, one after the other, to an answer that is well."""

    def drawn(random: Random) -> Case:
        asked = ask(random)
        preflight, actual = allowing(asked, random.choice(ORIGINS_AFTER))
        fields: Fields = (*allowing(asked)[1].headers, ("Location", random.choice(locations)))
        status = random.choice(REDIRECTS)
        first, *rest = (random.choice(sites) for _ in range(hops + 1))
        leading = Hop(allowing(asked)[0], Answer(status, fields), site=first)
        between = [leading._replace(site=site) for site in rest[:-1]]
        return Case((asked,), (leading, *between, Hop(preflight, actual, site=rest[-1])))

    return drawn


ORIGINS_AFTER = ["{page}", "{page}", "null", "*"]


def redirect_mode_error(random: Random) -> Case:
    case = redirected(["{next}"])(random)
    [asked] = case.requests
    return case._replace(requests=(asked._replace(redirect="error"),))


def redirect_limit(random: Random) -> Case:
    """One more than a browser follows."""
    return redirected(["{next}"], simple, hops=21)(random)


AIMS: dict[str, Aim] = {
    # What the script asks for
    Reason.URL_INVALID: asking(url=["http://", "http://[", "http://a b/", "http://a:99999/"]),
    Reason.URL_WITH_CREDENTIALS: asking(url=["{first-with-userinfo}"]),
    Reason.METHOD_INVALID: asking(method=["", "GE T", "GET\n", "PU(T", "G\u00e9", "PUT:"]),
    Reason.METHOD_FORBIDDEN: asking(method=["TRACE", "trace", "Track", "CONNECT", "connect"]),
    Reason.HEADER_INVALID: asking(
        headers=[(("X A", "1"),), (("X-A", "1\n2"),), (("X-A", "\x00"),), (("X-A", "\u0100"),)]
    ),
    Reason.BODY_NOT_ALLOWED: asking(method=["GET", "HEAD", "get"], body=["text"]),
    Reason.NO_CORS_METHOD: asking(mode=["no-cors"], method=["PUT", "DELETE", "patch", "OPTIONS"]),
    Reason.NO_CORS_REDIRECT_MODE: asking(
        mode=["no-cors"], method=["POST"], redirect=["error", "manual"]
    ),
    Reason.SAME_ORIGIN_ONLY: asking(mode=["same-origin"]),
    Reason.SCHEME_NOT_HTTP: asking(url=["ftp://localhost/", "foo://localhost/", "mailto:me"]),
    Reason.PORT_BLOCKED: asking(url=["http://localhost:25/", "http://127.0.0.1:6667/"]),
    Reason.UNREACHABLE: asking(url=["{closed}/"]),
    # The answer to the preflight
    Reason.PREFLIGHT_STATUS: preflight_status([300, 304, 400, 401, 403, 404, 405, 500, 503]),
    Reason.PREFLIGHT_REDIRECTED: preflight_status(REDIRECTS, ("Location", "{next}")),
    Reason.ALLOW_METHODS_INVALID: in_preflight(ALLOW_METHODS, NO_LISTS),
    Reason.ALLOW_HEADERS_INVALID: in_preflight(ALLOW_HEADERS, NO_LISTS),
    Reason.METHOD_NOT_ALLOWED: in_preflight(
        ALLOW_METHODS, [None, "", "GET", "put", "Patch, CONNECT", "HEAD,,POST"], with_unsafe_method
    ),
    Reason.HEADER_NOT_ALLOWED: in_preflight(
        ALLOW_HEADERS, [None, "", "x-a", "X-B", "x-other, accept"], with_unsafe_header
    ),
    # The CORS check, of either answer
    Reason.ALLOW_ORIGIN_MISSING: allow_origin([None]),
    Reason.ALLOW_ORIGIN_MULTIPLE: allow_origin(["{page}, {page}", "*,{page}", "{page} {other}"]),
    Reason.ALLOW_ORIGIN_INVALID: allow_origin(["", "localhost", "{page}x", "'{page}'", "true"]),
    Reason.ALLOW_ORIGIN_MISMATCH: allow_origin(["{api}", "{page}/", "null", "http://localhost"]),
    Reason.ALLOW_ORIGIN_WILDCARD: allow_origin(["*"], with_credentials),
    Reason.ALLOW_CREDENTIALS_NOT_TRUE: lambda random: amiss(
        with_credentials(random),
        random,
        ALLOW_CREDENTIALS,
        random.choice([None, "True", "TRUE", "false", "1", "'true'", "true, true"]),
    ),
    Reason.RESOURCE_POLICY: resource_policy,
    # Redirects
    Reason.REDIRECT_MODE_ERROR: redirect_mode_error,
    Reason.REDIRECT_INVALID: redirected(["http://", "http://[", "http://a:99999/"]),
    Reason.REDIRECT_SCHEME: redirected(["ftp://localhost/", "mailto:me", "data:,text", "foo:bar"]),
    Reason.REDIRECT_LIMIT: redirect_limit,
    Reason.REDIRECT_WITH_CREDENTIALS: redirected(["{next-with-userinfo}"]),
    # And where nothing, or not always something, is amiss
    "redirects": redirected(["{next}"], sites=("api", "other", "page")),
    "two-redirects": redirected(["{next}"], sites=("api", "other", "page"), hops=2),
    "three-redirects": redirected(["{next}"], sites=("api", "other", "page"), hops=3),
    "no-cors": lambda random: allowed(simple(random)._replace(mode="no-cors")),
    "allowed": lambda random: allowed(request(random)),
}
