"""The policies of a configuration as plain lists."""

from __future__ import annotations

import re

from corsguard.cli.migrate.replay.entries import PolicyTable, find_table, read_tables
from corsguard.policy.origin_entry import dangerous

A, B, C = "https://a.example", "https://b.example", "https://c.example"
REGEX = re.compile(r"https://[a-z]+\.example")


def test_fields_without_routes_apply_to_every_path() -> None:
    mapping = {
        "allow_origins": [A, REGEX],
        "allow_methods": ["*", "PUT"],
        "allow_headers": ("X-A",),
        "expose_headers": {"X-B"},
    }

    assert read_tables(mapping) == [PolicyTable("/", (A, REGEX), ("PUT",), ("X-A",), ("X-B",))]


def test_policies_of_a_list_are_one_table() -> None:
    mapping = {"routes": {"/api": [{"allow_origins": [A]}, {"allow_origins": [A, B]}], "/x": False}}

    assert read_tables(mapping) == [PolicyTable("/api", (A, B)), PolicyTable("/x")]


def test_sets_and_flags_of_origins_are_read() -> None:
    mapping = {
        "origin_sets": {"partners": [B, 1], "text": C, "wrong": 1},
        "allow_origins": [
            {"set": "partners"},
            {"set": "text"},
            {"set": "wrong"},
            {"origin": A, "dangerously": ["null"]},
            dangerous(REGEX, "insecure"),
        ],
    }

    assert read_tables(mapping)[0].origins == (B, C, A, REGEX)


def test_values_of_the_wrong_type_are_left_out() -> None:
    mapping = {"allow_origins": [str.isupper, re.compile(b"x"), 1, A], "allow_headers": "X-A"}

    assert read_tables(mapping) == [PolicyTable("/", (A,))]


def test_longest_prefix_of_whole_segments_covers_a_path() -> None:
    root, api, admin = (PolicyTable(prefix) for prefix in ("/", "/api", "/api/admin/"))
    tables = [api, admin]

    assert find_table(tables, "/api/admin") == admin
    assert find_table(tables, "/api/x") == api
    assert find_table(tables, "/apix") is None
    assert find_table([root, *tables], "/apix") == root
