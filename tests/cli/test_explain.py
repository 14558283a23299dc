"""`corsguard explain`: what a user sees of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from rich.cells import cell_len
from support.cli_command import Command
from support.cli_explain import API, APP, ROUTED, Explain

from corsguard.browser import EngineName
from corsguard.browser.messages import Credentials, Mode, Redirect
from corsguard.cli.options import EXPLAIN_OPTIONS


def unwrapped(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


ALLOWED = """\
page: https://app.example.com                    server: https://api.example.com
│                                                                              │
│ The script calls fetch(), and the browser checks the request                 │
│ ✓ PATCH https://api.example.com/api/1                 Fetch, "new Request()" │
│ ✓ https://api.example.com is not the page's origin,                          │
│   https://app.example.com: CORS                          Fetch, "main fetch" │
│ ✓ the method PATCH is not safelisted: needs a preflight  Fetch, "HTTP fetch" │
│                                                                              │
│ The browser sends a preflight: may the page send this request?               │
│ ── OPTIONS /api/1 ─────────────────────────────────────────────────────────▶ │
│    Access-Control-Request-Method: PATCH                                      │
│    Origin: https://app.example.com                                           │
│ ◀─ 204 ───────────────────────────────────────────────────────────────────── │
│    Access-Control-Allow-Origin: https://app.example.com                      │
│    Access-Control-Allow-Methods: GET, HEAD, POST, PATCH                      │
│    Access-Control-Max-Age: 7200                                              │
│    Vary: Origin, Access-Control-Request-Method,                              │
│      Access-Control-Request-Headers                                          │
│ ✓ Access-Control-Allow-Origin is https://app.example.com                     │
│                                                          Fetch, "CORS check" │
│ ✓ the status 204 is a success                  Fetch, "CORS-preflight fetch" │
│ ✓ the method PATCH is allowed                  Fetch, "CORS-preflight fetch" │
│ ✓ the response is cached for 7200 s            Fetch, "CORS-preflight cache" │
│                                                                              │
│ The browser sends the script's request                                       │
│ ── PATCH /api/1 ───────────────────────────────────────────────────────────▶ │
│    Origin: https://app.example.com                                           │
│ ◀─ 200 ───────────────────────────────────────────────────────────────────── │
│    Access-Control-Allow-Origin: https://app.example.com                      │
│    Access-Control-Expose-Headers: X-Total                                    │
│    Vary: Origin                                                              │
│ ✓ Access-Control-Allow-Origin is https://app.example.com                     │
│                                                          Fetch, "CORS check" │
│ ✓ the script may read the headers: none      Fetch, "CORS filtered response" │
│                                                                              │

Allowed: the script gets the response.
  status   200
  headers  none that the script may read
Nothing was sent, and the application was not called.
"""


def test_allowed_request_is_drawn_step_by_step(explain: Explain) -> None:
    code, out, err = explain("--method", "PATCH", f"{API}/api/1")
    assert (code, err) == (0, "")
    assert out == ALLOWED


def test_blocked_request_shows_every_change_it_needs(explain: Explain) -> None:
    code, out, err = explain(
        "--method=PUT",
        "--header=content-type:application/json",
        "--credentials=include",
        f"{API}/api/1",
    )
    assert (code, err) == (1, "")
    assert "✗ the request carries credentials, and Access-Control-Allow-Credentials is" in out
    assert "Only a preflight was sent, not the request." in out
    assert "[ALLOW_CREDENTIALS_NOT_TRUE]" in out
    assert "https://fetch.spec.whatwg.org/#concept-cors-check" in out
    assert "console Access to fetch at 'https://api.example.com/api/1' from origin" in unwrapped(
        out
    )
    assert (
        """
    [routes."/api"]
    allow_credentials = true
    allow_methods = ["PATCH", "PUT"]
    allow_headers = ["Content-Type"]
"""
        in out
    )
    assert "exposes pages of https://app.example.com may send PUT to /api" in unwrapped(out)


def test_change_of_a_policy_for_every_path_has_no_table(explain: Explain) -> None:
    code, out, _ = explain("--method=PUT", f"{API}/", toml=f'allow_origins = ["{APP}"]')
    assert code == 1
    assert '\n\n    allow_methods = ["PUT"]\n\n' in out


@pytest.mark.parametrize(
    ("page", "origin"),
    [
        ("https://App.example.com/", APP),
        ("https://app.example.com:443", APP),
        ("https://app.example.com/login?next=/", APP),
        ("blob:https://app.example.com/6e1f", APP),
        ("blob:null/6e1f", "null"),
        ("file:///home/index.html", "null"),
        ("data:text/html,x", "null"),
        ("about:blank", "null"),
    ],
)
def test_page_as_a_url_becomes_its_origin(explain: Explain, page: str, origin: str) -> None:
    code, out, _ = explain(f"{API}/api", page=page)
    assert f"--page {page}: the origin that browsers send for it is {origin}" in unwrapped(out)
    assert code == (0 if origin == APP else 1)


@pytest.mark.parametrize("page", ["app://desktop", "chrome-extension://abc"])
def test_page_of_an_app_is_its_origin(explain: Explain, page: str) -> None:
    assert f"page: {page}  " in explain(f"{API}/api", page=page)[1]


@pytest.mark.parametrize(
    ("page", "meant"),
    [
        ("localhost:3000", "http://localhost:3000"),
        ("app.example.com:8080", "https://app.example.com:8080"),
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("app.example.com", APP),
        ("chrome-extension://abc/popup.html", "chrome-extension://abc"),
    ],
)
def test_page_that_is_no_origin_ends_with_a_suggestion(
    explain: Explain, page: str, meant: str
) -> None:
    code, out, err = explain(f"{API}/api", page=page)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"corsguard: --page {page!r} is neither an origin nor a URL of a page")
    assert err.endswith(f": did you mean {meant}?\n")


@pytest.mark.parametrize(
    ("url", "why", "meant"),
    [
        ("localhost:8000/api?a=1", "has no scheme", "http://localhost:8000/api?a=1"),
        ("127.0.0.1:8000", "is not an absolute URL", "http://127.0.0.1:8000"),
        ("api.example.com/api", "is not an absolute URL", f"{API}/api"),
    ],
)
def test_url_without_a_scheme_ends_with_a_suggestion(
    explain: Explain, url: str, why: str, meant: str
) -> None:
    assert explain(url) == (2, "", f"corsguard: {url!r} {why}: did you mean {meant}?\n")


def test_url_of_another_scheme_is_blocked(explain: Explain) -> None:
    code, out, _ = explain("ftp://api.example.com/")
    assert code == 1
    assert "[SCHEME_NOT_HTTP]" in out
    assert "  instead  serve it over https\n" in out


def test_page_with_one_difference_is_almost_listed(explain: Explain) -> None:
    _, out, _ = explain(f"{API}/api", page="http://app.example.com")
    assert f"Almost listed: {APP} differs only in the scheme." in unwrapped(out)


def test_page_with_two_differences_is_close_to_a_listed_one(explain: Explain) -> None:
    _, out, _ = explain(f"{API}/api", page="http://www.app.example.com")
    assert f"Close to a listed origin: {APP} differs in the scheme and `www.`." in unwrapped(out)


def test_request_without_a_safe_change_shows_the_problem(explain: Explain) -> None:
    code, out, _ = explain(f"{API}/api", page="null")
    assert code == 1
    assert "page: a page without an origin (null)" in out
    assert "No safe change of the policy allows it:" in out
    text = unwrapped(out)
    assert "why `null` is not one origin: any site can send it from a sandboxed frame" in text
    assert "instead send the request from a page that has an origin" in text
    assert out.endswith("problems.html#origin-null\n")
    _, out, _ = explain("--method=patch", f"{API}/api")
    assert "instead PATCH" in unwrapped(out)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--method=PATCH"], "Only a preflight was sent, not the request."),
        ([], "The server received the request, but the browser hides the response."),
        (["--mode=same-origin"], "The request reached no server."),
    ],
)
def test_blocked_request_shows_whether_it_reached_the_server(
    explain: Explain, args: list[str], words: str
) -> None:
    code, out, _ = explain(*args, f"{API}/api", page="https://evil.example")
    assert code == 1
    assert f"Blocked: the script gets an error. {words}" in unwrapped(out)


def test_request_that_no_policy_allows_needs_another_request(explain: Explain) -> None:
    code, out, _ = explain("--body=x", f"{API}/api")
    assert code == 1
    assert "No change of the policy allows it.\n  instead  remove the body\n" in out


def test_refusal_shows_its_text(explain: Explain) -> None:
    _, out, _ = explain("--method=PATCH", f"{API}/api", page="https://evil.example")
    assert "│    corsguard: origin not allowed: the policy does not list it" in out


def test_opaque_response_is_allowed(explain: Explain) -> None:
    code, out, _ = explain("--mode=no-cors", f"{API}/api")
    assert code == 0
    assert "Allowed: the script gets a response that it can't read.\nNothing" in out


def test_mixed_content_is_a_warning_below_the_verdict(explain: Explain) -> None:
    code, out, _ = explain("http://api.example.com/api")
    assert code == 0
    assert "Allowed: the script gets the response, unless a warning below applies." in out
    assert "warning  mixed content:" in out


def test_cookie_of_another_site_is_not_sent(explain: Explain) -> None:
    toml = f'allow_origins = ["{APP}"]\nallow_credentials = true'
    cookies = ("--cookie", "a=1; SameSite=None; Secure", "--cookie", "b=2")
    _, out, _ = explain(*cookies, "--credentials=include", f"{API}/", toml=toml)
    assert "│    Cookie: a=1; b=2 " in out
    _, out, _ = explain(*cookies, "--credentials=include", "https://api.example.org/", toml=toml)
    assert "│    Cookie: a=1 " in out
    assert "warning  the browser does not send the cookie b" in out


@pytest.mark.parametrize("columns", [30, 44, 80, 200])
def test_diagram_fits_the_terminal(
    explain: Explain, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    header = "x-a:" + "b" * 90
    _, out, _ = explain("--method=PUT", "--header", header, f"{API}/api/{'long/' * 30}")
    widths = {cell_len(line) for line in out.splitlines() if line.startswith("│")}
    assert widths == {min(columns, 100)}
    copied = [line for line in out.splitlines() if line.startswith("    allow_")]
    assert copied[0] == '    allow_methods = ["PATCH", "PUT"]'


@pytest.mark.parametrize("columns", ["0", "000"])
def test_terminal_of_width_0_uses_the_default_width(
    explain: Explain, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert "Allowed: the script gets the response." in explain(f"{API}/api")[1]


def test_diagram_has_colours_in_a_terminal_only(
    explain: Explain, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = explain(f"{API}/api")
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = explain(f"{API}/api")
    assert "\x1b[" not in plain[1]
    assert "\x1b[32m✓" in coloured[1]


def test_diagram_in_an_ascii_terminal_uses_ascii(tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(ROUTED, encoding="utf-8")
    args = ["explain", str(file), "--page", APP, f"{API}/api"]
    ended = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "corsguard", *args],
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"| + GET https://api.example.com/api" in ended.stdout
    assert b"| -- GET /api ---" in ended.stdout
    assert b"> |\n" in ended.stdout


ESCAPE = "\x1b[31m"


def test_control_characters_are_escaped(explain: Explain) -> None:
    toml = f'[routes."/a\\u202e"]\nallow_origins = ["{APP}"]'
    for url in (f"{API}/a{ESCAPE}", f"{API}/b{ESCAPE}"):
        _, out, err = explain("--method=PUT", f"--header=x-a:1{ESCAPE}", url, toml=toml)
        assert not {"\x1b", "\u202e"} & set(out + err)
        assert "│    x-a: 1\\x1b[31m" in out or "Blocked" in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--page", "app.example.com", f"{API}/"], "--page 'app.example.com' is neither"),
        (["--page", "https://*.example.com", f"{API}/"], ": use one such as https://app."),
        (["--page", "", f"{API}/"], "--page '' is neither an origin nor a URL"),
        (["--page", APP, "/items"], "'/items' is not an absolute URL"),
        (["--page", APP, "https:///"], "is not a host and a port"),
        (["--page", APP, "--header", "x", f"{API}/"], "--header 'x' is not a header"),
        (["--page", APP, "--header", "x y:1", f"{API}/"], "is not a header"),
        (["--page", APP, "--header", "x:\n", "--header", "x:a\nb", f"{API}/"], "is not a header"),
        (["--page", APP, "--cookie", "", f"{API}/"], "--cookie '' sets no cookie"),
        (["--page", APP, "--cookie", "a=1; domain=com", f"{API}/"], "sets no cookie"),
        (["--page", APP, "--header", "x:\udcff", f"{API}/"], "is not UTF-8"),
        (["--page", APP, f"{API}/\udcff"], "is not UTF-8"),
    ],
)
def test_option_that_is_invalid_ends_with_one_line(
    corsguard: Command,
    tmp_path: Path,
    args: list[str],
    words: str,
) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(ROUTED, encoding="utf-8")
    code, out, err = corsguard("explain", str(file), *args)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


@pytest.mark.parametrize("args", [[f"{API}/"], ["--page", APP], ["--page", APP, "--mode=x", API]])
def test_option_that_click_refuses_is_a_usage_error(corsguard: Command, args: list[str]) -> None:
    code, out, err = corsguard("explain", "corsguard.toml", *args)
    assert (code, out) == (2, "")
    assert err.startswith("Usage: corsguard explain")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read: No such file"),
        ("a =", "not TOML"),
        ("allow_origins = []", "has a problem, see `corsguard check`"),
        ("allow_origins = []\nmax_age = -1", "has 2 problems, see `corsguard check`"),
        ("", "no policy was given"),
    ],
)
def test_file_that_cannot_be_used_ends_with_one_line(
    corsguard: Command, tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "corsguard.toml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    code, out, err = corsguard("explain", str(file), "--page", APP, f"{API}/")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_choices_of_the_options_are_those_of_the_browser() -> None:
    choices = {option.name: option.choices for option in EXPLAIN_OPTIONS if option.choices}
    assert choices == {
        "credentials": get_args(Credentials),
        "mode": get_args(Mode),
        "redirect": get_args(Redirect),
        "engine": get_args(EngineName),
        "format": ("text", "json"),
    }


@pytest.mark.parametrize(
    "modules", ["corsguard_flask", "corsguard_django.checks, corsguard_django.apps"]
)
def test_import_of_an_adapter_loads_neither_explain_nor_cli(modules: str) -> None:
    code = f"import sys, {modules}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = {".".join(name.split(".")[:2]) for name in ended.stdout.split()}
    assert not loaded & {"corsguard.browser", "corsguard.cli", "corsguard.explain"}


LIST = """
[[routes."/api"]]
allow_origins = ["https://front.example"]
allow_credentials = true

[[routes."/api"]]
allow_origins = ["*"]
"""


def test_policy_of_a_list_that_decides_is_named(explain: Explain) -> None:
    code, out, _ = explain(f"{API}/api", toml=LIST)
    assert code == 0
    assert f'routes."/api"[1] is the first policy that covers {APP}' in unwrapped(out)


def test_change_in_a_list_names_the_entry(explain: Explain) -> None:
    code, out, _ = explain("--credentials=include", f"{API}/api", toml=LIST)
    assert code == 1
    assert '[[routes."/api"]]  # routes."/api"[0]' in out
    assert f'allow_origins = ["https://front.example", "{APP}"]' in out
