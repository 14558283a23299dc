"""The exchanges that are generated for a configuration."""

from __future__ import annotations

import re

from corsguard.cli.migrate.replay import Exchange, Samples, generate_exchanges
from corsguard.cli.migrate.replay.origins import Trust

A, B = "https://a.example", "https://b.example"


def select(exchanges: list[Exchange], origin: str, path: str = "/") -> list[Exchange]:
    return [each for each in exchanges if each.origin == origin and each.path == path]


def test_listed_origin_sends_every_kind_of_request() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ["PURGE"], "allow_headers": ["X-Trace"]}
    found = select(generate_exchanges(mapping), A)

    assert {each.method for each in found} == {"GET", "POST", "PUT", "PATCH", "DELETE", "PURGE"}
    assert {each.headers[-1] for each in found if each.headers} == {
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer x"),
        ("X-Requested-With", "XMLHttpRequest"),
        ("X-Trace", "1"),
    }
    assert [each.has_credentials for each in found].count(True) == len(found) / 2


def test_other_origins_only_read() -> None:
    found = generate_exchanges({"allow_origins": [A]})
    others = [each for each in found if each.origin != A]

    assert {each.method for each in others} == {"GET"}
    assert {each.case.trust for each in others} == {Trust.NEAR, Trust.UNTRUSTED}
    assert {"null", "https://untrusted.example"} < {each.origin for each in others}


def test_names_that_no_page_can_send_are_left_out() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ["P Q"], "expose_headers": ["X A", "X-B"]}
    samples = Samples(headers=("Cookie", "x y", "content-type", "AUTHORIZATION", "X-A"))
    found = generate_exchanges(mapping, samples)

    names = {name for each in found for name, _ in each.headers}
    assert names == {"Content-Type", "Authorization", "X-Requested-With", "X-A"}
    assert "P Q" not in {each.method for each in found}
    assert found[0].response_headers == ("X-Corsguard-Unnamed", "X-B")


def test_path_is_asked_by_its_own_methods() -> None:
    paths = {"/a": ("get", "HEAD", "OPTIONS"), "/b": ("DELETE", "LOCK"), "/c": ("HEAD",)}
    found = generate_exchanges({"allow_origins": [A]}, paths=paths)

    assert {each.method for each in select(found, A, "/a")} == {"GET"}
    assert {each.method for each in select(found, A, "/b")} == {"DELETE", "LOCK"}
    assert select(found, A, "/c") == []


def test_route_is_asked_by_its_own_origins_first() -> None:
    mapping = {"routes": {"/a": {"allow_origins": [A]}, "/b": {"allow_origins": [B]}}}
    found = generate_exchanges(mapping)

    assert len(select(found, B, "/b")) > len(select(found, A, "/b")) > 0


def test_origins_of_the_samples_are_listed() -> None:
    found = generate_exchanges({}, Samples((A, "*")), {"/x": ()})

    assert {each.case.trust for each in select(found, A, "/x")} == {Trust.LISTED}
    reading = {
        each.has_credentials: each.is_listed for each in select(found, "https://any.example", "/x")
    }
    assert reading == {False: True, True: False}


def test_configuration_without_policies_has_the_untrusted_origins() -> None:
    found = generate_exchanges({"routes": {"/": False}})

    assert {each.case.trust for each in found} == {Trust.UNTRUSTED}


def test_pattern_without_samples_is_tried_once() -> None:
    regex = re.compile("nothing at all")
    found = generate_exchanges({"allow_origins": [regex]})

    assert [each.case.entry for each in found].count(regex) == 2


def test_number_of_exchanges_is_bounded() -> None:
    origins = [f"https://app{number}.example" for number in range(500)]
    regexes = [re.compile(rf"https://[a-z]+\.app{number}\.example") for number in range(20)]
    mapping = {
        "routes": {
            f"/{number}": {"allow_origins": [*origins, *regexes], "allow_headers": headers}
            for number, headers in enumerate([[f"X-{index}" for index in range(90)]] * 30)
        }
    }
    paths = {f"/{number % 30}/{number}": () for number in range(900)}

    assert len(generate_exchanges(mapping, paths=paths)) < 4_000
