"""`corsguard shadow-report`: what the shadow mode has logged, added up."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc
from pathlib import Path

import pytest
from support.cli_command import Command

from corsguard import Guard
from corsguard.guard.shadow_line import OTHER, SERVED, ShadowLine, format_line, format_start

APP, NEW, EVIL = "https://app.example", "https://new.example", "https://evil.example"
LINE = ShadowLine(
    SERVED,
    APP,
    "/api",
    is_preflight=False,
    method=OTHER,
    has_cookie=True,
    reason="ALLOWED",
    process="7-000001",
)
REFUSED = LINE._replace(
    verdict="would-refuse", origin=EVIL, method="GET", reason="ORIGIN_NOT_ALLOWED"
)
PREFLIGHT = REFUSED._replace(
    origin=NEW, is_preflight=True, has_cookie=False, reason="HEADERS_NOT_ALLOWED", detail="x-one"
)
ALLOWED = LINE._replace(verdict="would-allow", method="PUT", has_cookie=False)


def write(path: Path, *lines: ShadowLine | str) -> str:
    texts = (format_line(each) if isinstance(each, ShadowLine) else each for each in lines)
    path.write_text("".join(f"WARNING corsguard: {text}\n" for text in texts), encoding="utf-8")
    return str(path)


def test_report_lists_origins_differences_and_lines_to_paste(
    corsguard: Command, tmp_path: Path
) -> None:
    log = write(
        tmp_path / "app.log",
        format_start("7-000001"),
        LINE,
        LINE._replace(requests=10),
        LINE._replace(process="8-000002", requests=1_000),
        LINE._replace(origin=EVIL, route=None, reason="ORIGIN_NOT_ALLOWED"),
        REFUSED._replace(requests=100),
        PREFLIGHT,
        ALLOWED,
    )

    found = corsguard("shadow-report", log)

    assert found.code == 1
    assert (
        found.out
        == f"""\
shadow mode in 2 processes

Served with cookies by the old layer
ORIGIN                REQUESTS  ROUTES  NEW POLICY
{APP}   1,010+    /api    allows it
{EVIL}  1+        -       refuses it

The new policy would refuse
ORIGIN                ROUTE  REQUEST           REQUESTS  REASON
{EVIL}  /api   GET with cookies  100+      ORIGIN_NOT_ALLOWED
{NEW}   /api   preflight of GET  1+        HEADERS_NOT_ALLOWED:
                                                         x-one

The new policy would newly allow
ORIGIN               ROUTE  REQUEST  REQUESTS  REASON
{APP}  /api   PUT      1+        ALLOWED

Each process logs 1, 10, 100 ... requests of a kind, so there may have been up
to ten times as many.

For the new policy, with allow_credentials = true
Warning: an origin in this list is trusted with your users' cookies. Its pages
can read and do whatever a signed-in user can. Do not paste an origin that
nobody knows: an attacker's site is in the list too if the old layer served it.

allow_origins = [
    "{APP}",
    "{EVIL}",
]
"""
    )


def test_lines_to_paste_are_a_valid_policy(corsguard: Command, tmp_path: Path) -> None:
    log = write(tmp_path / "app.log", LINE, LINE._replace(origin=NEW))

    _, out, _ = corsguard("shadow-report", log)

    toml = tmp_path / "corsguard.toml"
    toml.write_text(out[out.index("allow_origins") :] + "allow_credentials = true\n")
    guard = Guard.from_file(toml)
    assert guard.decide("/", NEW, "GET", {}).allowed


def test_origins_that_no_policy_can_list_are_left_out(corsguard: Command, tmp_path: Path) -> None:
    origins = ("null", "http://plain.example", "x y", OTHER)
    log = write(tmp_path / "app.log", LINE, *(LINE._replace(origin=each) for each in origins))

    found = corsguard("shadow-report", log)

    assert found.code == 0
    assert "left out: null: " in found.out
    assert "left out: http://plain.example: " in found.out
    assert "A process has met more origins than it tells apart." in found.out
    assert found.out.endswith(f'allow_origins = [\n    "{APP}",\n]\n')


def test_report_without_differences_exits_with_0(corsguard: Command, tmp_path: Path) -> None:
    found = corsguard("shadow-report", write(tmp_path / "app.log", format_start("7-000001")))

    assert found.code == 0
    assert found.out.startswith(
        "shadow mode in 1 process\n\nServed with cookies by the old layer\nno request\n"
    )
    assert "allow_origins" not in found.out


@pytest.mark.parametrize("width", ["40", "80"])
def test_report_fits_the_terminal(
    corsguard: Command, tmp_path: Path, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    origin = f"https://{'long-name.' * 12}example"
    log = write(tmp_path / "app.log", REFUSED._replace(origin=origin), LINE._replace(origin=origin))

    _, out, _ = corsguard("shadow-report", log)

    report = out[: out.index("allow_origins = [")]
    assert max(map(len, report.splitlines())) <= int(width)


def test_several_logs_and_the_standard_input_are_added_up(
    corsguard: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(tmp_path / "one.log", LINE._replace(requests=10))
    second = write(tmp_path / "two.log", LINE._replace(process="9-000003", requests=100))
    record = json.dumps({"message": format_line(LINE._replace(process="9-000004"))})
    stream = io.TextIOWrapper(io.BytesIO(b"\xff\n" + record.encode()))
    monkeypatch.setattr(sys, "stdin", stream)

    found = corsguard("shadow-report", first, second, first, "-", "--format", "json")

    assert found.code == 0
    document = json.loads(found.out)
    assert document["processes"] == 3
    assert document["served_with_cookies"] == [
        {"origin": APP, "requests": 111, "routes": ["/api"], "is_allowed": True}
    ]


def test_line_of_any_length_takes_little_memory(corsguard: Command, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with log.open("wb") as file:
        file.seek(64 * 1024 * 1024)
        file.write(f"\n{format_line(LINE)}\n".encode())

    tracemalloc.start()
    try:
        found = corsguard("shadow-report", str(log))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found.code == 0
    assert APP in found.out
    assert peak < 16 * 1024 * 1024


def test_json_has_the_whole_report(corsguard: Command, tmp_path: Path) -> None:
    log = write(
        tmp_path / "app.log",
        REFUSED._replace(origin=OTHER, method=OTHER),
        PREFLIGHT,
        LINE._replace(origin="null"),
    )

    found = corsguard("shadow-report", log, "--format", "json")

    assert found.code == 1
    document = json.loads(found.out)
    assert document["is_complete"] is False
    assert [each["method"] for each in document["differences"]] == [None, "GET"]
    assert document["differences"][1] == {
        "verdict": "would-refuse",
        "origin": NEW,
        "route": "/api",
        "is_preflight": True,
        "method": "GET",
        "has_cookie": False,
        "requests": 1,
        "reason": "HEADERS_NOT_ALLOWED",
        "detail": "x-one",
    }
    assert document["allow_origins"] == []
    assert [each["origin"] for each in document["left_out"]] == ["null"]


def test_log_that_cannot_be_used_exits_with_2(corsguard: Command, tmp_path: Path) -> None:
    empty = write(tmp_path / "app.log", "GET / 200")

    missing = corsguard("shadow-report", str(tmp_path / "missing.log"))
    found = corsguard("shadow-report", empty)

    assert missing.code == found.code == 2
    assert "can't be read" in missing.err
    assert "no line of the shadow mode in the log" in found.err
