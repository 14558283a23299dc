"""docs/index.md and the address of the site: what the first page promises holds."""

from __future__ import annotations

import tomllib
from typing import Any

import yaml
from support.doc_pages import DOCS, read_blocks
from support.links import parse

from corsguard.errors import DOCUMENTATION_URL

ROOT = DOCS.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_code_of_the_first_page_allows_its_origin() -> None:
    [block] = read_blocks("index", "python")
    names: dict[str, Any] = {"__name__": "app"}
    exec(compile(block.code, "docs/index.md", "exec"), names)
    client = names["app"].test_client()
    answer = client.get("/items", headers={"Origin": "https://app.example.com"})

    assert answer.json == ["one", "two"]
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


def test_every_page_is_in_one_table_of_contents() -> None:
    listed = [
        line
        for token in parse(DOCS / "index.md")
        if token.info == "{toctree}"
        for line in token.content.splitlines()
        if line and not line.startswith(":")
    ]

    assert sorted(listed) == sorted({page.stem for page in DOCS.glob("*.md")} - {"index"})


def test_address_of_the_project_is_that_in_messages() -> None:
    assert PROJECT["urls"]["Documentation"] == DOCUMENTATION_URL


def test_read_the_docs_builds_what_tox_builds() -> None:
    settings = yaml.safe_load((ROOT / ".readthedocs.yaml").read_text(encoding="utf-8"))
    [package] = settings["python"]["install"]

    assert settings["sphinx"] == {"configuration": "docs/conf.py", "fail_on_warning": True}
    assert [PROJECT["optional-dependencies"][extra] for extra in package["extra_requirements"]]
