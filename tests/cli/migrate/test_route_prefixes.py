"""Route prefixes for regular expressions of paths."""

from __future__ import annotations

import re

import pytest

from corsguard.cli.migrate.route_prefixes import covers, find_prefixes

PATHS = ["/", "/api/items", "/api/items/1", "/apix", "/media/1", "/report"]


@pytest.mark.parametrize(
    ("pattern", "paths", "prefixes"),
    [
        (r"/*", PATHS, ["/"]),
        (r".*", PATHS, ["/"]),
        (r"^.*$", PATHS, ["/"]),
        (r"/+", PATHS, ["/"]),
        (r"/api/.*", PATHS, ["/api"]),
        (r"^/(api|media)/", PATHS, ["/api", "/media"]),
        (r"/api/*", ["/api/items", "/report"], ["/api"]),
        # Of these, `re.match` finds more or less than a prefix says.
        (r"/api/*", PATHS, None),
        (r"/api/items$", PATHS, None),
        (r"/api/items$", ["/api/items"], ["/api/items"]),
        (r"/api/.*/1", PATHS, None),
        (r"/api/\d+", PATHS, None),
        (r"/(?!api)", PATHS, None),
        (r"/a//b", [], None),
    ],
)
def test_prefixes_say_the_pattern(
    pattern: str, paths: list[str], prefixes: list[str] | None
) -> None:
    assert find_prefixes(re.compile(pattern), paths) == prefixes


@pytest.mark.parametrize(
    ("text", "prefixes"), [("/report", ["/report"]), ("/api/items", None), ("report", None)]
)
def test_text_says_one_path(text: str, prefixes: list[str] | None) -> None:
    assert find_prefixes(text, PATHS) == prefixes


def test_prefix_covers_whole_segments() -> None:
    assert covers("/api", "/api")
    assert covers("/api", "/api/")
    assert covers("/", "/x")
    assert not covers("/api", "/apix")
