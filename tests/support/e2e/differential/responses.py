"""Random responses of servers: by a policy, allowing everything, and with random headers."""

from __future__ import annotations

import warnings
from random import Random
from typing import Any

from corsguard import Policy, PolicyWarning
from corsguard.browser.messages import Answer, Fields, Request
from corsguard.fetch_spec import (
    ALLOW_CREDENTIALS,
    ALLOW_HEADERS,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
    MAX_AGE,
)

RESPONSE_HEADERS: Fields = (
    ("Content-Type", "text/plain"),
    ("Content-Language", "de"),
    ("X-One", "1"),
    ("X-Two", "2"),
    ("X-Two", "3"),
    ("ETag", '"1"'),
    ("Set-Cookie", "a=b; Path=/nowhere"),
)
BODY = b"text"

ORIGINS: list[list[str]] = [
    ["http://localhost:*"],
    ["http://localhost:*", "http://127.0.0.1:*", "https://*.example.com"],
    ["https://app.example.com"],
    ["*"],
]
METHODS = [[], ["PUT"], ["PUT", "PATCH", "DELETE"], ["*"], ["PATCH", "CHICKEN", "OPTIONS"]]
HEADERS = [[], ["X-A"], ["x-a", "X-B", "Content-Type"], ["*"], ["*", "Authorization"], ["Range"]]
EXPOSED = [[], ["X-One"], ["x-two", "ETag"], ["*"]]

SOUP_ORIGINS = [
    "{page}",
    "{page}",
    "{page}",
    "*",
    " {page} ",
    "null",
    "{page}, {page}",
    "{api}",
    "",
]
SOUP_CREDENTIALS = ["true", "true", " true", "True", "false", "true, true"]
SOUP_METHODS = [
    "PUT",
    "PUT, PATCH, DELETE",
    "*",
    ",PUT,, patch ,",
    "put",
    "GET PUT",
    "PUT;",
    "OPTIONS",
]
SOUP_HEADERS = [
    "x-a",
    "X-A, X-B , x-c",
    "*",
    ",,content-type,range,accept",
    "x a",
    "*, authorization",
]
SOUP_EXPOSED = ["X-One", "x-one , X-TWO", "*", "X-One;", ",ETag,", "Set-Cookie, Content-Type"]
SOUP_MAX_AGES = ["600", "0", "-1", "abc", " 600 ", "600, 600", "60.5", ""]


def draw_policy(random: Random) -> Policy:
    """Draw one of several thousand policies."""
    origins = random.choice(ORIGINS)
    fields: dict[str, Any] = {
        "allow_origins": origins,
        "allow_credentials": "*" not in origins and random.random() < 0.5,
        "allow_methods": random.choice(METHODS),
        "allow_headers": random.choice(HEADERS),
        "expose_headers": random.choice(EXPOSED),
        "max_age": random.choice([0, 600, None]),
    }
    if fields["allow_credentials"]:
        # Listed one by one: no browser takes `*` for all of them.
        fields["expose_headers"] = [name for name in fields["expose_headers"] if name != "*"]
    elif "*" not in origins and random.random() < 0.5:
        fields["allow_origins"] = [*origins, "null"]
        fields["dangerously_allow_null_origin"] = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)  # what it warns of is played as well
        return Policy(**fields)


def allowing_responses(request: Request, origin: str = "{page}") -> tuple[Answer, Answer]:
    """Return the responses to preflight and request that allow everything."""
    fields: Fields = ((ALLOW_ORIGIN, origin), (ALLOW_CREDENTIALS, "true"))
    names = ", ".join(dict(request.headers)) or "x-a"
    lists: Fields = ((ALLOW_METHODS, f"PUT, {request.method}"), (ALLOW_HEADERS, names))
    exposed = (EXPOSE_HEADERS, "x-one, X-Two")
    actual = Answer(200, (*RESPONSE_HEADERS, *fields, exposed), BODY)
    return Answer(204, (*fields, *lists, (MAX_AGE, "600"))), actual


def random_responses(random: Random) -> tuple[Answer, Answer]:
    """Draw the responses to preflight and request, with any headers, some of them twice."""
    status = random.choice([200, 204, 204, 204, 204, 299, 404])
    lists = (
        _lines(random, ALLOW_METHODS, SOUP_METHODS)
        + _lines(random, ALLOW_HEADERS, SOUP_HEADERS)
        + _lines(random, MAX_AGE, SOUP_MAX_AGES)
    )
    preflight = Answer(status, _check(random) + lists)
    exposed = _lines(random, EXPOSE_HEADERS, SOUP_EXPOSED)
    actual = random.choice([200, 200, 200, 201, 204, 304, 401, 404, 500])
    body = b"" if actual in {204, 304} else BODY
    return preflight, Answer(actual, RESPONSE_HEADERS + _check(random) + exposed, body)


def _check(random: Random) -> Fields:
    """Draw the fields that the CORS check reads."""
    return _lines(random, ALLOW_ORIGIN, SOUP_ORIGINS) + _lines(
        random, ALLOW_CREDENTIALS, SOUP_CREDENTIALS
    )


def _lines(random: Random, name: str, values: list[str]) -> Fields:
    """Draw no line of this name, one, or two."""
    count = random.choices([0, 1, 2], [10, 85, 5])[0]
    return tuple((name, random.choice(values)) for _ in range(count))
