"""The policy of the playground: what an edit, a preset, a fix and a switch change."""

from __future__ import annotations

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from support.e2e.playground import FIRST_BLOCKED, Playground, row


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
    assert list(demo.rows())[:2] == FIRST_BLOCKED  # the row stays where the user looks
    assert demo.rows()["patch"][0].verdict == "allowed"
    demo.click("#again")
    demo.wait_for_calls()
    assert next(iter(demo.rows())) == "unlisted-header"

    demo.click("#undo")
    demo.wait(lambda: demo.summaries()[0] == "2 blocked, 12 allowed")
    demo.wait_for_calls()
    assert demo.toml() == before
    assert list(demo.rows())[:2] == FIRST_BLOCKED


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
