"""`corsguard explain-code`: a section, the list of all codes, and the completion of a shell."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from support.cli_command import Command
from support.terminal import Terminal

from corsguard.cli.commands import group
from corsguard.cli.explain_code import read_sections
from corsguard.errors import DOCUMENTATION_URL as SITE

URL = "https://corsguard.readthedocs.io/en/stable/problems.html"


@pytest.mark.parametrize("code", list(read_sections()))
def test_section_is_markdown_and_ends_with_the_url(corsguard: Command, code: str) -> None:
    exit_code, out, err = corsguard("explain-code", code)
    assert (exit_code, err) == (0, "")
    assert out.startswith(f"## {code}\n\n{read_sections()[code].text}\n\n")
    assert out.endswith(f"\n{URL}#{code}\n")


def test_id_of_a_check_of_django_is_its_code(corsguard: Command) -> None:
    assert corsguard("explain-code", "corsguard.below-csrf") == corsguard(
        "explain-code", "below-csrf"
    )


def test_without_a_code_each_is_listed_on_one_line(corsguard: Command) -> None:
    code, out, err = corsguard("explain-code")
    assert (code, err) == (0, "")
    listed = [line.split(maxsplit=1) for line in out.splitlines()]
    assert listed == [[each.code, each.summary] for each in read_sections().values()]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("origin-insecur", "Did you mean origin-insecure?"),
        ("ORIGIN-NULL", "Did you mean origin-null?"),
        ("corsguard.below-crsf", "Did you mean below-csrf?"),
        ("METHOD_NOT_ALLOWED", f"It is a reason: see {SITE}reasons.html#method_not_allowed"),
        (
            "ALLOW_ORIGIN_MISSING",
            f"It is a reason of browsers: see {SITE}testing.html#look-up-a-reason",
        ),
        ("unheard", "List all of them with `corsguard explain-code`."),
    ],
)
def test_unknown_code_is_one_line_with_the_closest(
    corsguard: Command, code: str, advice: str
) -> None:
    message = f"corsguard: '{code}' is not a problem code. {advice}\n"
    assert corsguard("explain-code", code) == (2, "", message)


def test_section_in_a_terminal_has_colours_and_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal("explain-code", "origin-insecure")
    assert terminal.type("") == 0
    lines = [line.rstrip() for line in terminal.plain.splitlines()]
    assert "\x1b[1morigin-insecure\x1b[0m" in terminal.text
    assert ' allow_origins = ["http://app.example.com"]' in lines
    assert f"{URL}#origin-insecure" in lines
    assert "```" not in terminal.plain
    assert ";40m" not in terminal.text  # no black box on a light background
    assert max(map(len, lines)) <= 80


def test_list_in_a_terminal_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal("explain-code")
    assert terminal.type("") == 0
    lines = terminal.plain.splitlines()
    assert max(map(len, lines)) <= 60
    assert all(any(line.startswith(f"{code} ") for line in lines) for code in read_sections())


def test_shell_completes_codes() -> None:
    done = CliRunner().invoke(
        group,
        env={
            "_CORSGUARD_COMPLETE": "bash_complete",
            "COMP_WORDS": "corsguard explain-code origin-in",
            "COMP_CWORD": "2",
        },
        prog_name="corsguard",
    )
    assert done.output.split() == ["plain,origin-invalid", "plain,origin-insecure"]
