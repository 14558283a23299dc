"""The prose of the pages: the words of the glossary, British spelling, short sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.links import ROOT
from support.prose import Passage, read_prose

GLOSSARY = ROOT / "docs/glossary.md"
# Programs write the others, with the names of what they measure.
PAGES = [page for page in ROOT.glob("docs/*.md") if page.stem not in {"benchmarks", "proof"}]
FILES = [*PAGES, *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY"))]
MAX_WORDS = 40
WORD = re.compile(r"[\w`][\w`'./-]*")

# Words that add nothing, or that praise.
EMPTY_WORDS = """
    actually, basically, clearly, easily, easy, just works, leverage, obviously, of course, please,
    powerful, seamless, seamlessly, simple, simply, utilise, utilize, note that, in order to, e.g.,
    i.e., etc.
"""
AMERICAN = """
    analyze, analyzed, behavior, canceled, canceling, canonicalize, canonicalized, catalog, center,
    color, customize, customized, defense, favor, gray, honor, initialize, initialized, labeled,
    license, minimize, modeled, normalize, normalized, normalizes, optimize, optimized, organize,
    recognize, recognized, recognizes, serialize, serialized, serializes, signaling, summarize,
    synchronize
"""
# Names, in their only spelling outside of code.
NAMES = """
    ASGI, Caddy, Capacitor, Chromium, Cloudflare, CORS, CSRF, Django, Docker, Electron, FastAPI,
    Firefox, Flask, GitHub, Grafana, GraphQL, HAProxy, Heroku, HTML, Ionic, JavaScript, JSON, JWT,
    Kubernetes, Litestar, Netlify, nginx, OpenTelemetry, PostgreSQL, Prometheus, PyPI, pytest,
    Python, Quart, Redis, SQLAlchemy, Starlette, Tauri, TOML, TypeScript, URL, Vercel, WebKit,
    WebSocket, Werkzeug, WSGI
"""
# Others that a heading may have, besides those in capitals and those with code.
HEADING_NAMES = """
    Access, Apache, Authorization, Basic, Blueprint, Channels, Chrome, Content, Cookie, Cordova,
    Fetch, Forwarded, Host, Ninja, Origin, Pages, React, Render, Router, Safari, Socket, Vary, Vite,
    Worker
"""


def split_words(text: str) -> list[str]:
    """Return the words and phrases of a list with commas."""
    return [" ".join(word.split()) for word in text.split(",")]


def compile_phrases(phrases: list[str]) -> re.Pattern[str]:
    """Compile a pattern that finds whole phrases, whatever their case."""
    alternatives = "|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))
    return re.compile(rf"(?<![\w.-])(?:{alternatives})(?![\w-])", re.IGNORECASE)


def read_avoided_words() -> list[str]:
    """Return the words of the glossary's second column that are not in parentheses."""
    table = GLOSSARY.read_text(encoding="utf-8").partition("## We write X, not Y")[2]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    cells = ", ".join(re.sub(r"\([^)]*\)", "", avoided) for _, avoided in rows[2:])
    return [word.replace("`x` ", "") for word in split_words(cells) if word]


AVOIDED = compile_phrases(
    [*read_avoided_words(), *split_words(EMPTY_WORDS), *split_words(AMERICAN)]
)
MISSPELT = [
    (name, re.compile(rf"(?<![\w./@:-]){name}(?![\w/:-]|\.\w)", re.IGNORECASE))
    for name in split_words(NAMES)
]


def find_faults(passage: Passage) -> Iterator[str]:
    """Yield what is wrong with a passage."""
    for match in AVOIDED.finditer(passage.text):
        yield f"avoid {match[0]!r}"
    for name, pattern in MISSPELT:
        yield from (
            f"{match[0]!r} is spelt {name}"
            for match in pattern.finditer(passage.text)
            if match[0] != name
        )
    for sentence in passage.split_sentences():
        if (count := len(WORD.findall(sentence))) > MAX_WORDS:
            yield f"a sentence of {count} words: {sentence[:60]}..."
    if passage.is_heading:
        yield from find_title_case(passage.text)


def find_title_case(heading: str) -> Iterator[str]:
    """Yield the words of a heading that begin with a capital letter for no reason."""
    known = {*split_words(NAMES), *split_words(HEADING_NAMES)}
    for match in re.finditer(r"(?<=[\w`,)] )[A-Z][a-z]+\b", heading):
        if match[0] not in known and match[0].removesuffix("s") not in known:
            yield f"{match[0]!r} in a heading begins with a capital letter"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_prose_of_a_page_follows_the_style(file: Path) -> None:
    found = []
    for passage in read_prose(file):
        if file == GLOSSARY and passage.text == "We write X, not Y":
            break
        found += [f"{file.name}:{passage.line}: {fault}" for fault in find_faults(passage)]

    assert found == []


def test_glossary_has_words_to_avoid() -> None:
    words = read_avoided_words()

    assert {"mend", "told", "stands at", "is no origin", "caution"} <= set(words)
    assert not {"asked", "query", "answer", "not", "---"} & set(words)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Simply call it.", "avoid 'Simply'"),
        ("The color is wrong.", "avoid 'color'"),
        ("It is told so.", "avoid 'told'"),
        ("Use flask here.", "'flask' is spelt Flask"),
        ("Use flask-cors and flask.cors here, or ``.", None),
        (f"It {'very ' * 40}long.", "a sentence of 42 words: It very very"),
        ("It is short. It ends. " * 20, None),
    ],
)
def test_style_check_finds_faults(text: str, fault: str | None) -> None:
    found = next(find_faults(Passage(1, False, text)), None)

    assert found == fault or (found and fault and found.startswith(fault))


@pytest.mark.parametrize(
    ("heading", "is_right"),
    [
        ("Run it behind nginx", True),
        ("Run It behind nginx", False),
        ("Django: Give a view its policy", True),
        ("WebSockets and `Origin` with FastAPI", True),
    ],
)
def test_headings_are_in_sentence_case(heading: str, is_right: bool) -> None:
    assert (not [*find_title_case(heading)]) is is_right


def test_prose_has_no_code(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("# `one` Two\n\nA `b`\n[c](d).\n\n```python\nsimply()\n```\n", encoding="utf-8")

    assert [*read_prose(file)] == [Passage(1, True, "`` Two"), Passage(3, False, "A `` c.")]
