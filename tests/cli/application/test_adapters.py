"""Which adapters are asked for the guard of an application."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.app_command import AppCommand, run_in_process

WSGI = """
from corsguard_wsgi import CORSMiddleware

def serve(environ, start_response): raise SystemExit("the application was called")

app = CORSMiddleware(serve, allow_origins=["*"])
"""
PRINT_LOADED = """
import atexit, sys
atexit.register(lambda: print(*[n for n in ("flask", "starlette", "django") if n in sys.modules]))
"""
FLASK = """
from asgiref.wsgi import WsgiToAsgi
from corsguard_asgi import CORSMiddleware
from flask import Flask

app = CORSMiddleware(WsgiToAsgi(Flask("main")), allow_origins=["*"])
"""


def test_framework_that_is_not_used_is_not_loaded(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, WSGI + PRINT_LOADED, "check", "--app", "main")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("main: no problems\n")
    assert done.stdout.endswith("responses\n\n")


def test_adapter_of_a_framework_that_is_not_loaded_is_not_asked(
    on_app: AppCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "flask", raising=False)

    assert on_app(WSGI, "check", "--app", "main").code == 0


def test_guard_of_another_adapter_wins_over_advice(on_app: AppCommand) -> None:
    """Flask's adapter finds no guard of its own, but that of ASGI does."""
    code, out, _ = on_app(FLASK, "check", "--app", "main")

    assert (code, out.splitlines()[0]) == (0, "main: no problems")
