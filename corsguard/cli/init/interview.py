"""The three questions of `corsguard init`, on a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from http import HTTPMethod

import click

from corsguard import Problem
from corsguard.cli.init.answers import Answers, find_answer_problems, fix_values, split_values
from corsguard.cli.terminal import ConsoleWriter, make_printable, open_console
from corsguard.escaping import show_value

__all__ = ["Interview"]

_DEVELOPMENT = ("http://localhost:3000",)
_ORIGINS = (
    "1. Which frontends call your API?",
    "Their origins, separated by commas: https://app.example.com, https://*.example.com for "
    "subdomains, or * for every site. Press Enter for a development server on this machine.",
)
_COOKIES = (
    "2. Do they send cookies?",
    "Yes if users sign in with a session. No for data that anyone may read, or with tokens in the "
    "Authorization header.",
)
_METHODS = (
    "3. Which methods do they use beside GET, HEAD and POST?",
    "Such as PUT, PATCH, DELETE. Press Enter for none.",
)

_DANGEROUS = re.compile(r"[,;] or\b.*\bdangerously_.*")
"""The end of a suggestion that names a flag, which is nothing to begin with."""

_COMMON_METHODS = {*HTTPMethod.__members__, "*"}


def _correct_methods(methods: Iterable[str]) -> Iterator[str]:
    """Yield the methods, with each uncommon one replaced by the common one that it resembles.

    One that resembles none is left out.
    """
    for name in methods:
        if name in _COMMON_METHODS:
            yield name
        else:
            yield from get_close_matches(name.upper(), HTTPMethod.__members__, n=1)


class Interview:
    """The questions whose answers are not given by options."""

    def __init__(self) -> None:
        self._writer = ConsoleWriter(open_console(sys.stderr))

    def complete(self, given: Answers) -> Answers:
        """Return the answers with those added that are not given.

        An answer that would not start is explained, and asked for again.
        """
        answers = self._ask_who(given)
        if answers.methods is None:
            self._introduce(*_METHODS)
            answers = self._ask_methods(answers)
        if answers.headers is None:
            sends_json = click.confirm("Do they send JSON?", default=True)
            answers = answers._replace(headers=("Content-Type",) if sends_json else ())
        return answers

    def write_problems(self, problems: Iterable[Problem]) -> None:
        """Write what is wrong with an answer, and the fix."""
        for problem in problems:
            self._writer.write_line(f"{make_printable(problem.message)}.", "red", "   ! ")
            fix = _DANGEROUS.sub("", problem.suggestion)
            fix = fix.replace("remove allow_credentials", "send no cookies")
            self._writer.write_line(make_printable(fix), "bold", "     fix: ")

    def _ask_who(self, given: Answers) -> Answers:
        """Ask for origins and cookies, which must fit together."""
        answers = given
        while True:
            if given.origins is None:
                self._introduce(*_ORIGINS)
                answers = self._ask_origins(answers._replace(has_cookies=given.has_cookies))
            if given.has_cookies is None:
                self._introduce(*_COOKIES)
                has_cookies = click.confirm("Cookies?", default=False)
                answers = answers._replace(has_cookies=has_cookies)
            problems = find_answer_problems(answers)
            if not problems:
                return answers
            self.write_problems(problems)
            self._writer.write_heading(
                "With cookies, these origins are not safe. Answer again: other origins, or no "
                "cookies."
                if given.origins is None
                else "With cookies, these origins are not safe. Answer no, or press Ctrl+C."
            )
            fixed = fix_values(answers.origins or (), problems)
            answers = answers._replace(origins=fixed or given.origins)

    def _ask_origins(self, answers: Answers) -> Answers:
        default = answers.origins or _DEVELOPMENT
        while True:
            origins = self._ask_list("Origins", default)
            answers = answers._replace(origins=origins)
            problems = find_answer_problems(answers)
            if not problems:
                return answers
            self.write_problems(problems)
            default = fix_values(origins, problems) or _DEVELOPMENT

    def _ask_methods(self, answers: Answers) -> Answers:
        default: tuple[str, ...] = ()
        confirmed: tuple[str, ...] = ()
        while True:
            answers = answers._replace(methods=self._ask_list("Methods", default))
            methods = answers.methods or ()
            problems = find_answer_problems(answers)
            if problems:
                self.write_problems(problems)
                default = fix_values(methods, problems)
                continue
            uncommon = [name for name in methods if name not in _COMMON_METHODS]
            if not uncommon or methods == confirmed:
                return answers
            confirmed = methods
            for name in uncommon:
                self._writer.write_line(
                    f"{show_value(name)} is not a common method. Enter the same again to keep it.",
                    "red",
                    "   ! ",
                )
            default = tuple(dict.fromkeys(_correct_methods(methods))) or default

    def _ask_list(self, label: str, default: Iterable[str]) -> tuple[str, ...]:
        shown = ", ".join(default) or "none"
        return split_values(click.prompt(label, default=shown))

    def _introduce(self, question: str, explanation: str) -> None:
        self._writer.write_heading(question)
        self._writer.write_line(explanation, "dim", "   ")
