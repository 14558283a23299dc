"""Origins and regular expressions of peers as entries of `allow_origins`."""

from __future__ import annotations

import re

import pytest

from corsguard.cli.migrate.configuration import OriginRegex
from corsguard.cli.migrate.origins import Origins, translate_origins

FLASK = "flask-cors"
DJANGO = "django-cors-headers"
STARLETTE = "Starlette"


def translate_one(source: str, *, is_prefix: bool = False, peer: str = STARLETTE) -> Origins:
    return translate_origins((), (OriginRegex(source, is_prefix=is_prefix),), peer)


@pytest.mark.parametrize(
    ("source", "entries"),
    [
        (r"https://app\.example\.com", ["https://app.example.com"]),
        (r"^https://.*\.example\.com$", ["https://*.example.com"]),
        (r"\Ahttps://.+\.example\.com\Z", ["https://*.example.com"]),
        (r"https://(?:a|b)\.example\.com", ["https://a.example.com", "https://b.example.com"]),
        (r"https://(www\.)?example\.com", ["https://www.example.com", "https://example.com"]),
        (r"https?:\/\/localhost:[0-9]+", ["https://localhost:*", "http://localhost:*"]),
        (r"http://localhost:.*", ["http://localhost:*"]),
        (r"http://localhost:\d{4}", ["http://localhost:*"]),
        (r"http://\[::1\](:\d+)?", ["http://[::1]:*"]),
        (r"https://shop\.example(:\d+)?", ["https://shop.example:*"]),
        (r"^https://a\.example$|^https://b\.example$", ["https://a.example", "https://b.example"]),
        (
            r"^(https://a\.example|https://b\.example:8443)$",
            ["https://a.example", "https://b.example:8443"],
        ),
        (r"capacitor://localhost", ["capacitor://localhost"]),
        (r"(?:https://)?app\.example", ["https://app.example"]),
    ],
)
def test_expression_that_says_a_pattern_becomes_it(source: str, entries: list[str]) -> None:
    found = translate_one(source)

    assert (found.entries, found.notes, found.todos) == (entries, [], [])


@pytest.mark.parametrize(
    "source",
    [
        r"https://[a-z0-9-]+\.example\.com",  # one label, and a pattern covers several
        r"https://pr-\d+\.example\.com",
        r"https://shop\.example:\d{4}",
        r"https://shop\.example:\d+",  # a pattern of any port covers none as well
        r"https://shop\.example(:\d{4})?",
        r"https://.{20,}\.shop\.example",
        r"https://a.example\.com",
        r"https://.*-preview\.example\.com",
        r"https://(?i:APP)\.example",
        r"https://app\.example\b",
        r"https://a{2}\.example",
        r"https://.{3}\.example",
        r"https://(?:[a-z]x)?\.example",
        r"https://[\x00a]\.example",
        r"https://(?:abc|[a-z]x)\.example",
        r"https://(a|[a-z])\.example",
        r"https://a\.example(/.*)?",
        r"https://.*\.1\.2\.3\.4",
        r"https://(a|b|c|d|e|f)(a|b|c|d|e|f)\.example",
        r"https://a$b\.example",
        r"https://\x00\.example",
        r"(?:x^https)://app\.example",
    ],
)
def test_other_expressions_stay(source: str) -> None:
    assert translate_one(source).entries == [re.compile(source)]


def test_prefix_match_is_explained_once_it_is_one() -> None:
    ended = translate_one(r"https://(a|b)\.example$", is_prefix=True)
    alternatives = translate_one(r"(?:^https://a\.example$|https://b\.example$)", is_prefix=True)
    half = translate_one(r"https://a\.example$|https://b\.example", is_prefix=True)
    empty = translate_one(r"", is_prefix=True)
    bare = translate_one(r"https://a\.example|", is_prefix=True)
    group = translate_one(r"https://a\.example()", is_prefix=True)

    assert ended.notes == alternatives.notes == []
    for found in (half, empty, bare, group):
        assert len(found.notes) == 1
        assert found.notes[0].endswith(
            "was matched as a prefix, so it also allowed origins that go on after it; now it is "
            "matched as a whole"
        )


@pytest.mark.parametrize("source", [r"https://x[0-9]\.example", r"https://[^a-f]+\.example"])
def test_case_is_dropped_where_it_changes_nothing(source: str) -> None:
    found = translate_origins((), (OriginRegex(source, re.IGNORECASE),), FLASK)

    assert found.entries == [re.compile(source)]


@pytest.mark.parametrize(
    "source",
    [
        r"https://X[0-9]\.example",
        r"https://\x41[0-9]\.example",
        r"https://[@-_]+\.example",
        r"https://[^@-_]+\.example",
        r"https://[^A]+\.example",
        r"https://[\u017f]hop\.example",
    ],
)
def test_case_stays_ignored_where_that_may_change_something(source: str) -> None:
    found = translate_origins((), (OriginRegex(source, re.IGNORECASE),), FLASK)

    assert found.entries == [re.compile(source, re.IGNORECASE)]


def test_text_that_is_no_expression_is_a_todo() -> None:
    found = translate_one("https://*.example(", peer=DJANGO)

    (todo,) = found.todos
    assert found.entries == []
    assert todo.message == (
        "'https://*.example(' is not a regular expression: django-cors-headers could not use it"
    )


def test_glob_is_explained_in_both_readings() -> None:
    port, subdomain, label = (
        translate_one(source, is_prefix=True, peer=FLASK)
        for source in ("http://localhost:*", "https://*.shop.example", "https://pr-*.shop.example")
    )

    assert port.entries == ["http://localhost:*"]
    assert port.notes == [
        "'http://localhost:*' is a glob that flask-cors read as a regular expression: as that, it "
        "allowed any origin that begins with 'http://localhost', such as "
        "http://localhost.evil.example; now it is a pattern: any port and no other host"
    ]
    assert subdomain.entries == ["https://*.shop.example", "https://shop.example"]
    assert subdomain.notes[0].endswith(
        "as that, it allowed 'https://shop.example' and no subdomain; now it is a pattern: every "
        "subdomain, with 'https://shop.example' beside it"
    )
    assert label.entries == ["https://pr-*.shop.example"]
    assert label.notes[0].endswith("it allowed no subdomain; now it is a pattern: every subdomain")


def test_star_alone_is_every_origin() -> None:
    regexes = (OriginRegex("https://b"),)

    assert translate_origins(("*", "*"), (), FLASK) == Origins(["*"], [], [])
    for found in (
        translate_origins(("*", "https://a.example"), (), FLASK),
        translate_origins(("*",), regexes, DJANGO),
    ):
        assert found.entries == ["*"]
        assert found.notes == ["the other origins beside * had no effect; they are left out"]


@pytest.mark.parametrize(
    ("text", "peer", "reason"),
    [
        ("https://a.example/", STARLETTE, "never matched an Origin as written"),
        ("https://a.example/", DJANGO, "is not how a browser writes an origin"),
        ("https://a.example:443", DJANGO, "never matched an Origin as written"),
        ("HTTPS://A.example", FLASK, "is not how a browser writes an origin"),
        ("HTTPS://A.example", STARLETTE, "never matched an Origin as written"),
        ("a.example", FLASK, "never matched an Origin as written"),
    ],
)
def test_origin_is_written_as_browsers_do(text: str, peer: str, reason: str) -> None:
    found = translate_origins((text,), (), peer)

    assert found.entries == ["https://a.example"]
    assert found.notes == [f"{text!r} {reason}; listed as 'https://a.example'"]


def test_pattern_that_was_a_text_is_a_todo() -> None:
    found = translate_origins(("https://*.a.example", "https://b.example"), (), STARLETTE)

    (todo,) = found.todos
    assert found.entries == ["https://b.example"]
    assert todo.message == (
        "'https://*.a.example' never matched an Origin as written: Starlette compared it as a "
        "text. In corsguard, 'https://*.a.example' is a pattern that allows more. It is left out: "
        "list it if you mean it"
    )


def test_text_that_can_not_be_fixed_is_left_to_the_policy() -> None:
    assert translate_origins(("https://a b", "null"), (), DJANGO).entries == ["https://a b", "null"]
