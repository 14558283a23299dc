"""What a decision costs: run by `tox -e bench`. Times are of this machine; compare ratios."""

from __future__ import annotations

import pyperf

from corsguard import Engine, Guard, Policy

A = "https://app.example.com"
POLICY = Policy(
    allow_origins=[A, "https://*.example.org"],
    allow_credentials=True,
    allow_methods=["PUT", "DELETE"],
    allow_headers=["Content-Type", "Authorization"],
    expose_headers=["X-Total"],
)
PREFLIGHT = {
    "access-control-request-method": "PUT",
    "access-control-request-headers": "authorization,content-type",
}
COMMAS = {**PREFLIGHT, "access-control-request-headers": "," * 1_000_000}
WITHIN_LIMIT = {**PREFLIGHT, "access-control-request-headers": "," * 4_096}


def main() -> None:
    """Measure the engine and the guard, and the requests that are made to cost."""
    runner = pyperf.Runner()
    decide = Engine(POLICY).decide
    routed = Guard({"/api": POLICY, "/": POLICY}).decide
    runner.bench_func("engine: no Origin", decide, None, "GET", {})
    runner.bench_func("engine: allowed", decide, A, "GET", {})
    runner.bench_func("engine: subdomain", decide, "https://a.b.example.org", "GET", {})
    runner.bench_func("engine: refused", decide, "https://evil.example", "GET", {})
    runner.bench_func("engine: preflight", decide, A, "OPTIONS", PREFLIGHT.get)
    runner.bench_func("engine: preflight refused", decide, "https://evil", "OPTIONS", PREFLIGHT.get)
    runner.bench_func("engine: megabyte of commas", decide, A, "OPTIONS", COMMAS.get)
    runner.bench_func("engine: 4,096 commas", decide, A, "OPTIONS", WITHIN_LIMIT.get)
    runner.bench_func("engine: megabyte of Origin", decide, "x" * 1_000_000, "GET", {})
    runner.bench_func("guard: allowed, by path", routed, "/api/items/1", A, "GET", {})


if __name__ == "__main__":
    main()
