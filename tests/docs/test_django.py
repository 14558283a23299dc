"""docs/django.md: its blocks are one project, whose commands run and whose views have policies."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.doc_pages import read_blocks

SETTINGS, VIEWS, ASGI = (block.code for block in read_blocks("django", "python"))
[COMMANDS] = (block.code for block in read_blocks("django", "sh"))

# What the page leaves to the reader's project.
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
MORE_SETTINGS = """
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
SECRET_KEY = "not secret"
"""
MORE_VIEWS = """
urlpatterns += [path("classes", Prices.as_view()), path("things", Items.as_view())]
"""
INCLUDED = """
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("items/<int:number>", lambda request, number: HttpResponse("item"))]
"""
# Routers of Channels in a few lines.
IMPORTS_OF_ASGI = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.asgi import get_asgi_application

class ProtocolTypeRouter:
    def __init__(self, applications):
        self.applications = applications
    async def __call__(self, scope, receive, send):
        await self.applications[scope["type"]](scope, receive, send)

def URLRouter(routes):
    async def accept(scope, receive, send):
        await send({"type": "websocket.accept"})
    return accept

def AuthMiddlewareStack(application):
    return application
"""
ASK_DJANGO = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
from django.test import Client
def ask(path, origin):
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    answer = Client().options(path, headers=headers)
    return answer.headers.get("Access-Control-Allow-Origin")
print(json.dumps([ask(*words.split()) for words in os.environ["QUESTIONS"].split(",")]))
"""
ASK_ASGI = """
import asyncio, json
from asgi import application

async def ask(scope, received):
    sent = []
    async def receive():
        return received
    async def send(message):
        sent.append(message)
    await application({"path": "/api/items/1", "query_string": b"", **scope}, receive, send)
    return sent[0]

headers = [(b"host", b"api.example.com"), (b"origin", b"https://app.example.com")]
preflight = [*headers, (b"access-control-request-method", b"PUT")]
http = {"type": "http", "method": "OPTIONS", "headers": preflight}
socket = {"type": "websocket", "headers": [*headers, (b"upgrade", b"websocket")]}
print(json.dumps([
    asyncio.run(ask(http, {"type": "http.request", "body": b""}))["status"],
    asyncio.run(ask(socket, {"type": "websocket.connect"}))["type"],
]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a project that is the page's blocks, and what they take for granted."""
    folder = tmp_path_factory.mktemp("project")
    files = {
        "api/urls.py": INCLUDED,
        "asgi.py": IMPORTS_OF_ASGI + ASGI,
        "internal/urls.py": INCLUDED,
        "manage.py": MANAGE,
        "settings.py": SETTINGS + MORE_SETTINGS,
        "urls.py": VIEWS + MORE_VIEWS,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def run(project: Path, *words: str, **environ: str) -> str:
    """Run Python in the project; return what it prints."""
    path = os.pathsep.join([str(project), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, **environ}
    done = subprocess.run(
        [sys.executable, *words], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_commands_check_list_and_explain(project: Path) -> None:
    outputs = [run(project, *shlex.split(line)[1:]) for line in COMMANDS.splitlines()]

    assert len(outputs) == 3
    assert "/prices" in outputs[1]
    assert "https://app.example.com" in outputs[2]


def test_policies_of_views_win_over_that_of_the_path(project: Path) -> None:
    questions = {
        "/prices https://any.example": "*",
        "/classes https://any.example": "*",
        "/api/items/1 https://any.example": "*",
        "/internal/items/1 https://app.example.com": None,
        "/elsewhere https://app.example.com": None,
    }
    answers = json.loads(run(project, "-c", ASK_DJANGO, QUESTIONS=",".join(questions)))

    assert dict(zip(questions, answers, strict=True)) == questions


def test_wrapped_asgi_application_serves_both_protocols(project: Path) -> None:
    assert json.loads(run(project, "-c", ASK_ASGI)) == [204, "websocket.accept"]
