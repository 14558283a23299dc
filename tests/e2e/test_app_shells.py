"""docs/app-shells.md: the origins of files and of extensions in Chromium."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import pytest
from flask import Flask, request
from support.e2e.engines import Chromium
from support.e2e.sockets import by_wsgi

from corsguard import Guard, Policy
from corsguard_flask import CORSGuard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

FETCH = """
const [url, method] = args;
return fetch(url, { method, credentials: "include" }).then((got) => got.text(), () => "blocked");
"""
# A page asks the content script of the extension, which fetches for it.
CONTENT_SCRIPT = """
addEventListener("message", async ({ data }) => {
  if (!data.url) return;
  postMessage({ seen: await fetch(data.url).then((got) => got.text(), () => "blocked") });
});
"""
ASK_CONTENT_SCRIPT = """
const seen = new Promise((resolve) =>
  addEventListener("message", ({ data }) => data.seen && resolve(data.seen)));
postMessage({ url: args[0] });
return seen;
"""


class Shell(NamedTuple):
    """Chromium with two extensions, an API on two hosts, and what has reached it."""

    chromium: Chromium
    api: str
    other_api: str
    guard: Guard
    arrived: list[tuple[str, str | None, str | None]]
    """Method, `Origin` and `Sec-Fetch-Site` of each request."""
    permitted: str
    unpermitted: str
    """The origins of the extensions, with and without a host permission for the API."""

    def fetch(self, page: str, method: str = "GET") -> object:
        """Return what a page of an extension reads, or `blocked`."""
        self.chromium.open(f"{page}/page.html")
        self.arrived.clear()
        return self.chromium.run(FETCH, f"{self.api}/", method)


def write_extension(folder: Path, **manifest: object) -> str:
    """Write an extension with one page, and return its origin."""
    folder.mkdir()
    common = {"manifest_version": 3, "name": folder.name, "version": "1"}
    (folder / "manifest.json").write_text(json.dumps({**common, **manifest}))
    (folder / "page.html").write_text("<!doctype html><title>extension</title>")
    (folder / "content.js").write_text(CONTENT_SCRIPT)
    # The id of an extension without a key is a digest of its path, in the letters a to p.
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:32]
    return "chrome-extension://" + "".join(chr(ord("a") + int(each, 16)) for each in digest)


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    arrived: list[tuple[str, str | None, str | None]] = []
    app = Flask(__name__)

    @app.route("/", methods=["GET", "POST"])
    def items() -> str:
        return request.cookies.get("session", "nobody")

    @app.get("/sign-in")
    def sign_in() -> tuple[str, dict[str, str]]:
        return "", {"Set-Cookie": "session=ada; SameSite=Lax; Path=/"}

    guard = Guard(Policy(allow_origins=["https://app.example.com"]), enforce=True)
    CORSGuard(app, guard)
    guarded = app.wsgi_app

    def count(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        fields = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE")
        arrived.append((environ["REQUEST_METHOD"], *fields))
        return guarded(environ, start_response)

    with (
        TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as name,
        by_wsgi(count) as api,
    ):
        folder = Path(name)
        permitted = write_extension(
            folder / "permitted",
            host_permissions=["http://localhost/*"],
            content_scripts=[{"matches": ["http://localhost/*"], "js": ["content.js"]}],
        )
        unpermitted = write_extension(folder / "unpermitted")
        chromium = Chromium(
            folder / "profile", f"--load-extension={folder}/permitted,{folder}/unpermitted"
        )
        other = api.replace("localhost", "127.0.0.1")
        yield Shell(chromium, api, other, guard, arrived, permitted, unpermitted)
        chromium.close()


def test_page_of_a_file_has_the_origin_null(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>file</title>")
    shell.chromium.open(f"file://{tmp_path}/index.html")
    shell.arrived.clear()
    assert shell.chromium.run(FETCH, f"{shell.api}/", "GET") == "blocked"
    assert shell.arrived == [("GET", "null", "cross-site")]


def test_extension_with_a_host_permission_skips_cors(shell: Shell) -> None:
    shell.chromium.open(f"{shell.api}/sign-in")
    assert shell.fetch(shell.permitted) == "ada"
    assert shell.arrived == [("GET", None, "none")]
    assert shell.fetch(shell.permitted, "POST") == "ada"
    assert shell.arrived == [("POST", shell.permitted, "none")]


def test_extension_without_one_needs_an_entry(shell: Shell) -> None:
    assert shell.fetch(shell.unpermitted) == "blocked"
    assert shell.arrived == [("GET", shell.unpermitted, "cross-site")]
    held = shell.guard.policy_for("/")
    listed = Policy(allow_origins=[shell.unpermitted], allow_credentials=True)
    shell.guard.reconfigure(listed)
    try:
        assert shell.fetch(shell.unpermitted, "POST") == "nobody"
    finally:
        shell.guard.reconfigure(held)


def test_content_script_has_the_origin_of_its_page(shell: Shell) -> None:
    shell.chromium.open(f"{shell.api}/sign-in")
    shell.arrived.clear()
    assert shell.chromium.run(ASK_CONTENT_SCRIPT, f"{shell.other_api}/") == "blocked"
    assert shell.arrived == [("GET", shell.api, "cross-site")]
