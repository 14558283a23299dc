from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By
from support.demo_visit import FREE_PORTS
from support.e2e.axe import find_violations
from support.e2e.engines import RealBrowser, ScriptError
from support.e2e.playground import Cell, Playground, row

from corsguard.cli.demo.servers import Origins, serve_demo

FAILED = "TypeError: Failed to fetch"
# What the script of the frontend gets; and whether the browser sends a preflight.
SEEN = {
    "get": ('200 {"items": ["apple", "banana", "cherry"]}', False),
    "form-post": ('201 {"id": 4, "received": "11 bytes"}', False),
    "post": ('201 {"id": 4, "received": "17 bytes"}', True),
    "put": ('200 {"id": 1, "received": "6 bytes"}', True),
    "delete": ("204 (no content)", True),
    "header": ('200 {"trace": "42"}', True),
    "authorization": ('200 {"you": "bearer of the demo token"}', True),
    "cookies": ('200 {"you": "signed in by a cookie"}', False),
    "exposed": ("X-Total-Count: 3", False),
    "hidden": ("X-Build: null", False),
    "error": ('500 {"error": "the database is on fire"}', False),
    "stream": ("200 part 6 of 6", False),
}
BLOCKED = {"patch": "METHOD_NOT_ALLOWED", "unlisted-header": "HEADERS_NOT_ALLOWED"}
ENGINES_BESIDE_CHROMIUM = ["firefox", "webkit"]
WAIT_FOR_CALLS = """
const text = (id) => document.getElementById(id)?.textContent;
while (document.body.dataset.state !== "done") await new Promise((go) => setTimeout(go, 50));
return [text("policy-status"), text("frontend-summary"), text("untrusted-summary")];
"""


def test_calls_with_the_first_policy_show_what_each_page_gets(demo: Playground) -> None:
    rows = demo.rows()

    assert list(rows) == [*BLOCKED, *SEEN]  # blocked calls first
    for name, (frontend, untrusted) in rows.items():
        has_preflight = name in BLOCKED or SEEN[name][1]
        stopped = Cell("blocked", "\u2717 Blocked", "stopped at the preflight")
        if name in BLOCKED:
            assert frontend == stopped
        else:
            assert frontend[:2] == ("allowed", "\u2713 Allowed")
        assert untrusted == (
            stopped if has_preflight else stopped._replace(reach="reached the application")
        )
    assert demo.summaries() == ("2 blocked, 12 allowed", "14 blocked, 0 allowed")
    assert demo.state() == "In force"


def test_details_of_each_call_show_response_and_decision(demo: Playground) -> None:
    panels = demo.panels()

    for name, (seen, _) in SEEN.items():
        assert panels[name] == [[seen, "ALLOWED"], [FAILED, "ORIGIN_NOT_ALLOWED"]], name
    for name, reason in BLOCKED.items():
        assert panels[name] == [[FAILED, reason], [FAILED, "ORIGIN_NOT_ALLOWED"]], name


def test_diagram_shows_what_was_sent_and_where_it_is_blocked(
    demo: Playground, origins: Origins
) -> None:
    demo.open_row("put")
    demo.open_row("patch")

    put = f"{row('put')} .panel[data-page=frontend]"
    arrows = [each.text.splitlines() for each in demo.all(f"{put} .arrow")]
    heads = ["OPTIONS /items/1", "204", "PUT /items/1", "200"]
    assert [arrow[1] for arrow in arrows] == heads
    assert [arrow[0] for arrow in arrows] == ["To the server:", "To the page:"] * 2
    preflight, allowed, _, response = (set(arrow[2:]) for arrow in arrows)
    assert {f"Origin: {origins.frontend}", "Access-Control-Request-Method: PUT"} <= preflight
    assert allowed == {
        f"Access-Control-Allow-Origin: {origins.frontend}",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, DELETE",
        "Access-Control-Allow-Headers: Content-Type, Authorization, X-Demo-Trace",
        "Access-Control-Max-Age: 7200",
        "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    assert response == {
        f"Access-Control-Allow-Origin: {origins.frontend}",
        "Access-Control-Allow-Credentials: true",
        "Vary: Origin",
        "Access-Control-Expose-Headers: X-Total-Count",
    }
    assert demo.all(f"{put} .failed") == []
    patch = f"{row('patch')} .panel[data-page=frontend]"
    failed = demo.find(f"{patch} .step:last-child")
    assert "PATCH is not in Access-Control-Allow-Methods" in failed.text
    assert "The browser blocks the call here." in failed.text
    link = failed.find_element(By.TAG_NAME, "a").get_attribute("href")
    assert link == "https://fetch.spec.whatwg.org/#cors-preflight-fetch"


def test_console_message_is_the_one_of_the_browser(demo: Playground, origins: Origins) -> None:
    printed = demo.console()
    demo.open_row("patch")
    demo.open_row("get")

    for name, page in (("patch", "frontend"), ("get", "untrusted")):
        shown = demo.text(f"{row(name)} .panel[data-page={page}] .console pre")
        url, rest = shown.split("'")[1], shown.split("'", 2)[2]
        # The real one has the id of the call in its URL.
        assert any(f"{url}?call=" in line and rest in line for line in printed)


def test_cookies_decide_what_the_profile_says(demo: Playground) -> None:
    demo.open_row("cookies")
    seen = f"{row('cookies')} .panel[data-page=frontend] .facts code"
    assert demo.text(seen) == SEEN["cookies"][0]

    demo.click("[value=omit] + span")
    demo.wait(lambda: demo.text(seen).startswith("401"))

    assert demo.text(seen) == '401 {"error": "no session cookie"}'
    assert 'credentials: "omit"' in demo.text(f"{row('cookies')} .code")


def test_copied_code_does_what_the_page_did(demo: Playground, origins: Origins) -> None:
    demo.driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {
            "origin": origins.frontend,
            "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"],
        },
    )
    panels = demo.panels()

    demo.click(f"{row('get')} .copy")
    demo.wait(lambda: demo.text(f"{row('get')} .copy") == "Copied")
    copied = demo.chromium.run("return navigator.clipboard.readText()")
    assert copied == demo.text(f"{row('get')} .code")
    assert copied.startswith(f'fetch("{origins.api}/items", {{')

    for name, ((seen, _), _untrusted) in panels.items():
        code = demo.text(f"{row(name)} .code")
        if seen == FAILED:
            with pytest.raises(ScriptError, match=FAILED):
                demo.chromium.run(f"return {code}")
            continue
        got = demo.chromium.run(f"return {code}")
        text = "null" if got is None else got.strip() or "(no content)"
        assert seen.endswith(f" {text.splitlines()[-1]}"), name


def test_run_again_button_repeats_every_call(demo: Playground) -> None:
    before = demo.rows()

    click = "document.getElementById('again').click(); return document.body.dataset.state"
    assert demo.script(click) == "running"
    demo.wait_for_calls()

    assert demo.rows() == before


def test_streamed_response_is_read_in_parts(demo: Playground) -> None:
    demo.script(
        "window.parts = []; const reach = document.querySelector(arguments[0]);"
        "new MutationObserver(() => parts.push(reach.textContent))"
        ".observe(reach, { childList: true });",
        f"{row('stream')} .reach",
    )
    demo.click("#again")
    demo.wait_for_calls()

    parts = [text for text in demo.script("return parts") if text.startswith("part ")]
    assert len(set(parts)) > 1


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_and_fits(
    playground: Playground, origins: Origins, tmp_path: Path, scheme: str, width: int
) -> None:
    playground.open(origins, width=width, scheme=scheme)
    for name in ("patch", "form-post", "get"):
        playground.open_row(name)
    playground.click(f"{row('patch')} .fix summary")
    playground.click(".words summary")
    playground.choose_preset("fastapi-any")
    playground.save(tmp_path / f"playground-{scheme}-{width}.png")

    assert find_violations(playground.driver) == []
    assert playground.script("return document.documentElement.scrollWidth") <= width
    dark = playground.script("return matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark is (scheme == "dark")


def test_colours_follow_the_scheme(playground: Playground, origins: Origins) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        playground.open(origins, scheme=scheme)
        grounds.append(playground.script("return getComputedStyle(document.body).backgroundColor"))

    assert grounds[0] != grounds[1]


def test_untrusted_page_obeys_the_playground_only(playground: Playground, origins: Origins) -> None:
    playground.chromium.open(f"{origins.untrusted}/caller.html")

    sent = playground.chromium.run("""
        let sent = 0;
        window.fetch = async () => sent++;
        const arrived = new Promise((go) => addEventListener("message", go));
        postMessage({ run: 1, credentials: "include" }, "*");
        await arrived;
        return sent;
    """)

    assert sent == 0


def test_browser_blocks_what_the_csp_forbids(playground: Playground, origins: Origins) -> None:
    playground.open(origins)

    blocked = playground.chromium.run("""
        const blocked = new Set();
        addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
          blocked.add(effectiveDirective));
        const insert = (tag, properties) =>
          document.body.append(Object.assign(document.createElement(tag), properties));
        insert("script", { textContent: "window.hasRun = true" });
        insert("img", { src: "http://127.0.0.1:9/x.png" });
        insert("iframe", { src: "http://127.0.0.1:9/" });
        insert("style", { textContent: "body { color: red }" });
        await fetch("http://127.0.0.1:9/").catch(() => {});
        while (blocked.size < 5) await new Promise((go) => setTimeout(go, 20));
        return [...blocked].sort().join(" ") + ` ${window.hasRun}`;
    """)

    assert blocked == "connect-src frame-src img-src script-src-elem style-src-elem undefined"


def test_page_requests_nothing_beyond_its_servers(demo: Playground, origins: Origins) -> None:
    demo.panels()
    names = "return performance.getEntriesByType('resource').map((each) => each.name)"
    requested = list(demo.script(names))
    demo.driver.switch_to.frame(demo.find("#untrusted-frame"))
    requested += demo.script(names)
    demo.driver.switch_to.default_content()

    hosts = {urlsplit(url).netloc for url in requested}
    assert hosts == {urlsplit(each).netloc for each in origins}
    assert demo.script("return document.fonts.size") == 0


def test_console_has_only_the_browsers_cors_messages(demo: Playground) -> None:
    demo.panels()

    expected = ("blocked by CORS policy", "net::ERR_FAILED", "status of 500")
    assert [line for line in demo.console() if not any(part in line for part in expected)] == []


def test_root_of_the_api_explains_itself(playground: Playground, origins: Origins) -> None:
    for scheme in ("light", "dark"):
        playground.open(origins, scheme=scheme)
        playground.click("#api-link")
        playground.wait(lambda: playground.driver.current_url == f"{origins.api}/")

        assert "corsguard demo" in playground.text("h1")
        assert find_violations(playground.driver) == []


def test_stopped_demo_is_reported_until_it_is_back(playground: Playground) -> None:
    with serve_demo(FREE_PORTS, lambda decision, request: None) as stopped:
        playground.open(stopped)
        playground.type("\nenforce_exempt = []")
        playground.wait_for_calls()
        text = playground.toml()

    playground.click("#again")
    playground.wait(lambda: playground.text("#gone"))
    assert "corsguard demo" in playground.text("#gone")
    assert playground.summaries()[0] == "0 blocked, 0 allowed, 14 without a response"
    assert playground.rows()["get"][0].badge == "! No response"

    ports = {name: urlsplit(origin).port or 0 for name, origin in stopped._asdict().items()}
    with serve_demo(ports, lambda decision, request: None):
        playground.wait(lambda: not playground.text("#gone"))
        playground.wait(lambda: playground.summaries()[0] == "2 blocked, 12 allowed")
        playground.wait_for_calls()
        assert playground.toml() == text  # what was typed is in force again
        assert playground.state() == "In force"


@pytest.mark.parametrize("engine", ENGINES_BESIDE_CHROMIUM)
def test_other_engine_shows_the_same_results(
    started: Callable[[str], RealBrowser], playground: Playground, origins: Origins, engine: str
) -> None:
    playground.open(origins)  # puts the first policy in force
    browser = started(engine)
    browser.open(origins.frontend)

    assert browser.run(WAIT_FOR_CALLS) == [
        "In force",
        "2 blocked, 12 allowed",
        "14 blocked, 0 allowed",
    ]
