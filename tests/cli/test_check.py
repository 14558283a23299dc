from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from support.cli_command import Command

Write = Callable[[str | bytes], str]

CLEAN = """
allow_origins = ["https://app.example.com"]
allow_credentials = true
allow_methods = ["PUT"]
allow_headers = ["Content-Type"]
expose_headers = ["X-Total"]
max_age = 600
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write corsguard.toml into the current directory, and return its name."""
    monkeypatch.chdir(tmp_path)

    def writing(content: str | bytes) -> str:
        data = content if isinstance(content, bytes) else content.encode()
        Path("corsguard.toml").write_bytes(data)
        return "corsguard.toml"

    return writing


def strict_json(text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_file_without_problems_shows_its_policies(corsguard: Command, write: Write) -> None:
    assert corsguard("check", write(CLEAN)) == (
        0,
        """\
corsguard.toml: no problems

every path
  origins      https://app.example.com
  credentials  allowed
  methods      GET, HEAD, POST, PUT
  headers      Content-Type
  exposed      X-Total
  max-age      600 s

enforce
  off: requests from other origins are served, and browsers hide the responses
""",
        "",
    )


def test_file_with_routes_shows_each_of_them(corsguard: Command, write: Write) -> None:
    file = write(
        """
        enforce = true
        [routes]
        "/internal" = false
        [routes."/api"]
        allow_origins = ["https://app.example.com"]
        """
    )

    code, out, _ = corsguard("check", file)

    assert code == 0
    assert "\n/internal\n  origins      none: no CORS here\n" in out
    assert "\n/api\n  origins      https://app.example.com\n  credentials  not allowed\n" in out
    assert "\n  headers      none\n  exposed      none\n" in out
    assert "enforce\n  on: unsafe requests" in out


def test_file_with_exempt_paths_shows_them(corsguard: Command, write: Write) -> None:
    options = """
        enforce_exempt = ["/webhooks", "/health"]
        own_origins = ["https://api.example.com"]
    """

    _, out, _ = corsguard("check", write(f"enforce = true\n{options}{CLEAN}"))
    _, unenforced, _ = corsguard("check", write(f"{options}{CLEAN}"))

    assert out.endswith(
        "are refused\n  exempt       /webhooks, /health\n  own          https://api.example.com\n"
    )
    assert "exempt" not in unenforced


def test_suggestion_of_a_regex_is_for_python_only(corsguard: Command, write: Write) -> None:
    code, out, _ = corsguard("check", write('allow_origins = ["https://app.*.example.com"]'))

    assert code == 1
    flat = " ".join(out.split())
    assert r'in Python, re.compile(r"https://app\.[a-z0-9-]+\.example\.com")' in flat
    assert flat.count("a TOML file can't hold a regular expression") == 1


def test_file_that_allows_nothing_has_no_problem(corsguard: Command, write: Write) -> None:
    code, out, _ = corsguard("check", write('[routes]\n"/" = false'))

    assert code == 0
    assert "no CORS here" in out


def test_file_that_reports_enforcement_shows_that(corsguard: Command, write: Write) -> None:
    _, out, _ = corsguard("check", write(f'enforce = "report"\n{CLEAN}'))

    assert "enforce\n  report: requests that would be refused are logged\n" in out


def test_file_with_enforcement_alone_shows_it(corsguard: Command, write: Write) -> None:
    code, out, _ = corsguard("check", write("enforce = true"))

    assert code == 0
    assert "every path\n  origins      none: no CORS here\n" in out


def test_policy_with_many_origins_shows_five_of_them(corsguard: Command, write: Write) -> None:
    origins = [f"https://app{number}.example.com" for number in range(1_000)]

    code, out, _ = corsguard("check", write(f"allow_origins = {json.dumps(origins)}"))

    assert code == 0
    assert "https://app4.example.com and 995 more" in unwrapped(out)
    assert "app5" not in out


def test_policy_with_dangerous_flags_shows_them(corsguard: Command, write: Write) -> None:
    file = write(
        """
        allow_origins = ["http://app.example.com"]
        allow_credentials = true
        dangerously_allow_insecure_origins = true
        """
    )

    assert "\n  dangerously  allows insecure origins\n" in corsguard("check", file).out


def test_policy_without_a_preflight_cache_shows_max_age_0(corsguard: Command, write: Write) -> None:
    file = write('allow_origins = ["https://app.example.com"]\nmax_age = 0')

    assert "\n  max-age      0 s\n" in corsguard("check", file).out


def test_file_with_problems_shows_each_with_its_fix(corsguard: Command, write: Write) -> None:
    file = write(
        """
        [routes."/api"]
        allow_origins = ["https://app.example.com/"]
        allow_methods = ["patch"]
        [routes."/files/*"]
        allow_origins = ["https://app.example.com"]
        """
    )

    assert corsguard("check", file) == (
        1,
        """\
corsguard.toml: 3 problems

problem: routes."/api".allow_origins [origin-invalid]
  'https://app.example.com/' is not a valid origin: it has a path or a slash
  after its host
  given        "https://app.example.com/"
  fix          https://app.example.com

problem: routes."/api".allow_methods [method-case]
  'patch' does not allow PATCH: methods are case-sensitive, and browsers do not
  upper-case what a server allows
  given        "patch"
  fix          PATCH

problem: routes [route-invalid]
  '/files/*' is not a literal path prefix, such as /api
  given        "/files/*"
  fix          /files

more, offline by `corsguard explain-code CODE`
  https://corsguard.readthedocs.io/en/stable/problems.html#origin-invalid
  https://corsguard.readthedocs.io/en/stable/problems.html#method-case
  https://corsguard.readthedocs.io/en/stable/problems.html#route-invalid
""",
        "",
    )


def test_file_with_one_problem_counts_one(corsguard: Command, write: Write) -> None:
    assert corsguard("check", write("allow_origins = []")).out.startswith(
        "corsguard.toml: 1 problem\n"
    )


@pytest.mark.parametrize(("given", "fix"), [("no", "false"), ("true", "true")])
def test_suggestion_of_a_bool_is_toml(
    corsguard: Command, write: Write, given: str, fix: str
) -> None:
    file = write(f"{CLEAN.replace('= true', f'= {json.dumps(given)}')}")

    code, out, _ = corsguard("check", file)

    assert code == 1
    assert f'  given        "{given}"\n  fix          {fix}\n' in out
    assert (
        strict_json(corsguard("check", file, "--format=json").out)["problems"][0]["suggestion"]
        == fix
    )


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        ("routes = 1", '[routes."/api"]'),
        ('routes = { "/api" = 1 }', "{ allow_origins = ["),
        ("max_age = 1.5", "1\n"),
    ],
)
def test_suggestion_of_a_table_is_toml(
    corsguard: Command, write: Write, content: str, fix: str
) -> None:
    code, out, _ = corsguard("check", write(content))

    assert code == 1
    assert f"\n  fix          {fix}" in out


@pytest.mark.parametrize("content", ["", "[routes]"])
def test_file_without_a_policy_suggests_one(corsguard: Command, write: Write, content: str) -> None:
    code, out, _ = corsguard("check", write(content))

    assert code == 1
    assert "[no-policy]" in out
    assert '  fix          allow_origins = ["https://app.example.com"]\n' in out
    assert "\n  given" not in out


def test_file_with_warnings_shows_each_once_and_exits_with_0(
    corsguard: Command, write: Write, recwarn: pytest.WarningsRecorder
) -> None:
    file = write(
        """
        [routes."/api"]
        allow_origins = ["https://app.example.com"]
        max_age = 86400
        [routes."/open"]
        allow_origins = ["*"]
        allow_headers = ["*"]
        """
    )

    code, out, err = corsguard("check", file)

    assert (code, err) == (0, "")
    assert out.startswith("corsguard.toml: no problems, 2 warnings\n")
    assert 'warning: routes."/api".max_age [max-age-capped]\n' in out
    assert 'warning: routes."/open".allow_headers [authorization-not-covered]\n' in out
    assert '["*", "Authorization"]' in out
    assert list(recwarn) == []


def test_report_wraps_long_values_to_the_terminal(corsguard: Command, write: Write) -> None:
    long = f"https://{'a-long-label.' * 12}example.com"
    code, out, _ = corsguard("check", write(f'allow_origins = "{long}"'))

    assert code == 1
    assert max(map(len, out.splitlines())) <= 80
    assert "".join(out.split()).count(long) == 3  # the message, the value, the fix
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_report_escapes_markup_and_control_characters(corsguard: Command, write: Write) -> None:
    file = write(r'"[red]a\u001b[31m\n:smile:" = ["[bold]x\u009b[/bold]"]')

    code, out, _ = corsguard("check", file)

    assert code == 1
    assert r"problem: [red]a\x1b[31m\n:smile: [unknown-field]" in out
    assert r'given        ["[bold]x\x9b[/bold]"]' in out


def test_report_has_colours_in_a_terminal_only(
    corsguard: Command, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("allow_origins = []")
    assert "\x1b[" not in corsguard("check", file).out

    monkeypatch.setenv("FORCE_COLOR", "1")

    assert "\x1b[1;31mproblem: allow_origins [no-origins]\x1b[0m" in corsguard("check", file).out


def test_json_of_a_file_with_problems_has_each_of_them(corsguard: Command, write: Write) -> None:
    file = write('allow_origins = ["https://app.example.com/"]\nmax_age = nan')

    code, out, err = corsguard("check", file, "--format", "json")

    assert (code, err) == (1, "")
    found = strict_json(out)
    assert found["file"] == "corsguard.toml"
    assert found["warnings"] == []
    assert [problem["code"] for problem in found["problems"]] == ["origin-invalid", "type-invalid"]
    assert found["problems"][0] == {
        "code": "origin-invalid",
        "field": "allow_origins",
        "value": "https://app.example.com/",
        "message": found["problems"][0]["message"],
        "suggestion": "https://app.example.com",
        "url": "https://corsguard.readthedocs.io/en/stable/problems.html#origin-invalid",
    }
    assert found["problems"][1]["value"].lower() == "nan"


def test_json_of_a_file_without_problems_has_its_warnings(corsguard: Command, write: Write) -> None:
    file = write('allow_origins = ["https://app.example.com"]\nmax_age = 86400')

    code, out, _ = corsguard("check", file, "--format", "json")

    assert code == 0
    found = strict_json(out)
    assert found["problems"] == []
    assert [(each["code"], each["field"]) for each in found["warnings"]] == [
        ("max-age-capped", "max_age")
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("allow_origins = [", "not TOML: "),
        ("max_age = 1\nallow_origins = nothing", "(at line 2, column 17)"),
        (b'# fine\nallow_origins = ["\xff"]', "not UTF-8, as TOML must be (at line 2)"),
    ],
)
def test_file_that_is_not_toml_ends_with_one_line(
    corsguard: Command, write: Write, content: str | bytes, why: str
) -> None:
    for form in ("text", "json"):
        code, out, err = corsguard("check", write(content), "--format", form)

        assert (code, out) == (2, "")
        assert err.startswith("corsguard: corsguard.toml: ")
        assert err.count("\n") == 1
        assert why in err


@pytest.mark.parametrize("form", ["text", "json"])
def test_file_that_is_nested_too_deeply_ends_with_one_line(write: Write, form: str) -> None:
    # In a process of its own: where no stack is left, what hypothesis has the collector call fails
    # too, which Python tells on stderr.
    command = [sys.executable, "-m", "corsguard", "check", write(f"a = {'[' * 20_000}")]

    ended = subprocess.run([*command, "--format", form], capture_output=True, encoding="utf-8")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "corsguard: corsguard.toml: can't be read: nested too deeply\n"


def test_file_with_a_number_of_too_many_digits_has_a_problem(
    corsguard: Command, write: Write
) -> None:
    file = write(f'allow_origins = ["https://a.example"]\nmax_age = 0x{"f" * 5_000}')

    code, out, err = corsguard("check", file, "--format=json")

    assert (code, err) == (1, "")
    [problem] = strict_json(out)["problems"]
    assert (problem["code"], problem["value"]) == ("max-age-out-of-range", "<int>")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing.toml", "No such file or directory"),
        (".", "Is a directory"),
        ("a\nb\x1b[31m.toml", "No such file or directory"),
    ],
)
def test_file_that_cannot_be_opened_ends_with_one_line(
    corsguard: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)

    code, out, err = corsguard("check", name)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert err.endswith(f": can't be read: {why}\n")


LIST = """
[[routes."/api"]]
allow_origins = ["https://app.example.com"]
allow_credentials = true

[[routes."/api"]]
allow_origins = ["*"]
"""


def test_list_of_policies_is_shown_one_by_one(corsguard: Command, write: Write) -> None:
    code, out, _ = corsguard("check", write(LIST))
    assert code == 0
    first, _, second = out.partition("/api[1]\n")
    assert "\n/api[0]\n  origins      https://app.example.com\n  credentials  allowed\n" in first
    assert second.startswith("  origins      *\n  credentials  not allowed\n")


def test_problem_and_warning_in_a_list_name_the_entry(corsguard: Command, write: Write) -> None:
    unreachable = f'{LIST}[[routes."/api"]]\nallow_origins = ["https://b.example"]\n'
    code, out, _ = corsguard("check", write(unreachable))
    assert code == 1
    assert 'problem: routes."/api"[2] [policy-unreachable]' in out
    shadowed = LIST.replace('["*"]', '["https://app.example.com", "https://b.example"]')
    code, out, _ = corsguard("check", write(shadowed))
    assert code == 0
    assert 'warning: routes."/api"[1].allow_origins [origin-unreachable]' in out


def test_flagged_origin_is_shown_with_its_flags(corsguard: Command, write: Write) -> None:
    entry = '{ origin = "https://app-*-team.vercel.app", dangerously = ["public-suffix"] }'
    code, out, _ = corsguard("check", write(f"allow_origins = [{entry}]\nallow_credentials = true"))

    assert code == 0
    assert "https://app-*-team.vercel.app (dangerously: public-suffix)" in " ".join(out.split())
