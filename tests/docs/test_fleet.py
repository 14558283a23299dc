"""docs/fleet.md: the page is followed from top to bottom, with SQLite in place of Redis."""

from __future__ import annotations

import getpass
import logging
import os
import re
import shlex
import socket
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from fastapi import FastAPI
from flask import Flask
from support.memory_store import SELDOM, Changes, MemoryStore, break_source

from corsguard import Guard, PolicyError
from corsguard.browser import Browser
from corsguard.cli import main
from corsguard.guard.config import read_mapping
from corsguard.guard.source_options import SourceOptions
from corsguard.sources import (
    PolicySource,
    PolicyStore,
    Revision,
    SourceEmptyError,
    SourceError,
    WorkerReport,
    open_source,
)
from corsguard.sources.parsed_document import parse_document

PAGE = (Path(__file__).parents[2] / "docs/fleet.md").read_text(encoding="utf-8")
STORE = "sqlite:///policy.db"


class Block(NamedTuple):
    """A block of code of the page."""

    language: str
    code: str
    place: int


def list_blocks(language: str = "") -> list[Block]:
    found = re.finditer(r"^( *)```(\w+)\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    blocks = [Block(each[2], each[3], each.start()) for each in found]
    return [each for each in blocks if language in ("", each.language)]


def adapt(code: str) -> str:
    """Return code with a store and with folders that the test has."""
    code = code.replace("redis://localhost:6379/0", STORE).replace("/var/lib/app/", "")
    return code.replace("/etc/corsguard/", "")


def normalise(output: str) -> str:
    """Return output whose times and names are those of the page."""
    output = output.replace(STORE, "redis://localhost:6379/0")
    output = output.replace(f"{getpass.getuser()}@{socket.gethostname()}", "ada@laptop")
    output = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-27 00:00:00", output)
    return re.sub(r"(?<=\S) +", " ", output).strip()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")


class Reader:
    """A reader who runs every block, and whose workers report what the page shows."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.names: dict[str, Any] = {"__name__": "fleet_page"}
        self.guards: list[Guard] = []
        self.followed = self.shown = 0

    def run(self, block: Block, following: Block) -> None:
        code = adapt(block.code)
        if block.language == "toml" and code.startswith("# corsguard.toml\n[routes"):
            Path("corsguard.toml").write_text(code, encoding="utf-8")
        elif block.language == "toml" and code.startswith("# stricter.toml"):
            Path("stricter.toml").write_text(code, encoding="utf-8")
        elif block.language == "sh":
            output = "".join(map(self._run_line, code.splitlines()))
            is_shown = following.language == "text" and following.place - block.place < 250
            if is_shown:
                assert normalise(output) == normalise(following.code)
                self.shown += 1
        elif block.language == "python" and "os.environ" not in code and "Origins(" not in code:
            if code.startswith("@app"):
                self.names["app"] = FastAPI()
            exec(compile(code, "fleet.md", "exec"), self.names)
            if "guard.follow(" in code:
                self.guards.append(self.names["guard"])
            elif STORE in code:
                self._check_followed(code)

    def _check_followed(self, code: str) -> None:
        """Check that the application or the setting of a block follows the store."""
        app: Any = self.names.get("app")
        guard: Guard
        if "CORSGUARD =" in code:
            guard = Guard.from_mapping(self.names["CORSGUARD"])
        elif isinstance(app, FastAPI):
            guard = app.state.corsguard.guard
        else:
            guard = app.extensions["corsguard"].guard if isinstance(app, Flask) else app.guard
        if "app =" in code:
            page = Browser.on(app, page="https://shop.example", url="https://api.example.com")
            assert page.fetch("/api/items").status in (200, 404)  # not blocked
        assert guard.version in ("1", "2")
        guard.unfollow()
        self.followed += 1

    def _run_line(self, line: str) -> str:
        """Run a line of a shell, and return its output."""
        command, *arguments = shlex.split(line)
        if command in ("openssl", "chmod"):
            subprocess.run(["sh", "-c", line], check=True, capture_output=True)
        if command != "corsguard":
            return ""
        is_status = arguments[0] == "status"
        has_old = is_status and self._report()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        output = self._capsys.readouterr()
        assert (ended.value.code, output.err) == (1 if has_old else 0, "")
        return output.out

    def _report(self) -> bool:
        """Report as the workers of the page do. Return True if one is behind."""
        store = open_source(STORE)
        assert isinstance(store, PolicyStore)
        store.report(WorkerReport(socket.gethostname(), os.getpid(), "", 0.0), 0.0)  # of this test
        newest = store.list_revisions(1)[0].version
        counts = ("would-refuse", "https://shop.example", "/api/items")
        if newest == 5:
            workers = [("web-1", 4711, 5, 200, 0), ("web-1", 4712, 5, 200, 0)]
            workers.append(("web-2", 4711, 4, 550, 0))
        else:
            workers = [("web-1", 4711, 6, 84_000, 800), ("web-2", 4711, 6, 84_000, 404)]
            store.report(WorkerReport("web-1", 4712, "5", 0.0), 0.0)  # which has ended
        for host, pid, version, age, count in workers:
            candidate = ((*counts, count),) if count else ()
            report = WorkerReport(host, pid, str(version), time.time() - age, "", candidate)
            store.report(report, 60)
        store.close()
        return newest == 5


def test_page_can_be_followed(capsys: pytest.CaptureFixture[str]) -> None:
    reader = Reader(capsys)
    blocks = list_blocks()
    for block, following in zip(blocks, [*blocks[1:], blocks[0]], strict=True):
        reader.run(block, following)
    own = reader.guards[-1]
    assert "CommandSource" in reader.names
    assert own.policies_for("/api")[0].allow_methods == ("PUT",)
    assert reader.names["healthz"]()["cors"]["is_current"]
    assert reader.shown == 10
    assert (reader.followed, len(reader.guards)) == (4, 2)
    for guard in reader.guards:
        assert guard.check_health().is_current
        guard.unfollow()


def test_every_form_of_source_is_followed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(capsys)
    store = f"{STORE}?policy=signed"
    for line in next(
        each.code for each in list_blocks("sh") if "genpkey" in each.code
    ).splitlines():
        reader._run_line(line)
    Path("corsguard.toml").write_text('allow_origins = ["https://app.example.com"]\n')
    reader._run_line(f"corsguard publish corsguard.toml {store} --sign publisher.pem")
    [file] = [each.code for each in list_blocks("toml") if each.code.startswith("# source.toml")]
    Path("source.toml").write_text(adapt(file).replace(STORE, store), encoding="utf-8")
    [exports] = [each.code for each in list_blocks("sh") if "export " in each.code]
    for name, value in re.findall(r"^export (\w+)=(.*)$", adapt(exports), re.MULTILINE):
        monkeypatch.setenv(name, value.replace(STORE, store))
    [code] = [each.code for each in list_blocks("python") if "os.environ" in each.code]
    exec(compile(code, "fleet.md", "exec"), reader.names)
    for guard in (Guard.from_file("source.toml"), reader.names["guard"]):
        assert guard.version == "1"
        assert guard.check_health().is_current
        guard.unfollow()
    assert Path("corsguard.last").exists()
    table = PAGE.partition("| option | default |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (?:none |`([\d.]+)` )?\|", table, re.MULTILINE))
    defaults = {name: str(value or "") for name, value in SourceOptions("")._asdict().items()}
    assert rows == defaults


def test_lookups_are_built() -> None:
    [code] = [each.code for each in list_blocks("python") if "Origins(" in each.code]
    names: dict[str, Any] = {}
    exec(compile(code, "fleet.md", "exec"), names)  # which connects to nothing
    assert len(names["policy"].allow_origins) == 3


@pytest.mark.parametrize("block", list_blocks("toml"))
def test_toml_is_a_valid_configuration(block: Block) -> None:
    mapping = tomllib.loads(block.code)
    if "source" in mapping:
        settings = read_mapping(mapping)
        assert (settings.problems, settings.source is None) == ((), False)
    else:
        parsed = parse_document(block.code)
        assert (parsed.settings.warnings, parsed.guard.warnings) == ((), ())


def test_containers_follow_a_valid_source() -> None:
    documents = [each for block in list_blocks("yaml") for each in yaml.safe_load_all(block.code)]
    assert [each.get("kind", "compose") for each in documents] == [
        *("compose", "ConfigMap", "Deployment", "Secret", "Deployment")
    ]
    compose, config_map, with_file, secret, with_redis = documents
    parse_document(config_map["data"]["corsguard.toml"])
    environ = compose["services"]["web"]["environment"]
    urls = [environ["CORSGUARD_SOURCE"], secret["stringData"]["url"]]
    pods = [each["spec"]["template"]["spec"] for each in (with_file, with_redis)]
    for pod in pods:
        [container] = pod["containers"]
        [mount] = container["volumeMounts"]
        assert "subPath" not in mount
        assert mount["name"] == pod["volumes"][0]["name"]
        environ = {each["name"]: each for each in container["env"]}
        paths = [each["value"] for each in environ.values() if "value" in each]
        assert [path for path in paths if path.startswith(f"{mount['mountPath']}/")] == paths
        if "value" in environ["CORSGUARD_SOURCE"]:
            urls.append(environ["CORSGUARD_SOURCE"]["value"])
    for url in urls:
        open_source(url).close()


def test_table_has_the_problems_that_are_raised() -> None:
    table = PAGE.partition("| code | what is wrong |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE))
    raised = {"source-unavailable"}
    for mapping in (
        {"source": "gopher://host"},
        {"source": "x.toml", "allow_origins": ["https://a.example"]},
        {"allow_origins": ["https://a.example", {"set": "none"}]},
    ):
        with pytest.raises(PolicyError) as error:
            Guard.from_mapping(mapping)
        raised |= {problem.code for problem in error.value.problems}
    for text in ('source = "x.toml"', "allow_origins = ["):
        with pytest.raises(PolicyError) as error:
            parse_document(text)
        raised |= {problem.code for problem in error.value.problems}
    unused = 'allow_origins = ["https://a.example"]\n[origin_sets]\nx = ["https://b.example"]\n'
    raised |= {problem.code for problem in parse_document(unused).settings.warnings}
    assert listed == raised | {"document-not-authentic"}


def test_table_has_the_lines_that_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    text = 'allow_origins = ["https://app.example.com"]\n'
    caplog.set_level(logging.INFO, "corsguard")
    store, guard, last_good = MemoryStore(Revision(7, text)), Guard(None), "corsguard.last"
    guard.follow(store, last_good=last_good, poll=SELDOM)
    changes = Changes(guard)
    for error in (break_source(), None, SourceEmptyError(read_error(open_source(STORE))), None):
        store.fail(error)
        changes.next()
    store.publish(Revision(8, "allow_origins = ["))
    changes.next()
    guard.unfollow()
    store.fail(break_source())
    other = Guard(None)
    other.follow(store, last_good=last_good)
    other.unfollow()
    Path(last_good).write_text("damaged")
    with pytest.raises(PolicyError, match="source-unavailable"):
        other.follow(store, last_good=last_good)
    logged = {f"{each.levelname} {each.getMessage()}" for each in caplog.records}
    table = PAGE.partition("| what happens |")[2].partition("\n\n")[0]
    shown = re.findall(r"(INFO|WARNING|ERROR) `([^`]+)`", table)
    assert len(shown) == 6
    for level, line in shown:
        pattern = re.escape(f"{level} {adapt(line)}").replace(r"\.\.\.", ".*")
        assert any(re.fullmatch(pattern, each) for each in logged), line


def read_error(source: PolicySource) -> str:
    """Return the message of a source that can't be read."""
    with pytest.raises(SourceError) as error:
        source.load()
    return str(error.value)


def test_links_lead_to_files_and_headings() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, heading = link.partition("#")
        assert not path or (Path(__file__).parents[2] / "docs" / path).exists()
        if heading and not path:
            assert f"## {heading.replace('-', ' ')}" in PAGE.lower()
