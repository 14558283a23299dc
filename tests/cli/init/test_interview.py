"""The questions of `corsguard init`, in a terminal."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.terminal import answer

APP = "https://app.example.com"


def ask_all(*answers: str, args: tuple[str, ...] = ()) -> tuple[dict[str, Any], str]:
    """Return the document that the answers lead to, and what is shown."""
    code, text = answer("init", *args, answers=list(answers))
    assert code == 0, text
    return tomllib.loads(Path("corsguard.toml").read_text("utf-8")), " ".join(text.split())


def test_three_questions_lead_to_a_file() -> None:
    document, text = ask_all(f"{APP}, http://localhost:3000", "y", "PUT, DELETE", "y")

    assert document == {
        "allow_origins": [APP, "http://localhost:3000"],
        "allow_credentials": True,
        "allow_methods": ["PUT", "DELETE"],
        "allow_headers": ["Content-Type"],
    }
    assert "1. Which frontends call your API?" in text
    assert "2. Do they send cookies?" in text
    assert "3. Which methods do they use beside GET, HEAD and POST?" in text
    assert text.endswith("corsguard check corsguard.toml")


def test_enter_takes_a_safe_default() -> None:
    document, _ = ask_all("", "", "", "")

    assert document == {
        "allow_origins": ["http://localhost:3000"],
        "allow_credentials": False,
        "allow_methods": [],
        "allow_headers": ["Content-Type"],
    }


def test_wildcard_beside_an_origin_is_asked_again() -> None:
    document, text = ask_all(f"*, {APP}", "", "n", "none, PUT", "n")

    assert document["allow_origins"] == [APP]
    assert document["allow_methods"] == ["PUT"]
    assert f"Origins [{APP}]:" in text


def test_no_origin_is_asked_again() -> None:
    document, text = ask_all("none", "", "n", "", "n")

    assert document["allow_origins"] == ["http://localhost:3000"]
    assert "the list is empty" in text


def test_invalid_origin_is_explained_and_enter_takes_the_fix() -> None:
    document, text = ask_all(f"app.example.com, {APP}:8443/x, null", "", "n", "", "n")

    assert document["allow_origins"] == [APP, f"{APP}:8443"]
    assert document["allow_headers"] == []
    assert "it has no scheme" in text
    assert f"Origins [{APP}, {APP}:8443]:" in text
    assert "any site can send it" in text


def test_answer_without_a_fix_falls_back_to_the_default() -> None:
    document, text = ask_all("null", "", "n", "", "n")

    assert document["allow_origins"] == ["http://localhost:3000"]
    assert "fix: remove null" in text


@pytest.mark.parametrize(
    ("origin", "reason", "fixed"),
    [
        ("*", "would let any page act as the user", "http://localhost:3000"),
        ("http://app.example.com", "plain http: anyone on the network", APP),
        ("https://*.vercel.app", "anyone can register names", "http://localhost:3000"),
    ],
)
def test_origin_that_is_not_safe_with_cookies_is_asked_again(
    origin: str, reason: str, fixed: str
) -> None:
    document, text = ask_all(origin, "y", "", "y", "", "")

    assert reason in text
    assert "With cookies, these origins are not safe. Answer again" in text
    assert document["allow_origins"] == [fixed]
    assert document["allow_credentials"] is True


def test_origin_that_is_not_safe_with_cookies_may_do_without() -> None:
    document, _ = ask_all("*", "y", "*", "n", "", "")

    assert (document["allow_origins"], document["allow_credentials"]) == (["*"], False)


def test_cookies_alone_are_asked_again_where_the_origin_is_given() -> None:
    document, text = ask_all("y", "n", "", "", args=("--origin", "*"))

    assert "Answer no, or press Ctrl+C" in text
    assert (document["allow_origins"], document["allow_credentials"]) == (["*"], False)


def test_lower_case_method_is_explained_and_enter_takes_the_fix() -> None:
    document, text = ask_all(APP, "n", "put, PATCH DELETE, TRACE", "", "")

    assert "browsers do not upper-case what a server allows" in text
    assert document["allow_methods"] == ["PUT", "PATCH", "DELETE"]


def test_misspelt_method_is_asked_again_and_enter_takes_the_fix() -> None:
    document, text = ask_all(APP, "n", "PUT, DELTE, y", "", "")

    assert "'DELTE' is not a common method" in text
    assert "Methods [PUT, DELETE]:" in text
    assert document["allow_methods"] == ["PUT", "DELETE"]


def test_yes_to_the_corrected_methods_offers_them_again() -> None:
    document, text = ask_all(APP, "n", "delte", "y", "", "")

    assert "'y' is not a common method" in text
    assert document["allow_methods"] == ["DELETE"]


def test_uncommon_method_is_kept_if_it_is_given_again() -> None:
    document, _ = ask_all(APP, "n", "PUT, REPORT", "PUT, REPORT", "")

    assert document["allow_methods"] == ["PUT", "REPORT"]


def test_option_answers_its_question() -> None:
    document, text = ask_all("n", args=("--origin", APP, "--credentials", "--method", "PUT"))

    assert "?" not in text.partition("Do they send JSON?")[0]
    assert document["allow_methods"] == ["PUT"]
    assert document["allow_headers"] == []


def test_no_question_is_asked_if_all_are_answered() -> None:
    given = ("--origin", APP, "--no-credentials", "--method", "none", "--header", "none")
    code, text = answer("init", *given, answers=[])

    assert code == 0
    assert "?" not in text


def test_interruption_writes_no_file() -> None:
    code, _ = answer("init", answers=[APP, "\x04"])

    assert code == 1
    assert not Path("corsguard.toml").exists()
