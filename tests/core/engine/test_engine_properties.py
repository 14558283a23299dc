"""Properties of every policy and every request, whatever hypothesis draws."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsguard import Engine, Guard, Origin, OriginError, OriginPattern, Policy, Reason

LABELS = st.sampled_from(["a", "b", "www", "example", "com", "x-y", "foo_bar", "evil"])
HOSTS = st.one_of(
    st.lists(LABELS, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["localhost", "127.0.0.1", "[::1]", "203.0.113.7"]),
)
SCHEMES = st.sampled_from(["https", "http", "app"])
PORTS = st.sampled_from(["", ":1", ":8443", ":65535"])
ORIGINS = st.builds(lambda s, h, p: f"{s}://{h}{p}", SCHEMES, HOSTS, PORTS)


def is_pattern(text: str) -> bool:
    try:
        OriginPattern.parse(text)
    except OriginError:
        return False
    return True


PATTERNS = st.builds(
    lambda s, sub, h, p: f"{s}://{sub}{h}{p}",
    SCHEMES,
    st.sampled_from(["", "*.", "a*", "*-y", "w*w."]),
    HOSTS,
    st.one_of(PORTS, st.just(":*")),
).filter(is_pattern)
PATTERN_LISTS = st.lists(PATTERNS, min_size=1, max_size=5)

SLIPS = st.sampled_from(["", "/", ":", ".", ".evil.com", "@evil", " ", "\r\n", "%00", "\x00", "é"])
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.builds(lambda origin, slip: origin + slip, ORIGINS, SLIPS),
    st.builds(lambda slip, origin: slip + origin, SLIPS, ORIGINS),
    ORIGINS,
    st.just("null"),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy that starts and warns of nothing."""
    credentials = draw(st.booleans())
    any_origin = not credentials and draw(st.booleans())
    return Policy(
        allow_origins=["*"] if any_origin else draw(PATTERN_LISTS),
        allow_credentials=credentials,
        allow_methods=draw(st.sampled_from([(), ("PUT",), ("*",)])),
        allow_headers=draw(st.sampled_from([(), ("X-A", "Content-Type"), ("*", "Authorization")])),
        expose_headers=draw(st.sampled_from([(), ("X-B",)])),
        max_age=draw(st.sampled_from([None, 0, 600])),
        dangerously_allow_insecure_origins=True,
        dangerously_allow_public_suffixes=True,
    )


@given(
    policies(),
    HOSTILE,
    st.sampled_from(["GET", "OPTIONS", "PUT"]),
    st.dictionaries(
        st.sampled_from(
            [
                "Access-Control-Request-Method",
                "Access-Control-Request-Headers",
                "Host",
                "Sec-Fetch-Site",
            ]
        ),
        st.one_of(
            HOSTILE,
            st.sampled_from(["PUT", "x-a,content-type", "x-a, x\r\ny", "authorization", "TRACE"]),
        ),
    ),
    st.one_of(st.none(), st.booleans()),
)
@pytest.mark.slow
def test_decision_texts_are_printable_ascii(
    policy: Policy,
    origin: str,
    method: str,
    headers: Mapping[str, str],
    credentials: bool | None,
) -> None:
    decision = Engine(policy).decide(origin, method, headers, credentials)
    for text in (*(value for _, value in decision.headers), decision.detail):
        assert text.isascii()
        assert text.isprintable()
    assert decision.body.isascii()


@given(PATTERN_LISTS, ORIGINS.filter(is_pattern), st.randoms())
def test_listed_origin_is_allowed_among_any_others(
    patterns: list[str], origin: str, random: Random
) -> None:
    listed = [*patterns, origin]
    random.shuffle(listed)
    assert Engine(Policy(allow_origins=listed)).decide(origin, "GET", {}).allowed


@given(PATTERNS, st.one_of(HOSTILE, ORIGINS))
def test_pattern_allows_only_its_scheme_domain_and_port(text: str, origin: str) -> None:
    if not Engine(Policy(allow_origins=[text])).decide(origin, "GET", {}).allowed:
        return
    pattern = OriginPattern.parse(text)
    parsed = Origin.parse(origin)
    assert parsed.scheme == pattern.scheme
    if pattern.subdomains:
        assert parsed.host.endswith(f".{pattern.host}")
        assert len(parsed.host) > len(pattern.host) + 1
    elif pattern.label:
        label, _, parent = parsed.host.partition(".")
        start, _, end = pattern.label.partition("*")
        assert parent == pattern.host
        assert label[: len(start)] == start
        assert label[len(label) - len(end) :] == end
        assert len(label) > len(start) + len(end)
    else:
        assert parsed.host == pattern.host
    assert pattern.port in {"*", str(parsed.port or "")}


@given(st.data())
def test_pattern_allows_every_origin_it_describes(data: st.DataObject) -> None:
    pattern = OriginPattern.parse(data.draw(PATTERNS))
    before = data.draw(st.lists(LABELS, min_size=1, max_size=3).map(".".join))
    host = f"{before}.{pattern.host}" if pattern.subdomains else pattern.host
    if pattern.label:
        middle = data.draw(st.text("abz09-", min_size=1, max_size=5))
        host = f"{pattern.label.replace('*', middle)}.{pattern.host}"
    port = data.draw(PORTS) if pattern.port == "*" else f":{pattern.port}" * bool(pattern.port)
    origin = f"{pattern.scheme}://{host}{port}"
    assert Engine(Policy(allow_origins=[str(pattern)])).decide(origin, "GET", {}).allowed


@given(PATTERN_LISTS, PATTERNS, st.lists(st.one_of(ORIGINS, HOSTILE), max_size=20))
def test_adding_an_origin_refuses_no_other(
    patterns: list[str], added: str, origins: list[str]
) -> None:
    before = Engine(Policy(allow_origins=patterns))
    after = Engine(Policy(allow_origins=[*patterns, added]))
    for origin in origins:
        if before.decide(origin, "GET", {}).allowed:
            assert after.decide(origin, "GET", {}).allowed


@given(policies(), st.lists(ORIGINS, max_size=30))
def test_earlier_requests_do_not_change_decisions(policy: Policy, origins: list[str]) -> None:
    used = Engine(policy)
    for origin in [*origins, *origins]:
        fresh = Engine(policy)
        assert used.decide(origin, "GET", {}) == fresh.decide(origin, "GET", {})


# --- a guard against a reference ------------------------------------------------------------

SEGMENTS = st.sampled_from(["a", "ab", "b", "A", "é", "a b", ".well-known"])
PREFIXES = st.lists(SEGMENTS, max_size=3).map(lambda segments: "/" + "/".join(segments))
ODD_SEGMENTS = st.one_of(SEGMENTS, st.sampled_from(["", ".", "..", "a\\b", "%2e"]))
PATHS = st.one_of(
    PREFIXES,
    st.lists(ODD_SEGMENTS, max_size=6).map(lambda segments: "/" + "/".join(segments)),
    st.lists(ODD_SEGMENTS, max_size=3).map("/".join),
)
ALLOWED = "https://a.example"
ENTRIES = st.sampled_from([None, Policy(allow_origins=[ALLOWED]), Policy(allow_origins=["*"])])


def find_policy(routes: Mapping[str, Policy | None], path: str) -> Policy | None:
    """Return the policy that applies to a path: a plain reference implementation."""
    path = path or "/"
    first, *inner = path.split("/")
    if first or "\\" in path or "" in inner[:-1] or {".", ".."} & set(inner):
        return None
    segments = [segment for segment in inner if segment]
    covering = [
        prefix
        for prefix in routes
        if segments[: len(prefix.strip("/").split("/"))] == prefix.strip("/").split("/")
        or prefix == "/"
    ]
    return routes[max(covering, key=len)] if covering else None


@given(
    st.dictionaries(PREFIXES, ENTRIES, max_size=6),
    PATHS,
    st.sampled_from([None, ALLOWED, "https://evil.example"]),
)
def test_guard_decides_as_a_naive_reference(
    routes: dict[str, Policy | None], path: str, origin: str | None
) -> None:
    guard = Guard(routes)
    policy = find_policy(routes, path)
    assert guard.policy_for(path) is policy
    decision = guard.decide(path, origin, "GET", {})
    if policy is None:
        assert (decision.reason, decision.headers) == (Reason.NO_POLICY, ())
    else:
        assert decision == Engine(policy).decide(origin, "GET", {})
