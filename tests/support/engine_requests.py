"""The policies and requests of the engine's tests."""

from __future__ import annotations

from corsguard import Decision, Engine, Policy

A = "https://a.example"
EVIL = "https://evil.example"
VARY = ("Vary", "Origin")
ASKED = "Access-Control-Request-Method, Access-Control-Request-Headers"
PREFLIGHT_VARY = ("Vary", f"Origin, {ASKED}")
CREDENTIALS = ("Access-Control-Allow-Credentials", "true")

LISTED = Policy(
    allow_origins=[A, "https://*.b.example", "http://localhost:*"],
    allow_credentials=True,
    allow_methods=["PUT", "PATCH"],
    allow_headers=["Content-Type", "X-A"],
    expose_headers=["X-Total", "X-Page"],
    max_age=600,
)
PLAIN = Policy(allow_origins=[A])
ANY = Policy(allow_origins=["*"], expose_headers=["X-Total"], allow_methods=["PUT"])


def build_preflight(method: str = "PUT", headers: str | None = None) -> dict[str, str]:
    """Return the request headers of a preflight."""
    asked = {"Access-Control-Request-Method": method}
    return asked if headers is None else {**asked, "Access-Control-Request-Headers": headers}


def decide_actual(policy: Policy, origin: str | None) -> Decision:
    return Engine(policy).decide(origin, "GET", {})


def decide_preflight(
    policy: Policy, origin: str, method: str = "PUT", headers: str | None = None
) -> Decision:
    return Engine(policy).decide(origin, "OPTIONS", build_preflight(method, headers))


def find_header(decision: Decision, name: str) -> str | None:
    return dict(decision.headers).get(f"Access-Control-{name}")
