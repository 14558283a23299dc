"""Replays of the real peers against the real adapters: what a migration says to its user."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import pytest
from support.replay_apps import (
    METHODS,
    PATHS,
    build_asgi,
    build_flask,
    build_starlette,
    build_wsgi,
    open_django,
)

from corsguard.cli.migrate.replay import (
    Change,
    Difference,
    Exchange,
    Samples,
    generate_exchanges,
    replay,
)

A = "https://a.example"
ALL_METHODS = ["PUT", "PATCH", "DELETE"]
ALL_HEADERS = ["*", "Authorization"]

Mappings = Mapping[str, Any]


def sentences(differences: list[Difference]) -> list[str]:
    return [each.sentence for each in differences]


def losses(differences: list[Difference]) -> list[str]:
    return [each.sentence for each in differences if each.is_loss]


def exchanges(mapping: Mappings, *origins: str | re.Pattern[str], **samples: Any) -> list[Exchange]:
    return generate_exchanges(mapping, Samples(origins, **samples), PATHS)


def replay_flask(mapping: Mappings, **options: Any) -> list[Difference]:
    given = options.get("origins", ())
    origins = [given] if isinstance(given, (str, re.Pattern)) else given
    asked = exchanges(mapping, *origins, headers=tuple(options.get("allow_headers", ())))
    return replay(build_flask(**options), build_wsgi(mapping), asked)


def test_defaults_of_flask_cors_translated_lose_nothing() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}

    assert sentences(replay_flask(mapping, origins=[A])) == []


def test_any_origin_of_flask_cors_translated_loses_nothing() -> None:
    mapping = {"allow_origins": ["*"], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}

    assert sentences(replay_flask(mapping, origins="*")) == []


def test_cookies_of_any_origin_of_flask_cors_are_no_longer_open() -> None:
    mapping = {"allow_origins": ["*"], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}
    [found] = replay_flask(mapping, origins="*", supports_credentials=True)

    assert found.sentence == (
        "no longer open: any site could read /api and /items with the user's cookies"
    )
    assert not found.is_loss


def test_methods_and_headers_of_flask_cors_left_out_are_named() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ["PUT"]}

    assert sentences(replay_flask(mapping, origins=[A], allow_headers=["X-Trace"])) == [
        f"now blocked: PATCH and DELETE from {A} at /api and /items (method not in allow_methods)",
        f"now blocked: the header X-Trace from {A} at /api and /items "
        "(header not in allow_headers)",
    ]


def test_json_bodies_that_are_blocked_are_called_so() -> None:
    mapping = {
        "allow_origins": [A],
        "allow_methods": ALL_METHODS,
        "allow_headers": ["X-Requested-With"],
    }

    assert sentences(replay_flask(mapping, origins=[A])) == [
        f"now blocked: JSON bodies (Content-Type) and the header Authorization from {A} "
        "at /api and /items (header not in allow_headers)"
    ]


def test_cookies_that_are_no_longer_allowed_are_a_loss() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}

    assert sentences(replay_flask(mapping, origins=[A], supports_credentials=True)) == [
        f"now blocked: requests with the user's cookies from {A} at /api and /items "
        "(allow_credentials is not set)"
    ]


def test_origin_that_is_left_out_is_a_loss() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}
    [found] = replay_flask(mapping, origins=[A, "https://b.example"])

    assert found.sentence == (
        "now blocked: every request from https://b.example at /api and /items "
        "(origin not in allow_origins)"
    )
    assert found.is_loss


def test_origin_that_is_added_is_now_open() -> None:
    mapping = {
        "allow_origins": [A, "https://b.example"],
        "allow_methods": ALL_METHODS,
        "allow_headers": ALL_HEADERS,
    }
    [found] = replay_flask(mapping, origins=[A])

    assert found.sentence == "now open: https://b.example can read /api and /items"
    assert not found.is_loss


def test_method_that_is_added_is_now_allowed() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}

    assert sentences(replay_flask(mapping, origins=[A], methods=["GET", "POST", "PUT"])) == [
        f"now allowed: PATCH and DELETE from {A} at /api and /items"
    ]


def test_unescaped_dot_is_no_longer_open_to_other_domains() -> None:
    mapping = {
        "allow_origins": ["https://a.shop.com"],
        "allow_methods": ALL_METHODS,
        "allow_headers": ALL_HEADERS,
    }
    found = replay_flask(mapping, origins=re.compile("https://a.shop.com$"))

    assert sentences(found) == [
        "no longer open: https://axshop.com and https://a.shopxcom could read /api"
    ]


def test_missing_end_of_regex_is_no_longer_open_to_a_longer_host() -> None:
    mapping = {
        "allow_origins": [A],
        "allow_credentials": True,
        "allow_methods": ALL_METHODS,
        "allow_headers": ALL_HEADERS,
    }
    found = replay_flask(
        mapping, origins=re.compile(r"https://a\.example"), supports_credentials=True
    )

    assert losses(found) == []
    assert found[0].sentence == (
        f"no longer open: {A}.untrusted.example, {A}-untrusted.example and {A}:8441 could read "
        "/api with the user's cookies"
    )


def test_regex_that_covers_other_domains_loses_its_own_only() -> None:
    mapping = {
        "allow_origins": ["https://*.shop.com"],
        "allow_methods": ALL_METHODS,
        "allow_headers": ALL_HEADERS,
    }
    found = replay_flask(mapping, origins=re.compile(r"https://.*shop\.com"))

    assert losses(found) == [
        "now blocked: every request from https://shop.com (matched by 'https://.*shop\\\\.com') "
        "at /api and /items (origin not in allow_origins)"
    ]
    assert found[1].sentence.startswith("no longer open: https://ashop.com, ")


def test_exposed_header_that_is_left_out_is_hidden() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}
    before = build_flask(origins=[A], expose_headers=["X-Total"])
    asked = exchanges(mapping, A, exposed_headers=("X-Total",))

    assert sentences(replay(before, build_wsgi(mapping), asked)) == [
        f"now hidden from {A}: the response header X-Total at /api and /items "
        "(header not in expose_headers)"
    ]


def test_exposed_header_that_is_added_is_readable() -> None:
    mapping = {
        "allow_origins": ["*"],
        "allow_methods": ALL_METHODS,
        "allow_headers": ALL_HEADERS,
        "expose_headers": ["*"],
    }
    before = build_flask(origins="*", expose_headers=["X-Total"])
    asked = exchanges(mapping, "*", exposed_headers=("X-Total",))

    assert sentences(replay(before, build_wsgi(mapping), asked)) == [
        "now readable by any site: any other response header at /api and /items"
    ]


def test_blueprint_that_becomes_a_route_is_not_wider() -> None:
    mapping = {
        "routes": {
            "/api": {
                "allow_origins": [A],
                "allow_methods": ALL_METHODS,
                "allow_headers": ALL_HEADERS,
            }
        }
    }
    before = build_flask(resources={r"/api": {"origins": A}})

    assert sentences(replay(before, build_wsgi(mapping), exchanges(mapping, A))) == []


def test_path_that_gets_a_policy_is_now_open() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}
    before = build_flask(resources={r"/api": {"origins": A}})

    assert sentences(replay(before, build_wsgi(mapping), exchanges(mapping, A))) == [
        f"now open: {A} can read /items"
    ]


STARLETTE_HEADERS = ["Accept", "Accept-Language", "Content-Language", "Content-Type"]


def test_defaults_of_starlette_translated_lose_nothing() -> None:
    mapping = {"allow_origins": [A], "allow_headers": ["Content-Type"], "max_age": 600}
    found = replay(build_starlette(allow_origins=[A]), build_asgi(mapping), exchanges(mapping, A))

    # Starlette refuses the preflight of a POST too; a form needs none.
    assert sentences(found) == [f"now allowed: JSON bodies (Content-Type) from {A} at /api"]


def test_default_headers_of_starlette_left_out_block_json() -> None:
    mapping = {"allow_origins": [A], "max_age": 600}
    before = build_starlette(allow_origins=[A], allow_methods=["GET", "POST"])
    asked = exchanges(mapping, A, headers=tuple(STARLETTE_HEADERS))

    assert sentences(replay(before, build_asgi(mapping), asked)) == [
        f"now blocked: JSON bodies (Content-Type) from {A} at /api (header not in allow_headers)"
    ]


def test_star_headers_of_starlette_need_authorization_beside() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ["*"], "allow_headers": ["*"]}
    before = build_starlette(allow_origins=[A], allow_methods=["*"], allow_headers=["*"])
    with pytest.warns(UserWarning, match="Authorization"):
        after = build_asgi(mapping)

    assert sentences(replay(before, after, exchanges(mapping, A))) == [
        f"now blocked: the header Authorization from {A} at /api and /items "
        "(header not in allow_headers)"
    ]


def test_cookies_of_any_origin_of_starlette_are_no_longer_open() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ["*"], "allow_headers": ALL_HEADERS}
    before = build_starlette(
        allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], allow_credentials=True
    )
    asked = exchanges(mapping, "*")
    found = replay(before, build_asgi(mapping), asked)

    assert sentences(found) == [
        "now blocked: every request from any site at /api and /items (origin not in allow_origins)",
        f"now blocked: requests with the user's cookies from {A} at /api and /items "
        "(allow_credentials is not set)",
        "no longer open: any site could read /api and /items with the user's cookies",
    ]


DJANGO_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "user-agent",
    "x-csrftoken",
    "x-requested-with",
)


def test_defaults_of_django_cors_headers_translated_lose_nothing() -> None:
    mapping = {
        "allow_origins": [A],
        "allow_methods": ALL_METHODS,
        "allow_headers": [name for name in DJANGO_HEADERS if name != "accept"],
        "max_age": 86_400,
    }
    asked = exchanges(mapping, A, headers=DJANGO_HEADERS)
    with (
        pytest.warns(UserWarning, match="max_age"),
        open_django(mapping, CORS_ALLOWED_ORIGINS=[A]) as (before, after),
    ):
        found = replay(before, after, asked)

    assert sentences(found) == []


def test_regex_of_django_cors_headers_is_no_longer_open() -> None:
    mapping = {
        "allow_origins": ["https://*.shop.com"],
        "allow_methods": ALL_METHODS,
        "allow_headers": [name for name in DJANGO_HEADERS if name != "accept"],
    }
    regex = r"^https://[a-z]+\.shop\.com"
    asked = exchanges(mapping, re.compile(regex))
    with open_django(mapping, CORS_ALLOWED_ORIGIN_REGEXES=[regex]) as (before, after):
        found = replay(before, after, asked)

    assert losses(found) == []
    assert found[0].sentence.startswith(
        "no longer open: https://a.shop.com.untrusted.example, https://a.shop.com-untrusted.example"
    )


def test_regex_that_hangs_is_reported_and_not_sent() -> None:
    mapping = {
        "allow_origins": ["https://*.shop.com"],
        "allow_methods": ALL_METHODS,
        "allow_headers": ALL_HEADERS,
    }
    regex = re.compile(r"https://([a-z]+)*\.shop\.com$")
    asked = exchanges(mapping, regex)
    found = replay(build_flask(origins=regex), build_wsgi(mapping), asked, time_limit=0.3)

    [hang] = [each for each in found if each.verdict is Change.HANGS]
    assert hang.sentence.startswith(
        "the old regex hangs: 'https://([a-z]+)*\\\\.shop\\\\.com$' takes over 0.3 s "
        "for the Origin 'https://aaaa"
    )
    assert losses(found) == []


def test_origins_after_the_one_that_hangs_are_not_sent() -> None:
    regex = re.compile(r"https://(a|b|ab)*\.shop\.com$")
    long = f"https://{'ab' * 31}x.test"
    mapping = {"allow_origins": [A, long]}
    asked = exchanges(mapping, regex)
    found = replay(build_flask(origins=[A, regex]), build_wsgi(mapping), asked, time_limit=0.3)

    assert [each.verdict for each in found if long in each.origins] == [Change.HANGS]


def test_slow_regex_that_is_quick_enough_is_not_reported() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}
    regex = re.compile(r"https://[a-z]*[a-z]*\.shop\.com$")

    assert Change.HANGS not in {each.verdict for each in replay_flask(mapping, origins=[A, regex])}


def test_hundreds_of_differences_become_a_few_lines() -> None:
    listed = [f"https://app{number}.example" for number in range(60)]
    paths = {f"/items/{number}": METHODS for number in range(40)}
    mapping = {"allow_origins": listed}
    asked = generate_exchanges(mapping, Samples(tuple(listed)), paths)
    begun = time.perf_counter()
    found = replay(build_flask(paths, origins=listed), build_wsgi(mapping, paths), asked)
    print(f"{len(asked)} exchanges in {time.perf_counter() - begun:.2f} s")  # noqa: T201

    assert sentences(found) == [
        "now blocked: PUT, PATCH and DELETE from every listed origin at every path "
        "(method not in allow_methods)",
        "now blocked: JSON bodies (Content-Type) and the headers Authorization and "
        "X-Requested-With from every listed origin at every path (header not in allow_headers)",
    ]
    assert sum(len(each.paths) * len(each.methods) for each in found) > 100


def test_difference_is_ready_for_json() -> None:
    mapping = {"allow_origins": [A], "allow_headers": ALL_HEADERS, "allow_methods": ["PUT"]}
    [found] = replay_flask(mapping, origins=[A])

    assert found.as_dict() == {
        "verdict": "blocked",
        "cause": "method not in allow_methods",
        "origins": [A],
        "methods": ["PATCH", "DELETE"],
        "headers": [],
        "paths": ["/api", "/items"],
        "has_credentials": False,
        "sentence": f"now blocked: PATCH and DELETE from {A} at /api and /items "
        "(method not in allow_methods)",
        "is_loss": True,
    }


def test_preflight_that_fails_as_a_whole_names_what_needs_it() -> None:
    mapping = {"allow_origins": [A], "allow_methods": ALL_METHODS, "allow_headers": ALL_HEADERS}
    before = build_starlette(allow_origins=[A], allow_methods=["*"], allow_headers=["*"])
    after = build_starlette(allow_origins=[A])

    status = "(the status is 400, and a preflight needs 200 to 299)"
    assert sentences(replay(before, after, exchanges(mapping, A))) == [
        f"now blocked: PUT, PATCH and DELETE from {A} at /api and /items {status}",
        "now blocked: JSON bodies (Content-Type) and the headers Authorization and "
        f"X-Requested-With from {A} at /api and /items {status}",
    ]
