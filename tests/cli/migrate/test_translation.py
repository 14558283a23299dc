"""The other fields of a policy, and what is said about what they lose."""

from __future__ import annotations

from typing import Any

import pytest

from corsguard.cli.migrate.configuration import PathScope, PeerConfiguration, PeerPolicy
from corsguard.cli.migrate.translation import Translation, find_problems, translate

POLICY = PeerPolicy(
    "CORS(app)",
    PathScope(),
    ("https://a.example",),
    (),
    credentials=False,
    methods=(),
    headers=(),
    expose_headers=(),
    max_age=None,
)


def translate_policy(peer: str = "Starlette", **fields: Any) -> Translation:
    policy = POLICY._replace(**fields)
    return translate(PeerConfiguration(peer, "1.0", "starlette", (policy,)))


@pytest.mark.parametrize("peer", ["flask-cors", "Starlette"])
def test_star_of_headers_that_were_sent_back_covers_authorization(peer: str) -> None:
    with_cookies = translate_policy(peer, headers=("*",), credentials=True)

    assert translate_policy(peer, headers=("*", "x")).mapping["allow_headers"] == [
        "*",
        "Authorization",
    ]
    assert with_cookies.mapping["allow_headers"] == ["*"]


def test_headers_are_listed_once_whatever_their_case() -> None:
    mapping = translate_policy(headers=("X-A", "x-b", "x-a")).mapping

    assert mapping["allow_headers"] == ["X-A", "x-b"]


def test_headers_that_no_page_can_send_are_named() -> None:
    translation = translate_policy(headers=("Cookie", "Access-Control-Foo", "x y", "Sec-X", "X-A"))

    assert translation.mapping["allow_headers"] == ["X-A"]
    assert translation.notes == (
        "header Cookie: no browser asks for it; left out",
        "header Access-Control-Foo: no browser asks for it; left out",
        "header 'x y': not a name of a header; left out",
        "header Sec-X: no browser asks for it; left out",
    )


def test_exposed_headers_that_no_page_can_read_are_named() -> None:
    names = ("Set-Cookie", "Access-Control-Allow-Origin", "x y", "ETag")

    translation = translate_policy(expose_headers=names)

    assert translation.mapping["expose_headers"] == ["ETag"]
    assert translation.notes == (
        "expose Set-Cookie: never readable; left out",
        "expose Access-Control-Allow-Origin: of no use to a script; left out",
        "expose 'x y': not a name of a header; left out",
    )


def test_star_exposes_all_without_credentials() -> None:
    assert translate_policy(expose_headers=("*", "x")).mapping["expose_headers"] == ["*"]
    with_cookies = translate_policy(expose_headers=("*", "x"), credentials=True)
    assert with_cookies.mapping["expose_headers"] == ["x"]
    assert len(with_cookies.todos) == 1


def test_methods_are_written_as_browsers_do() -> None:
    translation = translate_policy(methods=("get", "patch", "TRACE", "a b", "purge", "PURGE"))

    assert translation.mapping["allow_methods"] == ["GET", "PATCH", "purge", "PURGE"]
    assert translation.notes == (
        "method patch: never matched, browsers ask for PATCH; listed as PATCH",
        "method TRACE: no browser asks for it; left out",
        "method a b: no browser asks for it; left out",
    )


@pytest.mark.parametrize(("given", "seconds"), [(-1, 0), (604_800, 86_400)])
def test_max_age_stays_within_what_browsers_do(given: int, seconds: int) -> None:
    translation = translate_policy(max_age=given)

    assert translation.mapping["max_age"] == seconds
    assert translation.notes == (f"max-age {given}: browsers cache for {seconds} s at most",)


def test_problems_name_the_route_or_the_view() -> None:
    policies = (
        POLICY._replace(scope=PathScope(("/api",)), origins=()),
        POLICY._replace(scope=PathScope((), ("shop.x",), "shop"), origins=()),
        POLICY._replace(scope=PathScope((), ("y",)), origins=()),
    )
    translation = translate(PeerConfiguration("flask-cors", "6.0", "flask", policies))

    assert [each.field for each in find_problems(translation)] == [
        'routes."/api".allow_origins',
        "blueprint shop.allow_origins",
        "view y.allow_origins",
    ]


def test_same_policy_is_not_repeated() -> None:
    configuration = PeerConfiguration("flask-cors", "6.0", "flask", (POLICY, POLICY))

    assert translate(configuration).mapping["allow_origins"] == ["https://a.example"]
