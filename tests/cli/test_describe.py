"""`corsguard describe`: the page of a file, and that the request on it works."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.cli_command import Command

from corsguard import Guard
from corsguard.browser import Browser, Request
from corsguard.explain.policy_server import build_policy_server

FILE = """
enforce = true
enforce_exempt = ["/public"]
own_origins = ["https://api.acme.example"]

[routes."/api"]
allow_origins = ["https://app.acme.example", "https://*.partner.example", "http://localhost:*"]
allow_credentials = true
allow_methods = ["PUT", "DELETE"]
allow_headers = ["Content-Type", "Authorization"]
expose_headers = ["X-Total-Count"]
max_age = 86400

[routes."/public"]
allow_origins = ["*"]
allow_headers = ["*", "Authorization"]
expose_headers = ["*"]
max_age = 0

[routes]
"/api/internal" = false
"""
MARKDOWN = """\
# CORS of https://api.acme.example

The requests that a page of another origin may send to this API, and the responses that a script \
on that page may read. Browsers enforce it (CORS); other clients are not affected.

Requests from other origins with a method other than GET, HEAD and OPTIONS get a 403 response \
where no policy allows them, except below /public.

## `/api` and below

| | |
| --- | --- |
| Pages of | `https://app.acme.example`, `https://*.partner.example`, `http://localhost:*` |
| Methods | `GET`, `HEAD`, `POST`, `PUT`, `DELETE` |
| Headers | `Content-Type`, `Authorization` |
| Cookies | sent where a script asks for it with credentials: include |
| Readable headers | `X-Total-Count` and the usual ones, such as Content-Type |
| Preflight cached for | 2 hours in Chromium, 1 day in Firefox, 10 minutes in WebKit |

A request that works, from a page of `https://app.acme.example`:

```js
const response = await fetch("https://api.acme.example/api", {
  method: "PUT",
  credentials: "include",
  headers: { "Content-Type": "application/json", "Authorization": "Bearer ..." },
  body: JSON.stringify({}),
});
```

## `/public` and below

| | |
| --- | --- |
| Pages of | any origin |
| Methods | `GET`, `HEAD`, `POST` |
| Headers | `Authorization` and any header |
| Cookies | never: with credentials: include, the browser hides the response from the script |
| Readable headers | all but Set-Cookie |
| Preflight cached for | no time: the browser sends one before each request that needs it |

A request that works, from a page of `https://app.example.com`:

```js
const response = await fetch("https://api.acme.example/public", {
  headers: { "Authorization": "Bearer ..." },
});
```

## `/api/internal` and below

No page of another origin may read anything here.
"""


def describe(corsguard: Command, folder: Path, content: str, *args: str) -> str:
    file = folder / "corsguard.toml"
    file.write_text(content, encoding="utf-8")
    code, out, err = corsguard("describe", str(file), *args)
    assert (code, err) == (0, "")
    return out


def test_markdown_describes_every_policy(corsguard: Command, tmp_path: Path) -> None:
    assert describe(corsguard, tmp_path, FILE) == MARKDOWN


def test_json_has_a_stable_shape(corsguard: Command, tmp_path: Path) -> None:
    report = json.loads(describe(corsguard, tmp_path, FILE, "--format=json"))
    assert list(report) == ["api", "enforce", "enforce_exempt", "policies"]
    api, public, internal = report["policies"]
    assert internal == {"path": "/api/internal", "cors": False}
    fetch = api["example"].pop("fetch")
    assert fetch.startswith('const response = await fetch("https://api.acme.example/api", {')
    assert api == {
        "path": "/api",
        "cors": True,
        "origins": ["https://app.acme.example", "https://*.partner.example", "http://localhost:*"],
        "credentials": True,
        "methods": ["GET", "HEAD", "POST", "PUT", "DELETE"],
        "headers": ["Content-Type", "Authorization"],
        "exposed": ["X-Total-Count"],
        "max_age": 86400,
        "cached": {"Chromium": 7200, "Firefox": 86400, "WebKit": 600},
        "example": {
            "page": "https://app.acme.example",
            "url": "https://api.acme.example/api",
            "method": "PUT",
            "headers": {"Content-Type": "application/json", "Authorization": "Bearer ..."},
            "body": "{}",
            "credentials": "include",
        },
    }
    assert public["cached"] == {"Chromium": 0, "Firefox": 0, "WebKit": 0}


def request_of(fetch: str) -> Request:
    """What a snippet of JavaScript asks for, read from its text."""
    match = re.fullmatch(r'const response = await fetch\(("[^"]*")(?:, (.*))?\);', fetch, re.DOTALL)
    assert match
    options = re.sub(r"^  (\w+):", r'  "\1":', match[2] or "{}", flags=re.MULTILINE)
    options = re.sub(r"JSON\.stringify\((.*)\)", r"\1", options)
    fields: dict[str, Any] = json.loads(re.sub(r",\s*}$", "}", options))
    if "body" in fields:
        fields["body"] = json.dumps(fields["body"])
    return Request(json.loads(match[1]), **fields)


POLICIES = [
    'allow_origins = ["https://app.example.com"]',
    'allow_origins = ["*"]\nallow_methods = ["*"]\nallow_headers = ["*"]',
    'allow_origins = ["https://*.example.com:8443"]\nallow_headers = ["X-Trace"]',
    'allow_origins = ["http://localhost:*"]\nallow_methods = ["QUERY"]\nmax_age = 1',
    'allow_origins = ["null"]\ndangerously_allow_null_origin = true\nallow_methods = ["HEAD"]',
    'allow_origins = ["https://a.example"]\nallow_methods = ["DELETE"]\n'
    'allow_headers = ["Content-Type"]',
    'allow_origins = ["https://a.example"]\nallow_credentials = true\nallow_methods = ["*"]\n'
    'allow_headers = ["*"]',
    '[routes."/über uns"]\nallow_origins = ["https://a.example"]\nallow_methods = ["POST"]',
    FILE,
]


@pytest.mark.filterwarnings("ignore::corsguard.PolicyWarning")
@pytest.mark.parametrize("content", POLICIES)
@pytest.mark.parametrize("engine", ["standard", "chromium", "firefox", "webkit"])
def test_example_is_allowed_by_every_browser(
    corsguard: Command, tmp_path: Path, content: str, engine: Any
) -> None:
    report = json.loads(describe(corsguard, tmp_path, content, "--format=json"))
    guard = Guard.from_file(tmp_path / "corsguard.toml")
    for policy in report["policies"]:
        if policy["cors"]:
            example = policy["example"]
            request = request_of(example["fetch"])
            exchange = Browser(example["page"], engine=engine).play(
                request, build_policy_server(guard)
            )
            assert exchange.allowed, exchange.outcome
            assert exchange.hops[-1].answer
            assert exchange.hops[-1].answer.status == 200


def test_one_policy_is_described_for_every_path(corsguard: Command, tmp_path: Path) -> None:
    content = 'allow_origins = ["https://a.example"]\nmax_age = 60'
    out = describe(corsguard, tmp_path, content, "--url", "https://api.a.example:8443/v1")
    assert "# CORS of https://api.a.example:8443/v1\n" in out
    assert "## Every path\n" in out
    assert "| Headers | only those that are always allowed, such as Accept |" in out
    assert "1 minute in Chromium, 1 minute in Firefox, 1 minute in WebKit" in out
    assert 'fetch("https://api.a.example:8443/v1/")' in out


def test_url_with_a_path_precedes_the_routes(corsguard: Command, tmp_path: Path) -> None:
    out = describe(corsguard, tmp_path, FILE, "--url", "HTTPS://api.a.example:443/v1/")
    assert "# CORS of https://api.a.example/v1\n" in out
    assert 'fetch("https://api.a.example/v1/api", {' in out


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_url_that_is_not_given_is_a_placeholder(
    corsguard: Command, tmp_path: Path, form: str
) -> None:
    content = 'allow_origins = ["https://a.example"]'
    out = describe(corsguard, tmp_path, content, "--format", form)
    text = Page(out).text if form == "html" else out.replace("`", "")
    assert "CORS of this API\n" in text
    assert (
        "https://your-api.example is a placeholder for the URL of this API in the examples" in text
    )
    assert 'fetch("https://your-api.example/")' in text
    assert json.loads(describe(corsguard, tmp_path, content, "--format=json"))["api"] is None


@pytest.mark.filterwarnings("ignore::corsguard.PolicyWarning")
@pytest.mark.parametrize(
    ("names", "credentials", "shown"),
    [
        ('"*"', "false", "any header but Authorization"),
        ('"*"', "true", "any header"),
        ('"*", "authorization"', "false", "`authorization` and any header"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PURGE"])
def test_policy_with_any_header_describes_authorization(
    corsguard: Command, tmp_path: Path, names: str, credentials: str, shown: str, method: str
) -> None:
    content = (
        f'allow_origins = ["https://a.example"]\nallow_credentials = {credentials}\n'
        f'allow_methods = ["*"]\nallow_headers = [{names}]'
    )
    out = describe(corsguard, tmp_path, content)
    assert f"| Headers | {shown} |\n" in out
    assert "| Methods | any method |\n" in out
    page = Browser("https://a.example")
    request = Request(f"https://api.example/{method}", method, {"Authorization": "Bearer ..."})
    exchange = page.play(request, build_policy_server(Guard.from_file(tmp_path / "corsguard.toml")))
    assert exchange.allowed is (not shown.endswith("but Authorization"))


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_has_the_text_of_markdown_and_loads_nothing(
    corsguard: Command, tmp_path: Path
) -> None:
    html = describe(corsguard, tmp_path, FILE, "--format=html")
    page = Page(html)
    assert html.startswith("<!doctype html>\n")
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not {"src", "href"} & {name for name, _ in page.attributes}
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html
    for line in MARKDOWN.splitlines():
        for words in re.findall(r"`([^`]+)`", line) + re.findall(r"^\| ([A-Z][^|]*) \|", line):
            assert words in page.text
    snippet = re.findall(r"^```js\n(.*?)\n```", MARKDOWN, re.MULTILINE | re.DOTALL)[0]
    assert snippet in page.text


def test_page_escapes_the_values_of_the_file(corsguard: Command, tmp_path: Path) -> None:
    content = """
    allow_origins = ["https://a.example"]
    allow_methods = ["A`|B"]
    allow_headers = ["X-`|"]
    """
    out = describe(corsguard, tmp_path, content)
    assert r"`` A`\|B ``" in out
    routes = '[routes."/&lt;b|\\u202e"]\nallow_origins = ["https://a.example"]'
    out = describe(corsguard, tmp_path, routes)
    assert r"## `/&lt;b|\u202e` and below" in out
    html = describe(corsguard, tmp_path, routes, "--format=html")
    assert "\u202e" not in html
    assert r"/&lt;b|\u202e" in Page(html).text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--url", "api"], "--url 'api' is not an absolute URL"),
        (["--url", "ftp://a"], "--url 'ftp://a' is not http or https"),
        (["--url", "https://a.example/v1?key=1"], "has more than an origin and a path"),
        (["--url", "https://a.example/#top"], "has more than an origin and a path"),
        (["--url", "https://me@a.example/"], "has more than an origin and a path"),
    ],
)
def test_url_that_is_invalid_ends_with_one_line(
    corsguard: Command, tmp_path: Path, args: list[str], words: str
) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(FILE, encoding="utf-8")
    code, out, err = corsguard("describe", str(file), *args)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


LIST = """
[[routes."/api"]]
allow_origins = ["https://app.acme.example"]
allow_credentials = true

[[routes."/api"]]
allow_origins = ["*"]
"""


def test_policies_of_a_list_are_described_in_order(corsguard: Command, tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(LIST)
    text = corsguard("describe", str(file)).out
    first, heading, second = text.partition(
        "## `/api` and below: other pages, which no policy above covers\n"
    )
    assert heading
    assert "## `/api` and below\n" in first
    assert "| Pages of | `https://app.acme.example` |" in first
    assert "| Pages of | any other origin |" in second
    document = json.loads(corsguard("describe", str(file), "--format", "json").out)
    assert [(each["path"], each["index"]) for each in document["policies"]] == [
        ("/api", 0),
        ("/api", 1),
    ]


def test_example_of_a_wildcard_in_a_label_is_a_page_that_it_covers(
    corsguard: Command, tmp_path: Path
) -> None:
    out = describe(corsguard, tmp_path, 'allow_origins = ["https://pr-*.acme.example"]\n')
    assert "| Pages of | `https://pr-*.acme.example` |" in out
    assert "from a page of `https://pr-1.acme.example`" in out
