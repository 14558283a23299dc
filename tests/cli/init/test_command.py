"""`corsguard init` with options, and what it does with the file."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from support.cli_command import Command

from corsguard import Guard, Policy
from corsguard.browser import Browser
from corsguard.cli.init.answers import Answers, find_answer_problems, split_values
from corsguard.cli.init.document import format_document
from corsguard.cli.schema.document import SCHEMA_URL, build_schema
from corsguard.policy.warning_filter import ignore_policy_warnings

SCHEMA = Draft7Validator(build_schema())
ORIGIN = "https://app.example.com"
GIVEN = ("--origin", ORIGIN, "--no-credentials")
TEXTS = st.sampled_from(
    [
        *("*", ORIGIN, "https://*.example.com", "https://pr-*.example.com:*", "http://localhost:*"),
        *("http://a.example", "null", "app://.", "https://*.vercel.app", "https://[::1]:8443"),
        *("PUT", "put", "PURGE", "TRACE", "Content-Type", "authorization", "X-A", "Set-Cookie"),
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LISTS = st.lists(TEXTS, max_size=3).map(tuple)


def read(file: str = "corsguard.toml") -> dict[str, object]:
    return tomllib.loads(Path(file).read_text("utf-8"))


def test_options_answer_every_question(corsguard: Command) -> None:
    code, out, err = corsguard(
        *("init", "--origin", f"{ORIGIN}, http://localhost:3000", "--credentials"),
        *("--method", "PUT", "--method", "DELETE", "--header", "Content-Type"),
    )

    assert (code, out) == (0, "")
    assert "wrote corsguard.toml" in err
    assert read() == {
        "allow_origins": [ORIGIN, "http://localhost:3000"],
        "allow_credentials": True,
        "allow_methods": ["PUT", "DELETE"],
        "allow_headers": ["Content-Type"],
    }
    assert corsguard("check", "corsguard.toml").code == 0


def test_each_line_has_a_comment_that_says_what_it_opens(corsguard: Command) -> None:
    corsguard("init", *GIVEN, "--origin", "https://*.example.com:*", "--header", "Authorization")

    assert Path("corsguard.toml").read_text("utf-8").splitlines() == [
        f"#:schema {SCHEMA_URL}",
        "# Which pages of other origins may call this service. `corsguard check` checks this file.",
        "# Every key: https://corsguard.readthedocs.io/en/stable/configuration.html",
        "",
        "# Pages of these origins may read responses.",
        "allow_origins = [",
        '    "https://app.example.com",  # this origin alone',
        '    "https://*.example.com:*",  # every subdomain of example.com, and not example.com '
        "itself, with any port",
        '    # "http://localhost:3000",  # development: not in production',
        "]",
        "# Responses to requests with cookies stay hidden from them.",
        "allow_credentials = false",
        '# They may use GET, HEAD and POST alone. Add others here, such as "PUT".',
        "allow_methods = []",
        "# They may set these request headers. Authorization is for tokens.",
        'allow_headers = ["Authorization"]',
    ]


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("*", "every site"),
        (
            "http://localhost:*",
            "development on this machine, with any port: remove it in production",
        ),
        ("https://pr-*.example.com", "names such as pr-1.example.com"),
        ("http://a.example", "this origin alone, which the network can forge: it is plain http"),
    ],
)
def test_origin_is_described(origin: str, words: str) -> None:
    assert f'"{origin}",  # {words}\n' in format_document({"allow_origins": [origin]})


@pytest.mark.parametrize(
    ("origins", "line"),
    [
        ([ORIGIN], '# "http://localhost:3000",  # development'),
        (["http://localhost:3000"], '# "https://app.example.com",  # your frontend in production'),
    ],
)
def test_file_suggests_the_other_kind_of_frontend(origins: list[str], line: str) -> None:
    assert f"\n    {line}" in format_document({"allow_origins": origins})


@pytest.mark.parametrize("origins", [["*"], [ORIGIN, "http://localhost:3000"]])
def test_file_suggests_nothing_where_nothing_is_missing(origins: list[str]) -> None:
    assert '# "' not in format_document({"allow_origins": origins})


def test_long_lists_are_wrapped() -> None:
    names = [f"X-Long-Name-Of-A-Header-{number}" for number in range(9)]
    text = format_document({"allow_origins": ["*"], "allow_headers": names})

    assert tomllib.loads(text)["allow_headers"] == names
    assert max(map(len, text.splitlines())) < 100


@given(st.builds(Answers, LISTS.filter(bool), st.booleans(), LISTS, LISTS))
def test_answers_that_start_become_a_file_that_starts(answers: Answers) -> None:
    if find_answer_problems(answers):
        return
    text = format_document(answers.fields)
    document = tomllib.loads(text)
    assert document == answers.fields
    assert SCHEMA.is_valid(document)
    with ignore_policy_warnings():
        assert Guard.from_mapping(document).policy_for("/") == Policy(**answers.fields)


@given(st.text(max_size=20))
def test_any_text_is_split_into_values_without_separators(text: str) -> None:
    assert all(value and not set(value) & set(", \n\t") for value in split_values(text))


def test_none_is_an_answer(corsguard: Command) -> None:
    assert corsguard("init", *GIVEN, "--method", "none", "--header", "none").code == 0
    assert (read()["allow_methods"], read()["allow_headers"]) == ([], [])


@pytest.mark.parametrize(
    "args",
    [(), ("--origin", ORIGIN), ("--credentials",), ("--method", "PUT", "--header", "X-A")],
)
def test_missing_answer_without_a_terminal_is_one_line(
    corsguard: Command, args: tuple[str, ...]
) -> None:
    assert corsguard("init", *args) == (
        2,
        "",
        "corsguard: no terminal to ask in. Give --origin, and --credentials or --no-credentials\n",
    )
    assert not Path("corsguard.toml").exists()


@pytest.mark.parametrize(
    ("args", "words", "fix"),
    [
        (
            ("--origin", "*", "--credentials"),
            "would let any page act as the user",
            "list the origins",
        ),
        (("--origin", "http://app.example.com", "--credentials"), "plain http", ORIGIN),
        (("--origin", "null", "--no-credentials"), "any site can send it", "remove null"),
        (
            ("--origin", "https://*.vercel.app", "--credentials"),
            "anyone can register names",
            "https://*.your-name.vercel.app",
        ),
        (("--origin", "app.example.com"), "it has no scheme", ORIGIN),
        (("--origin", ORIGIN, "--method", "put"), "methods are case-sensitive", "PUT"),
        (("--method", "put"), "methods are case-sensitive", "PUT"),
        (("--origin", "none"), "the list is empty", "list an origin"),
    ],
)
def test_dangerous_option_is_explained_with_its_fix(
    corsguard: Command, args: tuple[str, ...], words: str, fix: str
) -> None:
    code, out, err = corsguard("init", *args)

    assert (code, out) == (2, "")
    assert words in " ".join(err.split())
    assert f"fix: {fix}" in err
    assert "dangerously" not in err
    assert not Path("corsguard.toml").exists()


def test_warning_is_shown(corsguard: Command) -> None:
    code, _, err = corsguard("init", "--origin", ORIGIN, "--no-credentials", "--header", "*")

    assert code == 0
    assert "warning: allow_headers: `*` does not cover Authorization" in err


def test_existing_file_is_kept_without_force(corsguard: Command) -> None:
    Path("corsguard.toml").write_text("mine", "utf-8")

    assert corsguard("init", *GIVEN) == (
        2,
        "",
        "corsguard: corsguard.toml exists. Use --force to replace it, or name another file\n",
    )
    assert Path("corsguard.toml").read_text("utf-8") == "mine"
    assert corsguard("init", *GIVEN, "--force").code == 0
    assert read()["allow_origins"] == [ORIGIN]
    assert corsguard("init", *GIVEN, "other.toml").code == 0
    assert read("other.toml") == read()
    assert sorted(path.name for path in Path().iterdir()) == ["corsguard.toml", "other.toml"]


def test_dash_writes_to_the_output(corsguard: Command) -> None:
    code, out, err = corsguard("init", *GIVEN, "-")

    assert code == 0
    assert tomllib.loads(out)["allow_origins"] == [ORIGIN]
    assert "wrote" not in err
    assert 'Guard.from_file("corsguard.toml")' in err
    assert list(Path().iterdir()) == []


def test_folder_that_is_missing_is_one_line(corsguard: Command) -> None:
    assert corsguard("init", *GIVEN, "none/corsguard.toml") == (
        2,
        "",
        "corsguard: none/corsguard.toml: can't be written: No such file or directory\n",
    )


def test_next_steps_name_the_file_and_run(corsguard: Command) -> None:
    _, _, err = corsguard("init", *GIVEN, "my cors.toml")

    steps = err.partition("Next, load it")[2].partition("and check it")[0]
    flask, django, starlette = (
        dedent(code) for code in re.findall(r"(?:^    .*\n)+", steps, re.MULTILINE)
    )
    for code, app in ((flask, Flask(__name__)), (starlette, FastAPI())):
        exec(code, {"app": app})
        browser = Browser.on(app, page=ORIGIN, url="https://api.example.com")
        assert browser.fetch("/missing").status == 404  # which is blocked without a policy
    names: dict[str, Any] = {
        "INSTALLED_APPS": ["django.contrib.auth"],
        "MIDDLEWARE": ["django.middleware.common.CommonMiddleware"],
    }
    exec(django, names)
    assert names["CORSGUARD"].policy_for("/").allow_origins == (ORIGIN,)
    assert names["INSTALLED_APPS"] == ["django.contrib.auth", "corsguard_django"]
    assert names["MIDDLEWARE"][0] == "corsguard_django.CORSMiddleware"


def test_next_steps_quote_the_file_for_python_and_for_a_shell(corsguard: Command) -> None:
    _, _, err = corsguard("init", *GIVEN, "it's\x1bmine.toml")

    assert "\x1b" not in err
    assert 'Guard.from_file("it\'s\\u001bmine.toml")' in err
    assert shlex.split(err.splitlines()[-1])[-1] == r"it's\x1bmine.toml"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--factory",), "The option --factory needs --from-app."),
        (("--from-app", "main:app", "--method", "PUT"), "--from-app and the answers exclude"),
    ],
)
def test_options_that_do_not_fit_together(
    corsguard: Command, args: tuple[str, ...], message: str
) -> None:
    code, _, err = corsguard("init", *args)

    assert code == 2
    assert message in err


def test_quotes_of_toml_are_those_of_json() -> None:
    text = format_document({"routes": {'/a"b': {"allow_origins": ["*"]}, "/c": None}})

    assert tomllib.loads(text)["routes"] == {'/a"b': {"allow_origins": ["*"]}, "/c": False}
    assert json.dumps('/a"b') in text


def test_list_of_policies_becomes_an_array_of_tables() -> None:
    policies = [{"allow_origins": [ORIGIN], "allow_credentials": True}, {"allow_origins": ["*"]}]
    text = format_document({"routes": {"/": policies}})

    assert tomllib.loads(text)["routes"] == {"/": policies}
    assert "# All paths, policy 2: the first that lists the origin decides.\n[[routes" in text
