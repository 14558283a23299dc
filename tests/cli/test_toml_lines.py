from __future__ import annotations

import tomllib

import pytest

from corsguard import Guard, PolicyError, Problem
from corsguard.cli.toml_lines import find_lines
from corsguard.policy.warning_filter import ignore_policy_warnings
from corsguard.sources.parsed_document import parse_document


def find_problem_lines(text: str) -> list[tuple[str, int | None]]:
    """Return the code and the line of each problem of a text."""
    with pytest.raises(PolicyError) as refused, ignore_policy_warnings():
        parse_document(text)
    problems = refused.value.problems
    codes = [problem.code for problem in problems]
    return list(zip(codes, find_lines(text, problems), strict=True))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("max_age = 1\nallow_origin = []\n", [("unknown-field", 2)]),
        ("max_age = 1\n", [("no-origins", None)]),
        ('# c\n\nallow_origins = ["a.example"] # x\n', [("origin-invalid", 3)]),
        (
            'allow_origins = [ # first\n  "https://a.example",\n\n  """a\\\n   b""", "c",\n]\n'
            'max_age = "x"\n',
            [("origin-invalid", 4), ("origin-invalid", 5), ("type-invalid", 7)],
        ),
        (
            'allow_origins = [\n  "https://a.example",\n  { origin = "b", dangerously = ["x"] },\n'
            '  { dangerously = ["null"], origin = "c" },\n]',
            [
                ("flag-unknown", 3),
                ("origin-invalid", 3),
                ("origin-invalid", 4),
            ],
        ),
        (
            '[routes."/a"]\nallow_origins = ["https://a.example"]\n\n'
            '[routes."/b"]\nallow_methods = ["put"]\n',
            [("no-origins", 4), ("method-case", 5)],
        ),
        (
            '[routes]\n"/a" = { allow_origins = ["x"] }\n"/b" = 1\nc = false\n',
            [("origin-invalid", 2), ("type-invalid", 3), ("route-invalid", 4)],
        ),
        (
            'routes."/a".max_age = 1\nroutes."/a".allow_origins = ["x"]\n',
            [("origin-invalid", 2)],
        ),
        ('routes."/a".max_age = 1\n', [("no-origins", 1)]),
        ('\nroutes."/a" = [{}, {}]', [("no-origins", 2), ("no-origins", 2)]),
        ('routes."/a" = [{}]\nmax_age = "x"\n', [("no-origins", 1), ("unknown-field", 2)]),
        (
            '[[routes."/a"]]\nallow_origins = ["https://a.example"]\n'
            '[[routes."/a"]]\nallow_origins = ["https://b.example"]\nmax_age = "x"\n'
            '[[routes."/a"]]\n',
            [("type-invalid", 5), ("no-origins", 6)],
        ),
        (
            '[routes]\n"/a" = [\n  { allow_origins = ["x"] },\n  { max_age = 1 },\n  1,\n]\n',
            [("origin-invalid", 3), ("no-origins", 4), ("type-invalid", 2)],
        ),
        (
            'allow_origins = ["https://a.example"]\n[candidate]\nenforce = 1\n'
            '[candidate.routes."/a"]\nallow_origins = ["x"]\n',
            [("origin-invalid", 5), ("type-invalid", 3)],
        ),
        (
            'allow_origins = [{ set = "a" }]\n[origin_sets]\n\nb = ["https://a.example", 2]\n',
            [("type-invalid", 4), ("set-unknown", 1)],
        ),
        ('routes = { "/a" = 1 }', [("type-invalid", 1)]),
        ('source = "x"\r\nallow_origins = ["x"]\r\n', None),
        ('\ufeffallow_origins = [\n"x"]', [("origin-invalid", 2)]),
    ],
)
def test_problem_is_found_at_its_line(
    text: str, found: list[tuple[str, int | None]] | None
) -> None:
    lines = find_problem_lines(text)

    if found is None:
        assert ("source-in-document", 1) in lines
    else:
        assert sorted(lines, key=str) == sorted(found, key=str)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("!", 1),
        ("a = 1\n\nb =", 3),
        ("a = [\n1,\n\n\n", 2),
        ("a = 1\na = 2", None),
        ("a = " + "[" * 9_000, None),
    ],
)
def test_error_of_toml_is_found_at_its_line(text: str, line: int | None) -> None:
    [(code, found)] = find_problem_lines(text)

    assert code == "document-invalid"
    assert found == line or (line is None and found in {None, 2})


def test_same_field_of_two_places_has_two_lines() -> None:
    text = '[routes."/a"]\nmax_age = 1\n[routes."/b"]\nmax_age = 1\n'
    problems = [Problem("x", f'routes."{name}".max_age', 1, "", "") for name in ("/b", "/a")]

    assert find_lines(text, problems) == [4, 2]


def test_text_that_only_tomllib_can_read_has_no_lines() -> None:
    text = "a = {}{}".format("[" * 400, "]" * 400)
    assert tomllib.loads(text)

    assert find_lines(text, [Problem("x", "a", None, "", "")]) == [None]


def test_warning_is_found_at_its_line() -> None:
    text = '# c\n[routes."/a"]\nallow_origins = ["https://a.example"]\nallow_headers = ["*"]\n'
    with ignore_policy_warnings():
        guard = Guard.from_mapping(tomllib.loads(text))

    assert find_lines(text, [warning.problem for warning in guard.warnings]) == [4]
