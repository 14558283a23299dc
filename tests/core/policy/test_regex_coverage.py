"""The owners that an automaton counts are those that `re` itself matches."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tools.fuzz.inputs import compile_regex
from tools.fuzz.regexes import accepts, check_coverage, match_of

from corsguard import Policy, PolicyError
from corsguard.origin import Origin, OriginError, is_insecure
from corsguard.policy.origin_grammar import build_origin_automaton
from corsguard.policy.redos import is_linear, may_match
from corsguard.policy.regex_coverage import MAX_OWNERS, measure_coverage


@pytest.mark.parametrize(
    ("pattern", "registered", "hosted"),
    [
        (r"https://[a-z]+\.example\.com", {"example.com"}, set()),
        (r"https://[a-z.]+\.example\.co\.uk\.?", {"example.co.uk"}, set()),
        (r"https://[ab]\.(?:com|co\.uk)", {"a.com", "b.com", "a.co.uk", "b.co.uk"}, set()),
        (r"http://intranet(?::\d+)?|https://co\.uk", {"intranet", "co.uk"}, set()),
        (r"https://a\.[xy]\.ck|https://www\.ck", {"a.x.ck", "a.y.ck", "www.ck"}, set()),
        (r"https://[ab]\.example|https://localhost:\d+", set(), set()),
        (r"https://x\.[ab]\.vercel\.app", set(), {"a.vercel.app", "b.vercel.app"}),
        (r"https://(?:a|vercel)\.app", {"a.app"}, {"vercel.app"}),
        (r"https://(?:a\.)?ap-[a-z]+-1\.amazonaws\.com", {"amazonaws.com"}, set()),
        (
            r"https://a\.s3\.ap-(?:east|south)-1\.amazonaws\.com",
            {"amazonaws.com"},
            {"a.s3.ap-east-1.amazonaws.com", "a.s3.ap-south-1.amazonaws.com"},
        ),
        (r"https://a\.nip\.io|https://b-1-2-3-4\.nip\.io", set(), {"a.nip.io", "b-1-2-3-4.nip.io"}),
        (r"https://1\.2\.3\.[45]", {"1.2.3.4", "1.2.3.5"}, set()),
        (r"https://10\.0\.0\.[45]|http://127\.0\.0\.1", set(), set()),
        (r"https://\[2001:db8::[ab]\]", {"2001:db8::a", "2001:db8::b"}, set()),
        (r"https://\[(?:::1|fd00::1|fe80::2|0::1)\]", set(), set()),
        (r"https://EXAMPLE\.com|ftp://c\.com", set(), set()),
        (r"[a-z]+://a\.com", {"a.com"}, set()),
    ],
)
def test_coverage_counts_owners_by_the_public_suffix_list(
    pattern: str, registered: set[str], hosted: set[str]
) -> None:
    covered = measure_coverage(re.compile(pattern))
    assert covered is not None
    assert (set(covered.registered.names), set(covered.hosted.names)) == (registered, hosted)


@pytest.mark.parametrize(
    "pattern",
    [
        r"https://[a-z0-9.-]+\.amazonaws\.com",
        r"https://mybucket\.s3[a-z0-9.-]*\.amazonaws\.com",
        r"https://[a-z0-9-]+\.s3\.[a-z0-9-]+\.amazonaws\.com",
    ],
)
def test_coverage_of_names_below_one_domain_is_one_owner(pattern: str) -> None:
    covered = measure_coverage(re.compile(pattern))
    assert covered is not None
    assert covered.registered.names == {"amazonaws.com"}
    entries = [re.compile(pattern)]
    assert Policy(allow_origins=entries)
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=entries, allow_credentials=True)
    (problem,) = caught.value.problems
    assert problem.code == "regex-too-wide"
    assert "a name that anyone can take" in problem.message
    assert Policy(
        allow_origins=entries, allow_credentials=True, dangerously_allow_public_suffixes=True
    )


def test_coverage_limit_is_a_hundred_owners() -> None:
    for number, too_many in ((MAX_OWNERS, False), (MAX_OWNERS + 1, True)):
        sites = "|".join(rf"site{each}\.com" for each in range(number))
        covered = measure_coverage(re.compile(f"https://(?:{sites})"))
        assert covered is not None
        assert covered.registered.too_many is too_many


@pytest.mark.parametrize("more", ["", r"|https://[a-z]+example\.com"])
def test_coverage_of_a_too_large_regex_is_refused(more: str) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = "|".join(f"{letters[each % 26]}{letters[each // 26]}-" for each in range(200))
    pattern = re.compile(rf"https://(?:{words})+\.example\.com{more}")
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=[pattern])
    (problem,) = caught.value.problems
    assert problem.code == "regex-too-wide"
    assert "too large to count the domains that it covers" in problem.message
    assert "a pattern such as https://*.example.com, or a callable" in problem.suggestion


@pytest.mark.parametrize(
    ("pattern", "any_origin", "secure"),
    [
        (r"https://a\.example\.com", True, True),
        (r"http://a\.example\.com", True, False),
        (r"https?://a\.example\.com", True, True),
        (r"http://192\.168\.\d+\.\d+:\d+", True, False),
        (r"http://(?:a|b)\.localhost", True, True),
        (r"http://localhost:\d+", True, True),
        (r"http://mylocalhost", True, False),
        (r"http://127\.0\.0\.\d", True, True),
        (r"http://\[::1\]:\d+", True, True),
        (r"http://\[::2\]", True, False),
        (r"http://[a-z]+(?::\d+)?", True, True),
        (r"chrome-extension://[a-p]{32}", True, True),
        (r"http[a-z]://x", True, True),
        (r"[a-h]ttp://x\.com", True, True),
        (r"h?ttp://X", True, True),
        (r"https?://EXAMPLE\.com", False, False),
        (r"(?i)HTTPS://EXAMPLE\.com", True, True),
        (r"app://EXAMPLE", True, True),
        (r"https://a:0", False, False),
        (r"example\.com", False, False),
        (r"https://(?:a\.)?\.b", False, False),
        (r"https://\.?example\.com", True, True),
        (r"https?://a(?:443|:443|:80)", True, True),
        (r"https?://[a-z.]+\.\d+", False, False),
        (r"http://[a-z0-9.]+:80", False, False),
        (r"http://127(?:\.[0-9]+){2}", False, False),
        (r"app://127\.1:80", True, True),
    ],
)
def test_may_match_without_any_matching_origin_is_false(
    pattern: str, any_origin: bool, secure: bool
) -> None:
    compiled_pattern = re.compile(pattern)
    assert may_match(compiled_pattern) is any_origin
    assert may_match(compiled_pattern, secure_only=True) is secure


HOSTS = [
    *("a", "example.com", "example.com.", "a..b", ".a", "a..", ".", "", "_a.b-", "A.com", "-"),
    *("1.2.3.4", "1.2.3.4.", "256.1.1.1", "1.2.3", "01.2.3.4", "a.0x1f", "a.0x", "0xg", "00a"),
    *("a.0", "a.0b", "a.12", "a.12c", "127.0.0.1", "127.1", "x.localhost.", "b." * 9 + "c"),
    *("a" * 63, "a" * 64, f"{'a' * 64}.com", f"{'a' * 63}.com", "[::1]", "[::]", "[2001:db8::7]"),
    *("[1:2:3:4:5:6:7:8]", "[01::]", "[1::2::3]", "[1:2]", "[::1", "[]", "[::1.2.3.4]"),
]
PORTS = [
    *("", ":", ":0", ":1", ":8", ":80", ":81", ":08", ":443", ":44", ":442", ":433", ":543"),
    *(":8080", ":09999", ":65535", ":65536", ":65600", ":66000", ":70000", ":60000", ":100000"),
]


@pytest.mark.parametrize("scheme", ["https", "http", "app", "httpx", "1a", ""])
def test_origin_grammar_accepts_exactly_valid_origins(scheme: str) -> None:
    for text in (f"{scheme}://{host}{port}" for host in HOSTS for port in PORTS):
        try:
            origin = Origin.parse(text)
        except OriginError:
            assert not accepts(build_origin_automaton("any"), text), text
            assert not accepts(build_origin_automaton("secure"), text), text
        else:
            assert accepts(build_origin_automaton("any"), text), text
            assert accepts(build_origin_automaton("secure"), text) is not is_insecure(origin), text


@pytest.mark.parametrize(
    ("pattern", "is_covered"),
    [
        # The long s is another case of s, in Unicode only.
        (r"(?i:[^\u017f])", False),
        (r"(?i:\u017f)", True),
        (r"(?ai:[^\u017f])", True),
        (r"(?ai:\u017f)", False),
        (r"(?u:(?ai:[\u017f]))", False),
        (r"(?a:(?ui:[\u017f]))", True),
        (r"(?i:[^\u0130])", True),
        (r"(?i:[\u017f-\u0180])", True),
        (r"[\u017f-\u0180r-t]", True),
    ],
)
def test_combine_flags_of_a_group_agrees_with_re(pattern: str, is_covered: bool) -> None:
    compiled_pattern = re.compile(rf"https://{pattern}\.com")
    covered = measure_coverage(compiled_pattern)
    assert covered is not None
    assert ("s.com" in covered.registered.names) is is_covered
    assert bool(compiled_pattern.fullmatch("https://s.com")) is is_covered


def test_automaton_parses_a_large_class_once() -> None:
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))
    assert Policy(allow_origins=[re.compile(rf"https://[{many}a-c]{{1,60}}\.example\.com")])
    assert is_linear(re.compile(rf"(?i)https://[{many}a-c]{{1,60}}\.example\.com"))
    nothing = measure_coverage(re.compile(rf"https://[{many}]\.com"))
    assert nothing is not None
    assert not nothing.registered.names


SCHEMES = st.sampled_from(
    ["https://", "https?://", "http://", "[a-z-]+://", "(?:https|app)://", "moz-extension://"]
)
CLASSES = st.sampled_from(
    ["[a-z]", "[a-z0-9-]", r"\d", r"\w", "[ab]", "[^.]", r"\W", "[.-]", "[a-z.]", r"\S", "[0-9A-F]"]
)
WORDS = st.sampled_from(
    ["a", "evil", "www", "co", "s3", "7", "0x1f", "-", "_", r"\.", r"\.", "localhost", "X"]
)
BOUNDS = st.sampled_from(["+", "*", "?", "{2}", "{1,3}", "+?", "++", "{0,20}"])
AROUND = st.sampled_from([r"\b", r"\B", "^", "$", "(?!a)", "(?=[a-z])", "(?<=b)", "(?<!-)", r"\1"])
ENDS = st.sampled_from(
    [
        *("", r"\.com", r"example\.com", r"\.example\.com", r"\.co\.uk", r"\.vercel\.app", r"\.ck"),
        *(
            r"\.amazonaws\.com",
            r"\.kobe\.jp",
            r"\.test",
            r"\.nip\.io",
            r"\.\d",
            r"\.a\.b|https://c",
        ),
    ]
)
TAILS = st.sampled_from(["", "", r"(?::\d+)?", r":\d{2,4}", r"\.?"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.builds(lambda one, other: f"(?:{one}|{other})", inner, inner),
        st.builds(lambda part: f"({part})?", inner),
        st.builds(lambda part: f"(?>{part})", inner),
        st.builds(lambda part: f"(?i:{part})", inner),
        st.builds(lambda part, other: f"(?(1){part}|{other})", inner, inner),
    )


PARTS = st.recursive(
    st.one_of(WORDS, CLASSES, st.builds(lambda a, b: a + b, CLASSES, BOUNDS), AROUND),
    grown,
    max_leaves=8,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(SCHEMES, PARTS, ENDS, TAILS, st.randoms(use_true_random=False))
@example("https://", "[a-z]+[.-]", r"example\.com", "", Random(1))
@example("https://", "(x)?(?(1)y|[a-z]+)", r"\.com", "", Random(1))
@example("[a-z-]+://", "[a-z]{2}", r"\.co\.uk", "", Random(1))
@example("[a-z-]+://", "0x1f", "", "", Random(1))
def test_coverage_has_the_owner_of_every_matching_origin(
    scheme: str, part: str, end: str, tail: str, random: Random
) -> None:
    pattern = compile_regex(f"{scheme}{part}{end}{tail}")
    if pattern is not None:
        for _ in range(5):
            check_coverage(pattern, match_of(pattern, random.randrange))
