"""A program that forks while threads replace policies, learn origins, log and import.

Each child must do the same within a deadline.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from threading import Event, Thread

from corsguard import Guard, OriginLookup, Policy, Reason

FORKS = 20
DEADLINE = 20
APP, EVIL = "https://app.example", "https://evil.example"


def policy(number: int) -> Policy:
    return Policy(
        allow_origins=[f"https://p{number}.example", "https://*.b.example"],
        allow_credentials=bool(number % 2),  # which imports the Public Suffix List
    )


LOOKUP = OriginLookup(
    lambda origin: not origin.endswith("0.tenant.example"), ttl=0.001, retry_after=0
)


def ask(guard: Guard, started: Event, ended: Event) -> None:
    """Ask the look-up for new origins and for known ones, in the background as well."""
    number = 0
    while not ended.is_set():
        number += 1
        guard.decide("/", f"https://n{number % 50}.tenant.example", "GET", {})
        LOOKUP.forget(f"https://n{number % 7}.tenant.example")
        started.set()


def update(guard: Guard, started: Event, ended: Event) -> None:
    number = 0
    while not ended.is_set():
        number += 1
        guard.reconfigure(policy(number))
        guard.adapter.add_views([("view", policy(number))])
        started.set()


def request(guard: Guard, started: Event, ended: Event) -> None:
    number = 0
    while not ended.is_set():
        number += 1
        guard.decide("/", f"https://n{number}.b.example", "GET", {})
        guard.decide("/", f"https://n{number}.evil.example", "GET", {})
        guard.decide("/", f"http://[::{number % 60_000 + 1:x}]", "GET", {})
        started.set()


def child(guard: Guard) -> None:
    signal.alarm(DEADLINE)  # ends it where it waits for a lock
    last = Policy(allow_origins=[APP], allow_credentials=True)
    assert not guard.candidate_differences
    counts = guard.adapter.count()
    assert not any((counts.read_hits() | counts.read_computed()).get("no route", {}).values())
    guard.reconfigure(last)
    guard.subscribe(print)
    assert guard.decide("/", APP, "GET", {}).allowed
    assert guard.decide("/", "http://[::1]", "GET", {}).reason is Reason.ORIGIN_NOT_ALLOWED
    for number in range(1_100):
        assert not guard.decide("/", f"https://c{number}.example", "GET", {}).allowed
    assert guard.policies is last
    assert sum(each.requests for each in guard.candidate_differences) == 1
    assert sum(counts.read_computed()["no route"].values()) == 1_102
    tenants = Guard(Policy(allow_origins=[LOOKUP]))
    for number in range(1, 100):
        is_tenant = number % 10 != 0
        assert (
            tenants.decide("/", f"https://n{number}.tenant.example", "GET", {}).allowed is is_tenant
        )
    LOOKUP.clear()


def main() -> int:
    sys.setswitchinterval(1e-5)  # threads take turns wherever they can
    logging.getLogger("corsguard").addHandler(logging.NullHandler())
    sys.stdout = open(os.devnull, "w", encoding="ascii")  # noqa: SIM115  # of the subscriber
    guard = Guard(policy(0))
    guard.adapter.count()
    guard.try_candidate(Policy(allow_origins=["https://*.b.example", "https://evil.example"]))
    ended = Event()
    threads = []
    tenants = Guard(Policy(allow_origins=[LOOKUP]))
    for work in (update, ask, request):
        started = Event()
        asked = tenants if work is ask else guard
        threads.append(Thread(target=work, args=(asked, started, ended)))
        threads[-1].start()
        if work is request:
            started.wait()
    status = 0
    for number in range(FORKS):
        pid = os.fork()
        if pid == 0:
            try:
                child(guard)
            except BaseException:
                logging.getLogger().exception("in child %d", number)
                os._exit(1)
            os._exit(0)
        status = status or os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    ended.set()
    for thread in threads:
        thread.join()
    return abs(status)


if __name__ == "__main__":
    sys.exit(main())
