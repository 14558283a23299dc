"""`corsguard status`: the workers of a fleet, and the counts of a candidate."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from support.cli_command import Command
from support.fleet_store import POLICY, Store

from corsguard.cli.fleet.tables import format_duration
from corsguard.sources import Revision, WorkerReport

CANDIDATE = f'{POLICY}\n[candidate]\nallow_origins = ["https://c.example"]\n'
ALLOW = ("would-allow", "https://c.example", "/api/items")
REFUSE = ("would-refuse", "https://shop.example.com", "/api/items")


def report(store: Store, *reports: WorkerReport) -> None:
    with store.open() as opened:
        for each in reports:
            opened.report(each._replace(since=time.time() - each.since), 60)


@pytest.fixture
def published(store: Store) -> Store:
    """A store with a policy as version 1, and a candidate beside it as version 2."""
    store.publish(Revision(1, POLICY), Revision(2, CANDIDATE))
    return store


def test_current_workers_are_listed(corsguard: Command, store: Store) -> None:
    store.publish(Revision(1, POLICY))
    report(
        store,
        WorkerReport("web-2", 12, "1", 90),
        WorkerReport("web-1", 8, "1", 7_300),
        WorkerReport("web-1", 7, "1", 200_000),
    )

    assert corsguard("status", store.url) == (
        0,
        f"""\
{store.url}: version 1 is published
3 workers on 2 hosts: 3 current

HOST   PID  VERSION  FOR    STATE
web-1  7    1        2 d    current
web-1  8    1        2 h    current
web-2  12   1        1 min  current
""",
        "",
    )


def test_workers_behind_or_with_an_error_are_marked(corsguard: Command, published: Store) -> None:
    report(
        published,
        WorkerReport("web-1", 7, "2", 90),
        WorkerReport("web-1", 8, "1", 90),
        WorkerReport("web-1", 9, "3", 90),
        WorkerReport("web-1", 10, "", 90, "the document has 2 problems, such as: `max_age`"),
    )

    code, out, _ = corsguard("status", published.url)

    assert code == 1
    assert out.startswith(
        f"""\
{published.url}: version 2 is published
4 workers on 1 host: 1 current, 1 behind, 1 ahead, 1 with an error

HOST   PID  VERSION  FOR    STATE
web-1  7    2        1 min  current
web-1  8    1        1 min  behind
web-1  9    3        1 min  ahead
web-1  10   none     1 min  error: the document has 2 problems, such as:
                            `max_age`
"""
    )


def test_no_worker_and_no_document_is_said(corsguard: Command, store: Store) -> None:
    assert corsguard("status", store.url) == (
        0,
        f"{store.url}: nothing is published\nno worker has reported lately\n",
        "",
    )


def test_worker_of_an_emptied_store_is_ahead(corsguard: Command, store: Store) -> None:
    store.publish(Revision(1, POLICY))
    report(store, WorkerReport("web-1", 7, "12", 0), WorkerReport("web-1", 8, "an etag", 0))

    code, out, _ = corsguard("status", store.url)

    assert code == 1
    assert "0 current, 1 behind, 1 ahead\n" in out


def test_counts_of_the_candidate_are_added_up(corsguard: Command, published: Store) -> None:
    report(
        published,
        WorkerReport("web-1", 7, "2", 1, "", ((*ALLOW, 1_000), (*REFUSE, 2))),
        WorkerReport("web-1", 8, "2", 1, "", ((*ALLOW, 234),)),
        WorkerReport("web-1", 9, "1", 1, "", ((*ALLOW, 9_999),)),  # of another candidate
    )

    code, out, _ = corsguard("status", published.url)

    assert code == 1
    assert out.endswith(
        """
the candidate would decide 1,236 requests otherwise
REQUESTS  CANDIDATE     ORIGIN                    PATH
2         would-refuse  https://shop.example.com  /api/items
1,234     would-allow   https://c.example         /api/items
"""
    )


def test_candidate_that_changes_nothing_says_so(corsguard: Command, published: Store) -> None:
    report(published, WorkerReport("web-1", 7, "2", 1))

    code, out, _ = corsguard("status", published.url)

    assert code == 0
    assert out.endswith("\nthe candidate would decide no requests otherwise\n")


def test_long_list_of_a_candidate_is_cut(corsguard: Command, published: Store) -> None:
    rows = tuple((*ALLOW[:2], f"/{number}", 1) for number in range(25))
    report(published, WorkerReport("web-1", 7, "2", 1, "", rows))

    _, out, _ = corsguard("status", published.url)

    assert out.count("would-allow") == 20
    assert out.endswith("\nand 5 more: see --format json\n")


def test_one_request_of_a_candidate_is_singular(corsguard: Command, published: Store) -> None:
    report(published, WorkerReport("web-1", 7, "2", 1, "", ((*ALLOW, 1),)))

    assert "would decide 1 request otherwise\n" in corsguard("status", published.url).out


def test_published_document_with_problems_has_no_candidate(
    corsguard: Command, store: Store
) -> None:
    for text in ("x = [", "x = " + "[" * 5_000, "[changes.x]\n"):
        version = len(store.list_revisions()) + 1
        store.publish(Revision(version, text, is_change=text.startswith("[changes")))
        code, out, _ = corsguard("status", store.url)
        assert code == 0
        assert "candidate" not in out


def test_status_as_json_has_all_fields(corsguard: Command, published: Store) -> None:
    report(
        published,
        WorkerReport("web-1", 7, "2", 0, "", ((*ALLOW, 3),)),
        WorkerReport("web-1", 8, "", 0, "the store is down"),
    )

    code, out, _ = corsguard("status", published.url, "--format", "json")

    found = json.loads(out)
    assert code == 1
    since = [each.pop("since") for each in found["workers"]]
    assert all(each.endswith("+00:00") for each in since)
    assert found == {
        "target": published.url,
        "newest": 2,
        "workers": [
            {"host": "web-1", "pid": 7, "version": "2", "state": "current", "error": None},
            {
                "host": "web-1",
                "pid": 8,
                "version": None,
                "state": "error",
                "error": "the store is down",
            },
        ],
        "candidate": [
            {
                "verdict": "would-allow",
                "origin": "https://c.example",
                "path": "/api/items",
                "requests": 3,
            }
        ],
    }


def test_status_of_an_empty_store_as_json(corsguard: Command, store: Store) -> None:
    code, out, _ = corsguard("status", store.url, "--format", "json")

    assert (code, json.loads(out)["newest"]) == (0, None)


def test_file_has_no_status(corsguard: Command, store: Store) -> None:
    Path("policy.toml").write_text(POLICY)

    code, _, err = corsguard("status", "policy.toml")

    assert code == 2
    assert "policy.toml: a file keeps no status of workers: publish to a store" in err


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_599, "59 min"), (86_400 * 400, "400 d")],
)
def test_duration_is_shown_in_its_largest_unit(seconds: float, shown: str) -> None:
    assert format_duration(seconds) == shown


@pytest.mark.parametrize("since", [float("inf"), float("nan"), 1e300, -1e300])
def test_report_that_is_wrong_is_shown_all_the_same(
    corsguard: Command, store: Store, since: float
) -> None:
    store.publish(Revision(1, POLICY))
    with store.open() as opened:
        opened.report(WorkerReport("web-1", 7, "9" * 5_000, since), 60)

    code, out, _ = corsguard("status", store.url)
    assert code == 1
    assert "  ?    behind" in out

    code, out, _ = corsguard("status", store.url, "--format", "json")
    (worker,) = json.loads(out)["workers"]
    assert (code, worker["since"], worker["state"]) == (1, None, "behind")
