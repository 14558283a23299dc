"""The differences between verdicts, in sentences."""

from __future__ import annotations

import pytest

from corsguard.browser import BlockReason
from corsguard.cli.migrate.replay import Difference, Exchange, Verdict, compare
from corsguard.cli.migrate.replay.exchanges import UNNAMED
from corsguard.cli.migrate.replay.origins import OriginCase, Trust

LISTED = [OriginCase(f"https://{name}.example", Trust.LISTED) for name in "abcde"]
A, B, *_ = LISTED
EVIL = OriginCase("https://a.example.evil.net", Trust.NEAR)
NULL = OriginCase("null", Trust.UNTRUSTED)
UNTRUSTED = OriginCase("https://untrusted.example", Trust.UNTRUSTED)
ANYONE = OriginCase("https://any.example", Trust.ANYONE, "*")
READ = Verdict(can_read=True)
NO_ORIGIN = Verdict(can_read=False, reason=BlockReason.ALLOW_ORIGIN_MISSING)
NO_METHOD = Verdict(can_read=False, reason=BlockReason.METHOD_NOT_ALLOWED, has_preflight=True)
NO_HEADER = NO_METHOD._replace(reason=BlockReason.HEADER_NOT_ALLOWED)
MULTIPLE = Verdict(
    can_read=False, reason=BlockReason.ALLOW_ORIGIN_MULTIPLE, text="there are two values"
)


def say(*changes: tuple[Exchange, Verdict, Verdict]) -> list[str]:
    return [each.sentence for each in find(*changes)]


def find(*changes: tuple[Exchange, Verdict, Verdict]) -> list[Difference]:
    exchanges, before, after = zip(*changes, strict=True)
    return compare(exchanges, before, after)


def test_same_verdicts_are_no_difference() -> None:
    assert (
        say((Exchange(A, "/", "GET"), READ, READ), (Exchange(B, "/", "GET"), NO_ORIGIN, NO_METHOD))
        == []
    )


def test_losses_of_listed_origins_come_first() -> None:
    found = find(
        (Exchange(EVIL, "/", "GET"), NO_ORIGIN, READ),
        (Exchange(EVIL, "/x", "GET"), READ, NO_ORIGIN),
        (Exchange(A, "/", "PUT"), READ, NO_METHOD),
        (Exchange(A, "/", "GET"), READ, NO_ORIGIN),
        (Exchange(A, "/", "DELETE"), NO_METHOD, READ),
    )

    assert [each.sentence for each in found] == [
        "now blocked: every request from https://a.example at / (origin not in allow_origins)",
        "now blocked: PUT from https://a.example at / (method not in allow_methods)",
        "no longer open: https://a.example.evil.net could read /x",
        "now open: https://a.example.evil.net can read /",
        "now allowed: DELETE from https://a.example at /",
    ]
    assert [each.is_loss for each in found] == [True, True, False, False, False]


def test_cookies_are_named_where_only_they_make_the_difference() -> None:
    put = Exchange(A, "/", "PUT")

    assert say((put, READ, READ), (put._replace(has_credentials=True), READ, NO_METHOD)) == [
        "now blocked: PUT with the user's cookies from https://a.example at / "
        "(method not in allow_methods)"
    ]


def test_method_that_another_origin_could_send_is_named() -> None:
    assert say((Exchange(EVIL, "/", "PUT", has_credentials=True), READ, NO_METHOD)) == [
        "no longer open: https://a.example.evil.net could send PUT to / with the user's cookies"
    ]


def test_header_that_another_origin_could_send_is_named() -> None:
    asked = Exchange(EVIL, "/", "GET", (("X-A", "1"),))

    assert say((asked, READ, NO_HEADER)) == [
        "no longer open: https://a.example.evil.net could send the header X-A to /"
    ]


def test_any_site_stands_for_untrusted_origins() -> None:
    assert say(
        *((Exchange(case, "/", "GET"), READ, NO_ORIGIN) for case in (EVIL, NULL, UNTRUSTED))
    ) == ["no longer open: any site could read /"]


def test_opaque_origin_alone_is_named() -> None:
    assert say((Exchange(NULL, "/", "GET"), READ, NO_ORIGIN)) == [
        "no longer open: null could read /"
    ]


def test_untrusted_origin_loses_nothing_of_its_own_beside_any_site() -> None:
    assert say(
        *((Exchange(case, "/", "PUT"), READ, NO_METHOD) for case in (ANYONE, UNTRUSTED))
    ) == ["now blocked: PUT from any site at / (method not in allow_methods)"]


def test_finding_of_the_browser_is_the_cause_where_no_field_is() -> None:
    assert say((Exchange(A, "/", "GET"), READ, MULTIPLE)) == [
        "now blocked: requests from https://a.example at / (there are two values)"
    ]


def test_long_lists_are_cut_or_called_by_one_name() -> None:
    paths = ["/a", "/b", "/c", "/d"]
    all_of_them = [Exchange(case, path, "PUT") for case in LISTED for path in paths]
    some = [*all_of_them[:-1]]

    assert say(*((each, READ, NO_METHOD) for each in all_of_them)) == [
        "now blocked: PUT from every listed origin at every path (method not in allow_methods)"
    ]
    assert say(*((each, READ, NO_METHOD) for each in some), (all_of_them[-1], READ, READ)) == [
        "now blocked: PUT from every listed origin at /a, /b and /c (method not in allow_methods)",
        "now blocked: PUT from https://a.example, https://b.example, https://c.example and 1 more "
        "at /d (method not in allow_methods)",
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["X-A"], "the response header X-A"),
        (["X-A", "X-B"], "the response headers X-A and X-B"),
        ([UNNAMED], "any other response header"),
        (["X-A", UNNAMED], "the response header X-A and any other response header"),
    ],
)
def test_response_headers_that_are_hidden_are_named(names: list[str], words: str) -> None:
    asked = Exchange(A, "/", "GET", response_headers=("X-A", "X-B", UNNAMED))
    exposed = READ._replace(readable_headers=frozenset(name.lower() for name in names))
    [found] = find((asked, exposed, READ))

    assert found.sentence == (
        f"now hidden from https://a.example: {words} at / (header not in expose_headers)"
    )
    assert found.headers == tuple(names)
    assert found.is_loss
    assert say((asked, READ, exposed)) == [f"now readable by https://a.example: {words} at /"]


def test_response_headers_of_other_origins_are_not_compared() -> None:
    asked = Exchange(EVIL, "/", "GET", response_headers=("X-A",))

    assert say((asked, READ._replace(readable_headers=frozenset({"x-a"})), READ)) == []
