from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from support.demo_visit import FREE_PORTS
from support.e2e.axe import find_violations
from support.e2e.engines import Chromium, RealBrowser, ScriptError
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


@pytest.fixture(scope="module")
def origins() -> Iterator[Origins]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("corsguard.cli.demo.api._SECONDS_BETWEEN_CHUNKS", 0.05)
        with serve_demo(FREE_PORTS, lambda decision, request: None) as served:
            yield served


@pytest.fixture
def playground(chromium: Chromium) -> Playground:
    return Playground(chromium)


@pytest.fixture
def demo(playground: Playground, origins: Origins) -> Playground:
    """Return the playground with the policy that it starts with."""
    playground.open(origins)
    return playground


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


def test_broken_policy_shows_its_problem_and_changes_nothing(demo: Playground) -> None:
    before = demo.rows()
    line = len(demo.toml().splitlines()) + 1

    demo.type('allow_method = ["GET"]')
    demo.wait(lambda: demo.problems() == ["unknown-field"])

    assert demo.state() == "Not applied: 1 problem. The last valid policy is still in force."
    assert demo.marked_lines() == [str(line)]
    problem = demo.find(".policy .problem")
    assert "allow_methods" in problem.text
    link = problem.find_element(By.TAG_NAME, "a").get_attribute("href") or ""
    assert link.endswith("problems.html#unknown-field")
    demo.click("#again")
    demo.wait_for_calls()
    assert demo.rows() == before

    demo.click(".line-link")
    assert demo.script("return getSelection().toString()") == 'allow_method = ["GET"]'

    demo.press(Keys.DELETE)
    demo.wait(lambda: demo.problems() == [])
    assert demo.state() == "In force"


def test_text_that_is_not_toml_names_the_line(demo: Playground) -> None:
    line = len(demo.toml().splitlines()) + 1

    demo.type("oops\n")
    demo.wait(lambda: demo.problems() == ["document-invalid"])

    assert demo.marked_lines() == [str(line)]


def test_last_text_wins_over_an_earlier_one_that_is_slow(demo: Playground) -> None:
    # The first request is held back until the second text is typed.
    demo.script("""
        const send = fetch;
        const gate = new Promise((open) => (window.openGate = open));
        window.fetch = async (url, options) => {
          if (url !== "policy") return send(url, options);
          window.texts = [...(window.texts ?? []), JSON.parse(options.body).toml];
          if (window.texts.length === 1) await gate;
          return send(url, options);
        };
    """)

    demo.write("first = 1")
    demo.wait(lambda: demo.script("return window.texts?.length") == 1)
    demo.write('allow_origins = ["*"]')
    demo.script("openGate()")
    demo.wait_for_check()

    assert demo.script("return window.texts") == ["first = 1", 'allow_origins = ["*"]']
    assert demo.state() == "In force"
    assert demo.problems() == []


def test_dangerous_preset_is_refused_with_the_reason(demo: Playground) -> None:
    demo.choose_preset("fastapi-any")

    assert "allow_credentials=True" in demo.text("#preset-snippet")
    assert "FastAPI" in demo.text("#preset-from")
    assert demo.problems() == ["wildcard-with-credentials"]
    assert demo.state().startswith("Not applied")
    assert demo.summaries()[0] == "2 blocked, 12 allowed"


def test_every_preset_is_applied_or_refused_with_a_problem(demo: Playground) -> None:
    refused = {}
    for option in demo.all("#preset option:not([value=''])"):
        name = option.get_attribute("value") or ""
        demo.choose_preset(name)
        is_refused = demo.state().startswith("Not applied")
        assert bool(demo.all(".problem[data-kind=problem]")) is is_refused, name
        refused[name] = is_refused

    allowed = [name for name, is_refused in refused.items() if not is_refused]
    assert allowed == ["express-any", "flask-any", "right"]


def test_any_origin_without_cookies_is_readable_by_each_page(demo: Playground) -> None:
    demo.choose_preset("express-any")
    demo.wait_for_calls()
    assert demo.summaries() == ("14 blocked, 0 allowed", "14 blocked, 0 allowed")

    demo.click("[value=omit] + span")
    demo.wait_for_calls()

    assert demo.summaries() == ("0 blocked, 14 allowed", "0 blocked, 14 allowed")
    assert "reads the responses" in demo.text("#effect")

    demo.choose_preset("right")
    demo.wait_for_calls()
    assert demo.summaries() == ("2 blocked, 12 allowed", "14 blocked, 0 allowed")


def test_fix_shows_what_it_exposes_and_can_be_undone(demo: Playground) -> None:
    before = demo.toml()
    demo.open_row("patch")
    demo.click(f"{row('patch')} .fix summary")

    (line,) = [each for each in before.splitlines() if each.startswith("allow_methods")]
    removed, added = demo.all(f"{row('patch')} .diff > *")
    assert removed.text.endswith(f"- {line}")
    assert added.text.endswith("+ " + line.replace('"DELETE"', '"DELETE", "PATCH"'))
    assert "PATCH" in demo.text(f"{row('patch')} .exposes")
    assert demo.toml() == before  # nothing is applied yet

    demo.click(f"{row('patch')} .apply")
    demo.wait(lambda: demo.summaries()[0] == "1 blocked, 13 allowed")
    demo.wait_for_calls()
    assert list(demo.rows())[:2] == list(BLOCKED)  # the row stays where the user looks
    assert demo.rows()["patch"][0].verdict == "allowed"
    demo.click("#again")
    demo.wait_for_calls()
    assert next(iter(demo.rows())) == "unlisted-header"

    demo.click("#undo")
    demo.wait(lambda: demo.summaries()[0] == "2 blocked, 12 allowed")
    demo.wait_for_calls()
    assert demo.toml() == before
    assert list(demo.rows())[:2] == list(BLOCKED)


def test_preset_can_be_undone_by_the_editor_itself(demo: Playground) -> None:
    before = demo.toml()
    demo.choose_preset("null")
    assert demo.toml() != before

    demo.find("#toml").click()
    demo.press(Keys.CONTROL, "z")
    demo.wait(lambda: demo.toml() == before)
    demo.wait_for_check()

    assert demo.state() == "In force"


def test_fix_that_would_not_start_shows_the_problem(demo: Playground) -> None:
    demo.write('allow_origins = ["*"]\nexpose_headers = ["*"]')
    demo.wait(lambda: demo.summaries()[0] == "14 blocked, 0 allowed")
    demo.wait_for_calls()
    demo.open_row("get")
    fix = f"{row('get')} .fix"
    demo.click(f"{fix} summary")

    problem = demo.find(f"{fix} .problem")
    assert problem.get_attribute("data-code") == "expose-wildcard-with-credentials"
    assert demo.all(f"{fix} .apply") == []


def test_enforce_with_any_origin_is_refused_and_taken_back(demo: Playground) -> None:
    demo.choose_preset("express-any")
    demo.wait_for_calls()

    demo.click("#enforce")
    demo.wait(lambda: "enforce-with-wildcard" in demo.problems())
    assert demo.find("#enforce").is_selected()

    demo.click("#enforce")
    demo.wait(lambda: "enforce-with-wildcard" not in demo.problems())
    demo.wait_for_check()
    assert demo.state().startswith("In force")


def test_enforce_is_left_alone_in_a_text_that_is_not_toml(demo: Playground) -> None:
    demo.write("oops")
    demo.wait(lambda: demo.problems() == ["document-invalid"])

    demo.click("#enforce")
    demo.wait(lambda: "correct the TOML first" in demo.state())

    assert demo.toml() == "oops"
    assert not demo.find("#enforce").is_selected()


def test_enforce_keeps_the_untrusted_post_from_the_application(demo: Playground) -> None:
    assert demo.rows()["form-post"][1].reach == "reached the application"
    assert demo.text("#effect").startswith("enforce is off: 7 calls")

    demo.click("#enforce")
    demo.wait(lambda: "enforce is on" in demo.text("#effect"))
    demo.wait_for_calls()

    assert "enforce = true" in demo.toml()
    assert demo.rows()["form-post"][1].reach == "403, not reached"
    assert "gets 403 and never reaches the application" in demo.text("#effect")
    assert demo.rows()["form-post"][0].verdict == "allowed"
    demo.open_row("form-post")
    untrusted = f"{row('form-post')} .panel[data-page=untrusted]"
    assert "corsguard responds" in demo.text(untrusted)
    assert demo.all(f"{untrusted} .facts code")[1].text == "CROSS_ORIGIN_REFUSED"

    demo.click("#enforce")
    demo.wait(lambda: "enforce is off" in demo.text("#effect"))
    assert "enforce = false" in demo.toml()


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


def test_keyboard_alone_applies_and_undoes_a_fix(demo: Playground) -> None:
    demo.tab_to("#preset")
    demo.tab_to("#toml")
    demo.tab_to("#enforce")  # Tab leaves the editor
    demo.tab_to(f"{row('patch')} .row-head")
    demo.tab_to(f"{row('patch')} .fix summary")
    demo.press(Keys.ENTER)
    demo.tab_to(f"{row('patch')} .apply")
    demo.press(Keys.ENTER)
    demo.wait(lambda: demo.summaries()[0] == "1 blocked, 13 allowed")
    demo.wait_for_calls()
    assert demo.has_focus(f"{row('patch')} .row-head")

    demo.tab_to("#undo", backwards=True)
    demo.press(Keys.ENTER)

    demo.wait(lambda: demo.summaries()[0] == "2 blocked, 12 allowed")
    assert demo.has_focus("#toml")  # nothing more can be undone


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
    playground.chromium.open(f"{origins.stranger}/caller.html")

    sent = playground.chromium.run("""
        let sent = 0;
        window.fetch = async () => sent++;
        const arrived = new Promise((go) => addEventListener("message", go));
        postMessage({ run: 1, credentials: "include" }, "*");
        await arrived;
        return sent;
    """)

    assert sent == 0


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
