from __future__ import annotations

import ast
import re
import tomllib

import pytest

from corsguard import Guard, PolicyError
from corsguard.cli.demo.presets import Preset, build_policy_text, list_presets
from corsguard.policy.warning_filter import ignore_policy_warnings

FRONTEND = "http://localhost:3000"
PRESETS = {preset.name: preset for preset in list_presets(FRONTEND)}
# The dangerous ones, with the code of the problem that refuses each.
REFUSED = {
    "express-reflect": "wildcard-with-credentials",
    "fastapi-any": "wildcard-with-credentials",
    "flask-credentials": "wildcard-with-credentials",
    "unescaped-dot": "origin-invalid",
    "null": "origin-null",
    "preview-host": "origin-public-suffix",
    "trailing-slash": "origin-invalid",
}


def build_guard(preset: Preset) -> Guard:
    with ignore_policy_warnings():
        return Guard.from_mapping(tomllib.loads(preset.toml))


@pytest.mark.parametrize("name", REFUSED)
def test_dangerous_preset_is_refused_with_one_reason(name: str) -> None:
    with pytest.raises(PolicyError) as refused:
        build_guard(PRESETS[name])

    assert [problem.code for problem in refused.value.problems] == [REFUSED[name]]


@pytest.mark.parametrize("name", sorted(PRESETS.keys() - REFUSED.keys()))
def test_other_preset_starts(name: str) -> None:
    assert build_guard(PRESETS[name]).policies


def test_last_preset_is_the_right_one() -> None:
    last = [*PRESETS.values()][-1]

    assert (last.name, last.library) == ("right", "corsguard")
    assert last.toml == build_policy_text(FRONTEND)
    guard = build_guard(last)
    assert guard.warnings == ()
    policy = guard.policies
    namespace: dict[str, object] = {}
    exec(f"from corsguard import Policy\npolicy = {last.snippet}", namespace)
    assert namespace["policy"] == policy


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_preset_has_all_texts(preset: Preset) -> None:
    document = preset.as_dict()

    assert [*document] == ["name", "title", "from", "snippet", "about", "toml"]
    assert document["from"] in {"Express", "FastAPI", "Flask", "corsguard"}
    assert all(document.values())
    assert preset.about.endswith(".")
    assert preset.about.count(".") - len(re.findall(r"\w\.\w", preset.about)) == 1
    assert preset.toml.endswith("\n")
    if preset.library != "Express":
        ast.parse(preset.snippet)


def test_unescaped_dot_matches_what_the_lesson_says() -> None:
    preset = PRESETS["unescaped-dot"]
    [pattern] = re.findall('allow_origin_regex="(.*)"', preset.snippet)
    [origin] = re.findall(r"https://[a-z.-]+[a-z]", preset.about)

    assert re.fullmatch(pattern, origin)
    assert not origin.endswith(".example.com")
