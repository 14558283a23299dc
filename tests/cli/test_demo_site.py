from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from support.demo_visit import FREE_PORTS, Running, ask, connection, post, same_origin

from corsguard.cli.demo import site
from corsguard.cli.demo.limits import MAX_TEXT
from corsguard.cli.demo.servers import serve_demo

PAGE = sorted(file.name for file in files("corsguard.cli.demo").joinpath("page").iterdir())
TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
ENDPOINTS: dict[str, dict[str, Any]] = {
    "/policy": {"toml": ""},
    "/explain": {"page": "https://a.example", "url": "https://b.example/"},
    "/toggle": {"toml": "", "enforce": True},
}


def read_csp(demo: Running, origin: str, path: str) -> dict[str, str]:
    policy = ask(origin, path).header("Content-Security-Policy")
    assert policy is not None
    return dict(directive.split(" ", 1) for directive in policy.split("; "))


def error_of(answer: tuple[int, Any]) -> tuple[int, str]:
    status, document = answer
    assert list(document) == ["error"]
    error: str = document["error"]
    assert len(error.splitlines()) == 1
    return status, error


@pytest.mark.parametrize("name", [name for name in PAGE if name != "index.html"])
def test_file_of_the_page_is_served_on_both_origins(demo: Running, name: str) -> None:
    here, there = ask(demo.origins.frontend, f"/{name}"), ask(demo.origins.untrusted, f"/{name}")

    assert here.status == there.status == 200
    assert here.body == there.body
    assert here.header("Content-Type") == TYPES[name.rpartition(".")[2]]
    assert here.header("X-Content-Type-Options") == "nosniff"
    assert here.header("Cache-Control") == "no-store"


def test_root_of_either_origin_is_a_page(demo: Running) -> None:
    for origin in (demo.origins.frontend, demo.origins.untrusted):
        answer = ask(origin, "/")

        assert (answer.status, answer.header("Content-Type")) == (200, TYPES["html"])
        assert answer.body.startswith("<!doctype html>")


def test_favicon_is_the_icon(demo: Running) -> None:
    for origin in demo.origins:
        answer = ask(origin, "/favicon.ico")

        assert answer.header("Content-Type") == "image/svg+xml"
        assert answer.body == ask(demo.origins.frontend, "/icon.svg").body


def test_page_loads_from_its_own_origin_and_embeds_the_other(demo: Running) -> None:
    assert read_csp(demo, demo.origins.frontend, "/") == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "frame-src": demo.origins.untrusted,
        "img-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": f"'self' {demo.origins.api}",
    }


def test_only_the_playground_may_embed_the_caller(demo: Running) -> None:
    ancestors = {
        path: read_csp(demo, demo.origins.untrusted, path)["frame-ancestors"]
        for path in ("/caller.html", "/", "/settings.json", "/nothing")
    }

    assert ancestors == {
        "/caller.html": demo.origins.frontend,
        "/": "'none'",
        "/settings.json": "'none'",
        "/nothing": "'none'",
    }


def test_page_refers_to_no_other_host(demo: Running) -> None:
    for name in PAGE:
        if name != "index.html":
            page = ask(demo.origins.frontend, f"/{name}").body
            found = re.findall(r"https?://[\w.]+", re.sub(r"(?m)^\s*//( .*)?$", "", page))
            assert set(found) <= {"http://www.w3.org"}  # the name of a namespace


def test_settings_have_the_origins_the_text_and_the_presets(demo: Running) -> None:
    for origin in (demo.origins.frontend, demo.origins.untrusted):
        settings = json.loads(ask(origin, "/settings.json").body)

        presets = settings.pop("presets")
        text = settings.pop("toml")
        assert settings == demo.origins._asdict()
        assert f'allow_origins = ["{demo.origins.frontend}"]' in text
        assert [*presets[0]] == ["name", "title", "from", "snippet", "about", "toml"]


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/../api.py", 404, "there is nothing here"),
        ("GET", "/index.html", 404, "there is nothing here"),
        ("GET", "/presets.py", 404, "there is nothing here"),
        ("POST", "/", 405, "only GET and HEAD"),
        ("POST", "/settings.json", 405, "only GET and HEAD"),
        ("PUT", "/policy", 405, "only POST"),
        ("GET", "/explain", 405, "only POST"),
        ("DELETE", "/toggle", 405, "only POST"),
    ],
)
def test_site_serves_nothing_else(
    demo: Running, method: str, path: str, status: int, error: str
) -> None:
    answer = ask(demo.origins.frontend, path, method)

    assert (answer.status, json.loads(answer.body)) == (status, {"error": error})
    if status == 405:
        assert answer.header("Allow") == error.removeprefix("only ").replace(" and", ",")


def test_file_of_an_unknown_type_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(site._TYPES, ".css")
    style = next(name for name in PAGE if name.endswith(".css"))
    with serve_demo(FREE_PORTS, lambda decision, request: None) as origins:
        assert ask(origins.frontend, f"/{style}").status == 404


def test_head_has_no_body(demo: Running) -> None:
    answer = ask(demo.origins.frontend, "/", "HEAD")

    assert (answer.status, answer.body) == (200, "")
    assert answer.header("Content-Length") == str(len(ask(demo.origins.frontend, "/").body))


@pytest.mark.parametrize("path", ENDPOINTS)
def test_endpoint_is_on_the_frontend_only(demo: Running, path: str) -> None:
    assert post(demo.origins.frontend, path, ENDPOINTS[path])[0] == 200
    assert post(demo.origins.untrusted, path, ENDPOINTS[path])[0] == 404


@pytest.mark.parametrize("path", ENDPOINTS)
def test_endpoint_is_for_its_own_page(demo: Running, path: str) -> None:
    frontend, body = demo.origins.frontend, json.dumps(ENDPOINTS[path])
    sent = {"Content-Type": "application/json"}

    assert post(frontend, path, ENDPOINTS[path], same_origin(frontend))[0] == 200
    for foreign in (
        {"Origin": demo.origins.untrusted, "Sec-Fetch-Site": "same-site"},
        {"Origin": demo.origins.api, "Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = ask(frontend, path, "POST", {**sent, **foreign}, body)
        assert answer.status == 403, foreign
        assert answer.header("Access-Control-Allow-Origin") is None


def test_preflight_of_another_origin_is_not_answered_with_permission(demo: Running) -> None:
    headers = {"Origin": demo.origins.untrusted, "Access-Control-Request-Method": "POST"}

    answer = ask(demo.origins.frontend, "/policy", "OPTIONS", headers)

    assert answer.header("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:{port}", "localhost", "", "[::1]:{port}"]
)
def test_other_host_is_misdirected(demo: Running, host: str) -> None:
    origin = demo.origins.frontend
    named = host.format(port=origin.rpartition(":")[2])
    for path in ("/", "/settings.json"):
        answer = ask(origin, path, headers={"Host": named})

        assert answer.status == 421
        assert json.loads(answer.body) == {"error": f"this is {origin}: open that address"}
    assert post(origin, "/policy", {"toml": ""}, {"Host": named})[0] == 421


def test_host_is_compared_without_case(demo: Running) -> None:
    named = demo.origins.frontend.removeprefix("http://").upper()

    assert ask(demo.origins.frontend, "/", headers={"Host": named}).status == 200


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
def test_other_content_type_is_refused(demo: Running, path: str, kind: str) -> None:
    found = error_of(post(demo.origins.frontend, path, ENDPOINTS[path], {"Content-Type": kind}))

    assert found == (415, "the body must be application/json")


def test_bodies_that_never_arrive_hold_up_nobody(demo: Running) -> None:
    clients = [connection(origin) for origin in demo.origins for _ in range(30)]
    for client in clients:
        client.putrequest("POST", "/items" if client.port == clients[0].port else "/policy")
        client.putheader("Content-Type", "application/json")
        client.putheader("Content-Length", "60000")
        client.endheaders(b"{")

    assert ask(demo.origins.frontend, "/settings.json").status == 200
    assert ask(demo.origins.api, "/items").status == 200
    for client in clients:
        client.close()


def test_content_type_may_have_parameters(demo: Running) -> None:
    kind = {"Content-Type": "Application/JSON; charset=utf-8"}

    assert post(demo.origins.frontend, "/toggle", ENDPOINTS["/toggle"], kind)[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("{", 400, "the body is not JSON: Expecting property name enclosed in double quotes: "),
        ("", 400, "the body is not JSON: Expecting value"),
        ("[" * 60_000, 400, "the body is not JSON: "),
        ("[]", 400, "the body is not a JSON object"),
        ("1" * 5_000, 400, "the body is not JSON: Exceeds the limit"),
        ("{}", 400, "`toml` is not a text"),
        ('{"toml": 1}', 400, "`toml` is not a text"),
        (f'{{"toml": "{"a" * 65_536}"}}', 413, "the body is larger than 65536 bytes"),
    ],
)
def test_body_that_is_not_the_right_json_is_refused(
    demo: Running, body: str, status: int, error: str
) -> None:
    sent = {"Content-Type": "application/json"}
    answer = ask(demo.origins.frontend, "/policy", "POST", sent, body)

    assert answer.status == status
    found = json.loads(answer.body)["error"]
    assert found.startswith(error)
    assert found.isprintable()


@pytest.mark.parametrize(
    ("length", "status"),
    [(None, 411), ("x", 411), ("-1", 411), ("\u00b2", 411), ("9" * 5_000, 413)],
)
def test_length_of_the_body_is_checked(demo: Running, length: str | None, status: int) -> None:
    client = connection(demo.origins.frontend)
    client.putrequest("POST", "/policy", skip_host=True)
    client.putheader("Host", demo.origins.frontend.removeprefix("http://"))
    client.putheader("Content-Type", "application/json")
    if length is not None:
        client.putheader("Content-Length", length.encode("latin-1"))
    client.endheaders()

    assert client.getresponse().status == status
    client.close()


@pytest.mark.parametrize(
    ("document", "status", "error"),
    [
        ({"toml": "", "enforce": "yes"}, 400, "`enforce` is neither true nor false"),
        ({"toml": ""}, 400, "`enforce` is neither true nor false"),
        ({"enforce": True}, 400, "`toml` is not a text"),
        ({"toml": "a =", "enforce": True}, 400, "`toml` can't be edited: Invalid value"),
        ({"toml": "#" * (MAX_TEXT + 1), "enforce": True}, 413, "`toml` is longer than 8192 char"),
    ],
)
def test_toggle_refuses(demo: Running, document: Any, status: int, error: str) -> None:
    found = error_of(post(demo.origins.frontend, "/toggle", document))

    assert found[0] == status
    assert found[1].startswith(error)


def test_toggle_sets_enforce_in_the_text(demo: Running) -> None:
    text = '# c\nallow_origins = ["https://a.example"]  # one\n'

    on = post(demo.origins.frontend, "/toggle", {"toml": text, "enforce": True})[1]["toml"]
    off = post(demo.origins.frontend, "/toggle", {"toml": on, "enforce": False})[1]["toml"]

    assert on == f"{text}enforce = true\n"
    assert off == f"{text}enforce = false\n"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"page": None}, "`page` is not a text"),
        ({"url": 1}, "`url` is not a text"),
        ({"method": []}, "`method` is not a text"),
        ({"headers": []}, "`headers` is not an object"),
        ({"headers": {"X-A": 1}}, "`X-A` is not a text"),
        ({"headers": {"\x1b" * 200: 1}}, "`" + r"\x1b" * 120 + "...` is not a text"),
        ({"headers": {f"X-{at}": "1" for at in range(21)}}, "more than 20 `headers`"),
        ({"headers": {"a b": "1"}}, "header 'a b: 1' is not a header"),
        ({"headers": {"X-A": "1\r\n2"}}, "header 'X-A: 1"),
        ({"credentials": "always"}, "`credentials` is none of omit, same-origin, include"),
        ({"engine": "lynx"}, "`engine` is none of standard, chromium, firefox, webkit"),
        ({"page": "a b"}, "page 'a b' is neither an origin nor a URL"),
        ({"page": "\ud800"}, r"'\\ud800' is not UTF-8"),
        ({"url": "nowhere"}, "'nowhere' "),
        ({"url": f"http://{'a' * 9_000} /"}, "'aaaaa"),
    ],
)
def test_question_that_makes_no_sense_is_refused(
    demo: Running, change: dict[str, Any], error: str
) -> None:
    question = {**ENDPOINTS["/explain"], **change}

    status, found = error_of(post(demo.origins.frontend, "/explain", question))

    assert status == 400
    assert found.startswith(error)
    assert len(found) <= 520
    assert found.isprintable()
