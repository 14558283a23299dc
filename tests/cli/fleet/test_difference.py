"""The difference between two documents in words."""

from __future__ import annotations

import tomllib

import pytest

from corsguard.cli.fleet.difference import Difference, compare_documents

APP = 'allow_origins = ["https://app.example.com"]\n'


def compare(before: str | None, after: str) -> Difference:
    return compare_documents(tomllib.loads(before) if before else None, tomllib.loads(after))


def test_same_documents_have_no_difference() -> None:
    assert compare(APP, f"# A comment\n{APP}max_age = 7_200\n") == ([], [], [])


def test_first_document_allows_all_that_is_in_it() -> None:
    text = f'{APP}allow_credentials = true\nallow_headers = ["X-A"]\nexpose_headers = ["X-B"]\n'

    assert compare(None, text) == (
        [
            "every path: pages of https://app.example.com",
            "every path: credentials, such as cookies",
            "every path: the request header X-A",
            "every path: reading the response header X-B",
        ],
        [],
        [],
    )


@pytest.mark.parametrize(
    ("field", "before", "after", "allowed", "refused"),
    [
        ("allow_methods", '["PUT"]', '["PUT", "PATCH"]', "the method PATCH", ""),
        ("allow_methods", '["PUT", "PATCH"]', "[]", "", "the methods PUT, PATCH"),
        ("allow_methods", "[]", '["GET", "HEAD", "POST"]', "", ""),
        ("allow_methods", '["PUT"]', '["*"]', "every method besides PUT", ""),
        ("allow_methods", '["*"]', "[]", "", "every method"),
        ("allow_headers", '["X-A"]', '["x-a"]', "", ""),
        ("allow_headers", "[]", '["X-A", "X-B"]', "the request headers X-A, X-B", ""),
        ("allow_headers", "[]", '["*"]', "every request header", ""),
        (
            "allow_headers",
            '["*"]',
            '["*", "Authorization"]',
            "",
            "",
        ),
        ("expose_headers", '["X-A"]', '["X-B"]', "X-B", "X-A"),
        ("expose_headers", "[]", '["*"]', "reading every response header", ""),
        ("allow_credentials", "false", "true", "credentials, such as cookies", ""),
        ("allow_credentials", "true", "false", "", "credentials, such as cookies"),
    ],
)
def test_field_of_a_policy_is_compared(
    field: str, before: str, after: str, allowed: str, refused: str
) -> None:
    found = compare(f"{APP}{field} = {before}", f"{APP}{field} = {after}")
    reading = "reading the response header " if field == "expose_headers" and refused else ""

    expected = [f"every path: {reading}{each}" for each in (allowed, refused)]
    assert found.allowed == expected[:1] * bool(allowed)
    assert found.refused == expected[1:] * bool(refused)
    assert found.other == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("max_age = 60", "every path: max_age is changed from 7200 to 60"),
        ("predicate_timeout = 2.5", "every path: predicate_timeout is changed from 1.0 to 2.5"),
        (
            "dangerously_allow_null_origin = true",
            "every path: dangerously_allow_null_origin is changed from false to true",
        ),
    ],
)
def test_field_that_allows_nothing_by_itself_is_other(line: str, sentence: str) -> None:
    assert compare(APP, f"{APP}{line}") == ([], [], [sentence])


@pytest.mark.parametrize(
    ("before", "after", "allowed", "refused"),
    [
        ('["https://a.example"]', '["*"]', "every page besides https://a.example", ""),
        ('["*"]', '["https://a.example"]', "", "every page besides https://a.example"),
        (
            '["https://a.example"]',
            '["https://b.example", { origin = "http://c.example", dangerously = ["insecure"] }]',
            "pages of https://b.example, http://c.example (dangerously: insecure)",
            "pages of https://a.example",
        ),
        (
            "[]",
            '["https://a.example", { set = "x" }, { set = "y" }]',
            "pages of https://a.example and the set x and the set y",
            "",
        ),
        (
            '["https://a.example", "https://b.example"]',
            '["https://b.example", "https://a.example"]',
            "",
            "",
        ),
    ],
)
def test_origins_are_compared(before: str, after: str, allowed: str, refused: str) -> None:
    found = compare(f"allow_origins = {before}", f"allow_origins = {after}")

    assert found.allowed == [f"every path: {allowed}"] * bool(allowed)
    assert found.refused == [f"every path: {refused}"] * bool(refused)


def test_many_origins_are_counted_with_examples() -> None:
    many = [f"https://h{number}.example" for number in range(1_234)]

    found = compare_documents(None, {"allow_origins": many})
    assert found.allowed == [
        "every path: pages of 1,234 origins, such as https://h0.example, https://h1.example,"
        " https://h2.example"
    ]


def test_new_route_is_compared_with_what_applied_before() -> None:
    before = f'[routes."/"]\n{APP}'
    after = (
        f'[routes]\n"/internal" = false\n"/" = {{ {APP.strip()} }}\n'
        f'"/api" = {{ {APP.strip()}, allow_methods = ["PUT"] }}\n'
    )
    assert compare(before, after) == (
        ["/api: the method PUT"],
        ["/internal: pages of https://app.example.com"],
        ["/api: now has a route of its own", "/internal: now has a route of its own"],
    )
    assert compare(after, before) == (
        ["/internal: pages of https://app.example.com"],
        ["/api: the method PUT"],
        ["/api: no longer has a route of its own", "/internal: no longer has a route of its own"],
    )


def test_policy_of_every_path_is_that_of_the_root() -> None:
    assert compare(APP, f'[routes."/"]\n{APP}') == ([], [], [])


def test_prefix_covers_whole_segments_only() -> None:
    found = compare(f'[routes."/api"]\n{APP}', f'[routes."/api"]\n{APP}[routes."/apis"]\n{APP}')

    assert found.allowed == ["/apis: pages of https://app.example.com"]


def test_policies_of_a_list_are_compared_by_position() -> None:
    one = f'[[routes."/"]]\n{APP}'
    other = '[[routes."/"]]\nallow_origins = ["*"]\n'

    assert compare(one, one + other).allowed == ["every path[1]: every page"]
    assert compare(one + other, one).refused == ["every path[1]: every page"]
    assert compare(f'[routes."/"]\n{APP}', one) == ([], [], [])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("false", "true", "refused: off -> on"),
        ("true", "false", "allowed: on -> off"),
        ('"report"', "true", "refused: report -> on"),
        ("true", '"report"', "allowed: on -> report"),
        ("false", '"report"', "other: off -> report"),
        ("true", "true", ""),
    ],
)
def test_enforcement_is_compared(before: str, after: str, words: str) -> None:
    found = compare(f"enforce = {before}", f"enforce = {after}")

    kind, _, change = words.partition(": ")
    sentence = f"unsafe requests from origins that no policy allows (enforce: {change})"
    for name, sentences in found._asdict().items():
        assert sentences == [sentence] * (name == kind)


def test_options_of_enforcement_are_compared() -> None:
    before = 'enforce_exempt = ["/a", "/b"]\nown_origins = ["https://a.example"]\nenforce = true\n'
    after = 'enforce_exempt = ["/b", "/c"]\nown_origins = ["https://b.example"]\nenforce = true\n'

    assert compare(before, after) == (
        [
            "unsafe requests from any origin to /c (enforce_exempt)",
            "unsafe requests from https://b.example (own_origins)",
        ],
        [
            "unsafe requests from any origin to /a (enforce_exempt)",
            "unsafe requests from https://a.example (own_origins)",
        ],
        [],
    )


def test_sets_are_compared_by_entry_whatever_their_form() -> None:
    start = 'allow_origins = [{ set = "x" }]\n[origin_sets]\n'

    assert compare(
        f'{start}x = ["https://a.example", "https://b.example"]\n',
        f"{start}x = '''\n# comment\nhttps://b.example\nhttps://c.example\n'''\n",
    ) == (["the set x: https://c.example"], ["the set x: https://a.example"], [])


def test_set_without_effect_is_other() -> None:
    sets = '[origin_sets]\nx = ["https://a.example"]\n'

    assert compare(APP, f"{APP}{sets}").other == ["the set x, which no policy in force refers to"]
    assert compare(f"{APP}{sets}", f"{APP}{sets}") == ([], [], [])
