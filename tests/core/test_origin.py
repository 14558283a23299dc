"""Fetch, "`Origin` header": valid and invalid serialised origins."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corsguard.origin import (
    MAX_LENGTH,
    Origin,
    OriginError,
    OriginPattern,
    default_port_suffix,
)

LABEL_63 = "a" * 63
HOST_253 = f"{LABEL_63}.{LABEL_63}.{LABEL_63}.{'a' * 61}"
LONGEST = f"{'s' * 64}://{HOST_253}:65535"

VALID = [
    ("https://example.com", ("https", "example.com", None)),
    ("http://example.com", ("http", "example.com", None)),
    ("https://localhost", ("https", "localhost", None)),
    ("http://localhost:3000", ("http", "localhost", 3000)),
    ("https://example.com:1", ("https", "example.com", 1)),
    ("https://example.com:65535", ("https", "example.com", 65535)),
    ("https://example.com:80", ("https", "example.com", 80)),
    ("http://example.com:443", ("http", "example.com", 443)),
    ("https://a-b.example", ("https", "a-b.example", None)),
    ("https://-a.example", ("https", "-a.example", None)),
    ("https://a_b.example", ("https", "a_b.example", None)),
    ("https://_dmarc.example", ("https", "_dmarc.example", None)),
    ("https://1.example", ("https", "1.example", None)),
    ("https://1.2.3.4.example", ("https", "1.2.3.4.example", None)),
    ("https://a.0xg", ("https", "a.0xg", None)),
    ("https://xn--rsum-bpad.example", ("https", "xn--rsum-bpad.example", None)),
    ("https://xn--r8jz45g.xn--zckzah", ("https", "xn--r8jz45g.xn--zckzah", None)),
    ("https://1.2.3.4", ("https", "1.2.3.4", None)),
    ("https://0.0.0.0", ("https", "0.0.0.0", None)),
    ("https://255.255.255.255:8443", ("https", "255.255.255.255", 8443)),
    ("http://[::1]", ("http", "[::1]", None)),
    ("http://[::]:8080", ("http", "[::]", 8080)),
    ("https://[2001:db8::7]:8443", ("https", "[2001:db8::7]", 8443)),
    ("https://[2001:db8:0:1:1:1:1:1]", ("https", "[2001:db8:0:1:1:1:1:1]", None)),
    ("https://[1:0:0:2::3]", ("https", "[1:0:0:2::3]", None)),
    ("https://[::ffff:c000:207]", ("https", "[::ffff:c000:207]", None)),
    ("https://[::ffff:0:0]", ("https", "[::ffff:0:0]", None)),
    ("https://[::102:304]", ("https", "[::102:304]", None)),
    ("chrome-extension://abcdefghij", ("chrome-extension", "abcdefghij", None)),
    ("moz-extension://0A1B-2C3D", ("moz-extension", "0A1B-2C3D", None)),
    ("com.example.App+1://HOST:443".lower(), ("com.example.app+1", "host", 443)),
    ("capacitor://localhost", ("capacitor", "localhost", None)),
    ("app://1.2.3.04", ("app", "1.2.3.04", None)),
    ("app://.", ("app", ".", None)),
    ("app://.:8080", ("app", ".", 8080)),
    ("app://a.", ("app", "a.", None)),
    ("https://a.example.", ("https", "a.example.", None)),
    ("https://a.example.:8443", ("https", "a.example.", 8443)),
    ("http://localhost.:3000", ("http", "localhost.", 3000)),
    (f"https://{LABEL_63}.", ("https", f"{LABEL_63}.", None)),
    ("file://host", ("file", "host", None)),
    (f"https://{LABEL_63}.example", ("https", f"{LABEL_63}.example", None)),
    (f"https://{HOST_253}", ("https", HOST_253, None)),
    (LONGEST, ("s" * 64, HOST_253, 65535)),
]

INVALID = {
    "not one serialised origin": [
        "",
        " ",
        "*",
        "https",
        "https:",
        "https://",
        "://example.com",
        "//example.com",
        "example.com",
        "https:/example.com",
        "https//example.com",
        "https:example.com",
        "https:\\\\example.com",
        "about:blank",
        "file:",
        "file:/",
        "file:///",
        "file://:1",
        "File://",
        "data:,x",
    ],
    "a list, two lines, white space": [
        "https://a.example,https://b.example",
        "https://a.example, https://b.example",
        "https://a.example https://b.example",
        "https://a.example, ",
        " https://a.example",
        "https://a.example ",
        "https://a.example\n",
        "https://a.example\r\n",
        "\thttps://a.example",
        "https://a .example",
        "null,null",
        "null ",
        " null",
        "null\n",
    ],
    "a path, a query, a fragment": [
        "https://a.example/",
        "https://a.example/path",
        "https://a.example?",
        "https://a.example#",
        "https://a.example\\",
        "https://a.example;x",
        "https://evil.example/.a.example",
        "https://evil.example#.a.example",
    ],
    "userinfo": [
        "https://user@a.example",
        "https://user:secret@a.example",
        "https://@a.example",
        "https://a.example@evil.example",
    ],
    "upper case": [
        "HTTPS://a.example",
        "Https://a.example",
        "https://A.example",
        "http://a.EXAMPLE",
        "https://[2001:DB8::7]",
        "NULL",
        "Null",
    ],
    "control and non-ASCII characters": [
        "https://a\0.example",
        "https://a.example\0",
        "https://\x7f.example",
        "https://a\x1b[31m.example",
        "https://a\u00ad.example",
        "https://résumé.example",
        "https://ex\u0430mple.com",
        "https://example\u3002com",
        "https://example\uff0ecom",
        "https://\u2160.example",
        "https://\u017f.example",
        "https://\u212a.example",
        "https://\ud800.example",
        "https://a.example:\u0664\u0664\u0663",
        "https://1.2.3.\u0664",
        "\u017fcheme://a.example",
        "https://a.example\u2028",
    ],
    "hosts and labels that are too long": [
        f"https://{'a' * 64}.example",
        f"https://{HOST_253}a",
        f"{'s' * 65}://example.com",
        f"s{LONGEST}",
        f"app://{'a' * 64}",
        "https://" + "a." * 100_000 + "example",
    ],
    "ports": [
        "https://a.example:",
        "https://a.example:0",
        "https://a.example:00",
        "https://a.example:08443",
        "https://a.example:65536",
        "https://a.example:99999",
        "https://a.example:100000",
        "https://a.example:443",
        "http://a.example:80",
        "https://a.example:-1",
        "https://a.example:+1",
        "https://a.example:1_0",
        "https://a.example: 1",
        "https://a.example:http",
        "https://a.example:*",
        "https://a.example:8443:8443",
        "https://[::1]:443",
        "null:1",
    ],
    "Fetch: empty labels, of which a trailing dot is none": [
        "https://.",
        "https://..",
        "https://a.example..",
        "https://.a.example",
        "https://.a.example.",
        "https://a..example",
        "https://1.2.3.4.",
        "https://1.2.3.",
        "https://a.0x7f.",
        "https://[::1].",
        f"https://{HOST_253}.",
        "app://..",
        "app://a..",
        "app://.a",
    ],
    "Fetch: four decimal numbers without leading zeros": [
        "https://1.2.3",
        "https://1",
        "https://1.2.3.4.5",
        "https://1.2.3.04",
        "https://1.2.3.256",
        "https://1.2.3.1000",
        "https://0x7f.0.0.1",
        "https://127.0.0.0x1",
        "https://a.0x",
        "https://a.0xff",
        "https://a.1",
        "https://2130706433",
        "https://-1.2.3.4.5",
        "https://1.2.3.9" + "9" * 200,
    ],
    "Fetch: a compressed, lower-case IPv6 address in brackets": [
        "https://::1",
        "https://[]",
        "https://[::1",
        "https://::1]",
        "https://[::1]a",
        "https://[::1].example",
        "https://[:::]",
        "https://[0:0:0:0:0:0:0:1]",
        "https://[::0001]",
        "https://[2001:db8::0:7]",
        "https://[2001:db8::1:1:1:1:1]",
        "https://[::192.0.2.7]",
        "https://[::ffff:192.0.2.7]",
        "https://[1:2:3:4:5:6:7:8:9]",
        "https://[fe80::1%eth0]",
        "https://[fe80::1%25eth0]",
        "https://[g::1]",
        "https://[1.2.3.4]",
    ],
    "no pattern is an origin": [
        "https://*",
        "https://*.example.com",
        "https://%2a.example.com",
        "https://a%2eexample",
        "https://(a|b).example",
        "https://a'.example",
        'https://a".example',
        "https://<a>.example",
        "https://a,b.example",
        "https://a&b.example",
        "1https://a.example",
        "-s://a.example",
        "a_b://example.com",
    ],
}
INVALID_ROWS = [
    pytest.param(text, id=f"{why}-{text[:40]!a}")
    for why, texts in INVALID.items()
    for text in texts
]


@pytest.mark.parametrize(("text", "parts"), VALID)
def test_parse_of_a_serialised_origin_round_trips(
    text: str, parts: tuple[str, str, int | None]
) -> None:
    origin = Origin.parse(text)
    assert (origin.scheme, origin.host, origin.port) == parts
    assert str(origin) == text
    assert f"{origin.scheme}://{origin.authority}" == text
    assert not origin.opaque


@pytest.mark.parametrize("text", INVALID_ROWS)
def test_parse_of_another_spelling_is_an_error(text: str) -> None:
    with pytest.raises(OriginError):
        Origin.parse(text)


def test_parse_accepts_326_characters_at_most() -> None:
    assert len(LONGEST) == MAX_LENGTH == 326
    assert len(f"s{LONGEST}") == 327


def test_parse_of_null_and_file_is_opaque() -> None:
    null, file = Origin.parse("null"), Origin.parse("file://")
    assert null.opaque
    assert file.opaque
    assert null != file
    assert (str(null), str(file)) == ("null", "file://")
    assert null != Origin.parse("https://null")
    assert str(Origin.parse("https://null")) == "https://null"


def test_origins_that_differ_in_one_part_are_not_equal() -> None:
    texts = [
        "https://a.example",
        "http://a.example",
        "https://b.example",
        "https://a.example:8443",
        "https://a.example:8444",
        "null",
    ]
    assert len({Origin.parse(text) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 327, "it is longer than 326 characters"),
        ("a.example", "it has no scheme"),
        ("1://a.example", "it is not scheme://host or scheme://host:port"),
        ("https://a.example:65536", "its port is over 65535"),
        ("https://a.example:443", "browsers omit port 443, the default of https"),
        (f"https://{HOST_253}.a", "its host is longer than 253 characters"),
        ("https://a..example", "a label of its host is empty or longer than 63 characters"),
        ("https://A.example", "its host is not in lower case"),
        ("https://1.2", "its IPv4 address is not four decimal numbers without leading zeros"),
        ("https://[0::1]", "its IPv6 address is not in the compressed form that browsers send"),
    ],
)
def test_parse_error_names_the_reason(text: str, why: str) -> None:
    with pytest.raises(OriginError) as caught:
        Origin.parse(text)
    assert str(caught.value) == why


@pytest.mark.parametrize(("scheme", "end"), [("https", ":443"), ("http", ":80"), ("app", "")])
def test_parse_omits_default_ports_of_web_schemes_only(scheme: str, end: str) -> None:
    assert default_port_suffix(scheme) == end


LABELS = st.from_regex(r"[a-z0-9_\-]{0,10}[a-z]", fullmatch=True)
HOSTS = st.one_of(
    st.lists(LABELS, min_size=1, max_size=5).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.lists(st.integers(0x1000, 0xFFFF), min_size=8, max_size=8).map(
        lambda blocks: f"[{':'.join(format(block, 'x') for block in blocks)}]"
    ),
)
PORTS = st.one_of(
    st.just(""), st.integers(1, 65535).filter(lambda port: port not in {80, 443}).map(":{}".format)
)
ORIGINS = st.builds(
    "{}://{}{}".format, st.sampled_from(["https", "http", "app", "moz-extension"]), HOSTS, PORTS
)


@given(ORIGINS)
@example("null")
@example("file://")
@example("app://.")
def test_parse_of_any_origin_round_trips(text: str) -> None:
    assert str(Origin.parse(text)) == text
    assert str(OriginPattern.parse(text)) == text


@given(
    st.one_of(
        st.text(), st.text("htps:/[]*.0123456789axé@ \n", max_size=30), ORIGINS.map(str.title)
    )
)
def test_parse_of_any_text_is_an_error_or_round_trips(text: str) -> None:
    for parse in (Origin.parse, OriginPattern.parse):
        try:
            parsed: Origin | OriginPattern = parse(text)
        except OriginError:
            continue
        assert str(parsed) == text
        assert text.isascii()
        assert text.isprintable()
