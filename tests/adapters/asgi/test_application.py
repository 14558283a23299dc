"""`corsguard` with `--app` on ASGI applications behind CORSMiddleware."""

from __future__ import annotations

import pytest
from support.app_command import AppCommand

APP = "https://app.example.com"
API = "https://api.example.com"
SOURCE = """
from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware
from fastapi import FastAPI
from litestar import Litestar
from litestar.middleware import DefineMiddleware
from quart import Quart
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

ITEMS = Policy(allow_origins=["https://app.example.com"])
GUARD = Guard({"/api": ITEMS})

async def serve(scope, receive, send): raise SystemExit("the application was called")
async def ask(origin): return False

class Wrapper:
    def __init__(self, inner): self.inner = inner
    async def __call__(self, scope, receive, send): await self.inner(scope, receive, send)

class Subclass(CORSMiddleware): ...

class Proxy:
    __slots__ = ("local",)
    def __getattr__(self, name): raise RuntimeError("outside of a request")
    async def __call__(self, scope, receive, send): raise SystemExit("called")

fastapi, quart, litestar = FastAPI(), Quart("main"), Litestar()
fastapi.add_middleware(CORSMiddleware, policy=GUARD)
fastapi.add_middleware(GZipMiddleware)
quart.asgi_app = CORSMiddleware(quart.asgi_app, GUARD)
litestar.asgi_handler = CORSMiddleware(litestar.asgi_handler, GUARD)
"""


@pytest.mark.parametrize(
    "app",
    [
        "CORSMiddleware(serve, GUARD)",
        "Wrapper(CORSMiddleware(serve, GUARD))",
        "Wrapper(Wrapper(Subclass(serve, GUARD)))",
        "CORSMiddleware(Proxy(), GUARD)",
        "CORSMiddleware(FastAPI(), GUARD)",
        "fastapi",
        "Wrapper(fastapi)",
        "Starlette(middleware=[Middleware(GZipMiddleware), Middleware(Subclass, GUARD)])",
        "quart",
        "litestar",
        "Litestar(middleware=[DefineMiddleware(CORSMiddleware, policy=GUARD)])",
        "CORSMiddleware(Litestar(), GUARD)",
    ],
)
def test_check_finds_the_guard_wherever_it_is(on_app: AppCommand, app: str) -> None:
    code, out, err = on_app(f"{SOURCE}\napp = {app}", "check", "--app", "main:app")

    assert (code, err) == (0, "")
    assert out.startswith("main:app: no problems")
    assert f"\n/api\n  origins      {APP}\n" in out


@pytest.mark.parametrize("app", ["quart", "litestar", "CORSMiddleware(serve, GUARD)"])
def test_routes_without_known_urls_are_those_of_the_guard(on_app: AppCommand, app: str) -> None:
    code, out, err = on_app(f"{SOURCE}\napp = {app}", "routes", "--app", "main:app")

    assert (code, out.splitlines()[1]) == (0, 'any method  /api  A       route "/api"')
    assert err.startswith("\nmain:app: the URLs of the application are not known")


@pytest.mark.parametrize("app", ["serve", "Wrapper(Proxy())", "Quart('q')", "Litestar()"])
def test_check_application_without_guard_says_how_to_add_it(on_app: AppCommand, app: str) -> None:
    code, out, err = on_app(f"{SOURCE}\nquart = None\napp = {app}", "check", "--app", "main:app")

    assert (code, out) == (1, "")
    assert err == (
        "corsguard: main:app has no corsguard. Wrap it: app = CORSMiddleware(app, "
        "allow_origins=[...]), with `from corsguard_asgi import CORSMiddleware`\n"
    )


def test_check_middleware_that_does_not_start_reports_it(on_app: AppCommand) -> None:
    """Starlette builds its middleware at start-up: the import of the module does not fail."""
    source = f'{SOURCE}\napp = FastAPI()\napp.add_middleware(CORSMiddleware, allow_origins=["a"])'
    code, out, err = on_app(source, "check", "--app", "main:app")

    assert (code, err) == (1, "")
    assert out.startswith("main:app: 1 problem\n\nproblem: allow_origins [origin-invalid]\n")


def test_explain_calls_no_view(on_app: AppCommand) -> None:
    source = f"{SOURCE}\napp = CORSMiddleware(serve, ITEMS)"
    code, out, err = on_app(
        source, "explain", "--app=main:app", f"--page={APP}", "--header=x-trace:1", f"{API}/"
    )

    assert (code, err) == (1, "")
    assert "x-trace is not in Access-Control-Allow-Headers" in out
    assert 'allow_headers=["X-Trace"],' in out


def test_explain_preflight_without_policy_is_not_allowed(on_app: AppCommand) -> None:
    args = ("--app=main:quart", f"--page={APP}", "--method=PUT")
    code, out, _ = on_app(SOURCE, "explain", *args, f"{API}/other")

    assert code == 1
    assert "│ ◀─ 405 ──" in out


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("path", "code"), [("/v1/api/1", 0), ("/api/1", 0), ("/v2/api/1", 1)])
def test_explain_reads_the_path_as_the_router_does(
    on_app: AppCommand, path: str, code: int
) -> None:
    source = f"{SOURCE}\napp = FastAPI()\napp.root_path = '/v1'\n"
    source += "app.add_middleware(CORSMiddleware, policy=GUARD)"
    found, _, _ = on_app(source, "explain", "--app=main:app", f"--page={APP}", f"{API}{path}")

    assert found == code


def test_explain_awaits_a_callable_and_names_it(on_app: AppCommand) -> None:
    source = f"{SOURCE}\napp = CORSMiddleware(serve, allow_origins=[ask])"
    code, out, _ = on_app(source, "explain", "--app=main:app", f"--page={APP}", f"{API}/")

    assert code == 1
    assert f"a callable of allow_origins decided: ask does not allow {APP}" in " ".join(out.split())
