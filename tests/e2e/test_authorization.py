"""docs/authorization.md in Chromium: the page's JavaScript, and what `*` covers there."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, request
from support.doc_pages import read_blocks
from support.e2e.named_hosts import NamedHosts
from support.e2e.pages import blank
from support.page_code import run_python

from corsguard import PolicyWarning
from corsguard_flask import CORSGuard

PAGE, API = "https://app.example.com", "https://api.example.com"
SEND, READ = (block.code for block in read_blocks("authorization", "js"))


@pytest.fixture(params=[block.code for block in read_blocks("authorization", "python")])
def page(
    request: pytest.FixtureRequest,
    hosts: NamedHosts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> NamedHosts:
    """Return Chromium on the page, in front of each application of docs/authorization.md."""
    policy, _ = (block.code for block in read_blocks("authorization", "toml"))
    monkeypatch.chdir(tmp_path)
    Path("corsguard.toml").write_text(policy, encoding="utf-8")
    app = run_python(request.param)["app"]
    hosts.serve({PAGE: blank, API: app})
    hosts.open(f"{PAGE}/")
    return hosts


def test_page_sends_its_token(page: NamedHosts) -> None:
    received = page.run(f"const token = 'secret'; {SEND} return response.json()")
    assert received == ["water the plants"]


def test_page_reads_the_challenge_of_a_401(page: NamedHosts) -> None:
    status, challenge = page.run(f"{READ} return challenge")
    assert (status, challenge.strip()) == (401, "Bearer")


def test_wildcard_covers_authorization_in_chromium(hosts: NamedHosts) -> None:
    app = Flask(__name__)
    app.add_url_rule("/notes", view_func=lambda: request.headers["Authorization"])
    with pytest.warns(PolicyWarning):
        CORSGuard(app, allow_origins=[PAGE], allow_headers=["*"])
    hosts.serve({PAGE: blank, API: app})
    hosts.open(f"{PAGE}/")
    received = hosts.run(f"const token = 'secret'; {SEND} return response.text()")
    assert received == "Bearer secret"


@pytest.mark.parametrize(
    ("scheme", "credentials", "result"),
    [
        ("Basic", "omit", 401),
        ("Bearer", "include", 401),
        ("Basic", "include", "TimeoutError"),  # Chromium waits for the user
    ],
)
def test_login_window_opens_for_basic_with_credentials(
    scheme: str, credentials: str, result: int | str, hosts: NamedHosts
) -> None:
    app = Flask(__name__)
    challenge = {"WWW-Authenticate": f'{scheme} realm="api"'}
    app.add_url_rule("/notes", view_func=lambda: ("sign in", 401, challenge))
    CORSGuard(app, allow_origins=[PAGE], allow_credentials=True)
    hosts.serve({PAGE: blank, API: app})
    hosts.open(f"{PAGE}/")
    call = """
        const [url, credentials] = args, signal = AbortSignal.timeout(3000);
        return fetch(url, { credentials, signal }).then(({ status }) => status, ({ name }) => name);
    """
    assert hosts.run(call, f"{API}/notes", credentials) == result
