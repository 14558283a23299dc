"""docs/tutorial.md: every step is taken, with the model of a browser and without servers."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from support.tutorial import follow

from corsguard import PolicyError
from corsguard.browser import Blocked, Browser

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "List": ("/notes", {}),
    "Add": (
        "/notes",
        {
            "method": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": b'"buy milk"',
        },
    ),
    "Sign in": ("/login", {"method": "POST", "credentials": "include"}),
    "Who am I?": ("/me", {"credentials": "include"}),
    "Delete": ("/notes/0", {"method": "DELETE", "credentials": "include"}),
}
"""Button -> what it fetches."""


class ModelReader:
    """A reader whose browser is the model, and whose API runs in this process."""

    def __init__(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.folder = folder
        self._caplog = caplog
        self._console = ""
        self._app = Flask("nothing")
        self._browser = Browser.on(
            self._serve, page="http://localhost:3000", url="http://localhost:5000"
        )

    def adapt(self, text: str) -> str:
        return text

    def start(self, command: str) -> str:
        if "http.server" in command:
            return ""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name, value in re.findall(r"(\w+)=(\S+)", command):
                patch.setenv(name, value)
            code = compile((self.folder / "api.py").read_text(encoding="utf-8"), "api.py", "exec")
            names: dict[str, Any] = {"__name__": "api"}
            try:
                exec(code, names)
            except PolicyError as error:
                return "".join(format_exception_only(error))
        self._app = names["app"]
        return ""

    def press(self, button: str) -> str:
        url, options = CALLS[button]
        try:
            response = self._browser.fetch(url, **options)
        except Blocked as blocked:
            self._console = blocked.console
            return "TypeError: Failed to fetch"
        total = response.headers.get("X-Total-Count", "null")
        return f"{response.status} {response.text} total: {total}"

    def read_console(self) -> str:
        return self._console

    def read_log(self) -> str:
        return "\n".join(self._caplog.messages)

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app(environ, start_response)


@pytest.mark.slow
def test_tutorial_works_to_the_letter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="corsguard"):
        blocks = follow(ModelReader(tmp_path, caplog))
    assert Counter(block.language for block in blocks) == {
        "html": 1,
        "python": 5,
        "sh": 6,
        "text": 6,
        "toml": 2,
    }
