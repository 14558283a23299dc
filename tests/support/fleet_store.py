"""A store in SQLite, and what has been published to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corsguard.sources import PolicyStore, Revision
from corsguard.sources.open import open_source

__all__ = ["POLICY", "Store"]

POLICY = """\
# The policy of the shop API

[routes."/api"]
allow_origins = ["https://shop.example.com", { set = "partners" }]
allow_methods = ["PUT"]

[origin_sets]
partners = [
    "https://a.example",  # the first
    "https://b.example",
]
"""


class Store:
    """A store in a file, and a folder for the files that are published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/store.db"

    def write(self, text: str, name: str = "corsguard.toml") -> str:
        """Write a file, and return its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8", newline="")
        return str(path)

    @contextmanager
    def open(self) -> Iterator[PolicyStore]:
        """Open the store itself."""
        source = open_source(self.url)
        assert isinstance(source, PolicyStore)
        try:
            yield source
        finally:
            source.close()

    def load(self) -> tuple[str, str]:
        """Return the version and the text of the document that workers get."""
        with self.open() as store:
            return store.load()

    def list_revisions(self) -> list[Revision]:
        """Return all revisions with their texts, the oldest first."""
        with self.open() as store:
            listed = store.list_revisions(100)
            texts = [store.load_revision(each.version)[-1].text for each in listed]
        return [each._replace(text=text) for each, text in zip(listed, texts, strict=True)][::-1]

    def publish(self, *revisions: Revision) -> None:
        """Write revisions as they are."""
        with self.open() as store:
            for revision in revisions:
                store.publish(revision)
