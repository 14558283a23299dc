"""`corsguard` with `--app` on Starlette and FastAPI applications."""

from __future__ import annotations

import re

import pytest
from support.app_command import AppCommand

APP = "https://app.example.com"
OTHER = "https://b.example"
API = "https://api.example.com"
SOURCE = """
from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware as StarletteCORS
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, Route, WebSocketRoute

ITEMS = Policy(allow_origins=["https://app.example.com"], allow_methods=["PUT"])
PUBLIC = Policy(allow_origins=["*"])

async def called(*_, **__): raise SystemExit("a view was called")

class Wrapper:
    def __init__(self, inner): self.inner = inner
    async def __call__(self, scope, receive, send): await self.inner(scope, receive, send)

app = FastAPI(openapi_url=None)
"""
VIEWS = """
cors = CORSGuard(app, {"/": ITEMS, "/api/off": None})

@app.get("/prices")
@cors_policy(allow_origins=["*"])
async def prices(): await called()

@app.put("/items/{item}")
async def put_item(item: int): await called()

@app.get("/list/")
def list_items(): raise SystemExit("a view was called")

router = APIRouter(prefix="/internal")
router.get("/one")(prices.__wrapped__ if hasattr(prices, "__wrapped__") else list_items)
app.include_router(router)
cors.set_policy(router, None)
wrapped = Wrapper(app)
"""
PLAIN = """
app.get("/api/list")(called)
app.put("/api/{path:path}")(called)
app.get("/other")(called)
"""
LISTED = f'{PLAIN}\napp.add_middleware(CORSMiddleware, policy={{"/api": ITEMS}})\n'
REPORT = """\
main:app: no problems

/
  origins      https://app.example.com
  credentials  not allowed
  methods      GET, HEAD, POST, PUT
  headers      none
  exposed      none
  max-age      7200 s

/api/off
  origins      none: no CORS here

the view prices
  origins      *
  credentials  not allowed
  methods      GET, HEAD, POST
  headers      none
  exposed      none
  max-age      7200 s

every view of the router /internal
  origins      none: no CORS here

enforce
  off: requests from other origins are served, and browsers hide the responses
"""


def read_rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(re.split("  +", row)) for row in table.partition("\n\n")[0].splitlines()]


def test_check_shows_policies_of_paths_and_views(on_app: AppCommand) -> None:
    assert on_app(SOURCE + VIEWS, "check", "--app", "main:app") == (0, REPORT, "")


@pytest.mark.parametrize("app", ["main", "main:wrapped"])
def test_routes_name_the_policy_of_each_url(on_app: AppCommand, app: str) -> None:
    code, out, err = on_app(SOURCE + VIEWS, "routes", "--app", app)

    assert (code, err) == (0, "")
    assert read_rows(out) == [
        ("METHODS", "URL", "POLICY", "FROM"),
        ("GET", "/prices", "A", "the view prices"),
        ("PUT", "/items/{item}", "B", 'route "/"'),
        ("GET", "/list/", "B", 'route "/"'),
        ("GET", "/internal/one", "no CORS", "every view of the router /internal"),
    ]


def test_list_of_policies_of_a_router_is_shown_one_by_one(on_app: AppCommand) -> None:
    source = f"""{SOURCE}
cors, router = CORSGuard(app, {{"/": None}}), APIRouter(prefix="/r")
router.get("/one")(called)
app.include_router(router)
cors.set_policy(router, [ITEMS, PUBLIC])
"""
    _, out, _ = on_app(source, "check", "--app", "main")
    assert "\nevery view of the router /r[1]\n  origins      *\n" in out
    _, out, _ = on_app(source, "routes", "--app", "main")
    assert read_rows(out)[1:] == [
        ("GET", "/r/one", "A", "every view of the router /r[0]"),
        ("GET", "/r/one", "B", "every view of the router /r[1]"),
    ]


def test_routes_of_a_starlette_factory(on_app: AppCommand) -> None:
    source = f"""{SOURCE}
def create_app():
    routes = [Route("/a", called), WebSocketRoute("/b", called), Mount("/c", app=Wrapper(called))]
    app = Starlette(routes=routes)
    CORSGuard(app, PUBLIC)
    return app
"""
    code, out, _ = on_app(source, "routes", "--app", "main:create_app()")

    assert code == 0
    assert read_rows(out)[1:] == [
        ("GET", "/a", "A", "every path"),
        ("GET", "/b (WebSocket)", "A", "every path"),
        ("any method", "/c/{path}", "A", "every path"),
    ]


def test_check_reports_routes_that_do_not_fit(on_app: AppCommand) -> None:
    source = f'{SOURCE}\nCORSGuard(app, PUBLIC)\napp.put("/items")(called)'
    code, out, _ = on_app(source, "check", "--app", "main")

    assert code == 0
    assert 'warning: route "/items" [route-method-not-allowed]' in out


def test_check_unreachable_policies_are_problems(on_app: AppCommand) -> None:
    source = f"{SOURCE}\ncors = CORSGuard(app, PUBLIC)\ncors.set_policy(APIRouter(), None)"
    source += "\n@cors_exempt\ndef forgotten(): ..."
    code, out, err = on_app(source, "check", "--app", "main")

    assert (code, err) == (1, "")
    assert out.startswith("main: 2 problems\n")
    assert out.count("[view-policy-unreachable]") == 2
    assert "set_policy has no effect on <fastapi.routing.APIRouter object at" in " ".join(
        out.split()
    )


@pytest.mark.parametrize(
    "guard", ["CORSGuard(app, ITEMS)", "app.add_middleware(CORSMiddleware, policy=ITEMS)"]
)
def test_check_second_cors_middleware_is_a_problem(on_app: AppCommand, guard: str) -> None:
    source = f"{SOURCE}\napp.add_middleware(StarletteCORS)\n{guard}"
    code, out, err = on_app(source, "check", "--app", "main")

    assert (code, err) == (1, "")
    assert "problem: app [starlette-cors]\n" in out


def test_check_policy_that_does_not_start_names_its_line(on_app: AppCommand) -> None:
    source = f'{SOURCE}\nCORSGuard(app, allow_origins=["a.example"])'
    code, out, err = on_app(source, "check", "--app", "main:app")

    assert (code, err) == (1, "")
    assert out.startswith("main:app (main.py:25): 1 problem\n\nproblem: allow_origins [origin-inv")


def test_check_view_policy_that_can_not_be_enforced(on_app: AppCommand) -> None:
    source = f"{SOURCE}\nCORSGuard(app, {{}})"
    code, out, err = on_app(source, "check", "--app", "main:app")

    assert (code, err) == (1, "")
    assert out.startswith("main:app: 1 problem\n\nproblem: policy [no-policy]\n")


@pytest.mark.parametrize("command", ["check", "routes"])
def test_application_without_guard_says_how_to_add_it(on_app: AppCommand, command: str) -> None:
    code, out, err = on_app(SOURCE, command, "--app", "main:app")

    assert (code, out) == (1 if command == "check" else 2, "")
    assert err == (
        "corsguard: main:app has no CORSGuard. Add it: CORSGuard(app, allow_origins=[...]), "
        "with `from corsguard_starlette import CORSGuard`\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        LISTED,
        f'{PLAIN}\napp = CORSMiddleware(app, {{"/api": ITEMS}})',
        f'{PLAIN}\napp = Wrapper(CORSMiddleware(app, {{"/api": ITEMS}}))',
    ],
)
def test_routes_behind_cors_middleware_have_its_policies(on_app: AppCommand, source: str) -> None:
    code, out, err = on_app(SOURCE + source, "routes", "--app", "main:app")

    assert (code, err) == (0, "")
    assert read_rows(out)[1:] == [
        ("GET", "/api/list", "A", 'route "/api"'),
        ("PUT", "/api/{path:path}", "A", 'route "/api"'),
        ("GET", "/other", "no CORS", "no route"),
    ]


def test_check_middleware_added_after_corsguard(on_app: AppCommand) -> None:
    source = f"{SOURCE}{LISTED}app.add_middleware(GZipMiddleware)\n"
    source += "app.add_middleware(TrustedHostMiddleware)"
    code, out, _ = on_app(source, "check", "--app", "main:app")

    assert code == 0
    assert out.startswith("""\
main:app: no problems, 1 warning

warning: app [middleware-in-front]
  starlette.middleware.trustedhost.TrustedHostMiddleware is outside of corsguard
  and may answer requests itself: no policy applies to them
  fix          add CORSMiddleware last, or use CORSGuard of corsguard_starlette,
               unless it passes every request on

more, offline by `corsguard explain-code middleware-in-front`
  https://corsguard.readthedocs.io/en/stable/problems.html#middleware-in-front

note
  starlette.middleware.gzip.GZipMiddleware is outside of corsguard: it passes
  every request on

/api
""")


@pytest.mark.parametrize("guarded", ["main:wrapped", "main:listed", "main:outer"])
def test_check_unknown_middleware_around_is_a_warning(on_app: AppCommand, guarded: str) -> None:
    source = f"""{SOURCE}{VIEWS}
inner = FastAPI()
inner.add_middleware(CORSMiddleware, policy=PUBLIC)
listed, outer = Wrapper(inner), Wrapper(CORSMiddleware(FastAPI(), PUBLIC))
"""
    code, out, _ = on_app(source, "check", "--app", guarded)

    assert code == 0
    assert out.startswith(f"""\
{guarded}: no problems, 1 warning

warning: app [middleware-in-front]
  main.Wrapper is outside of corsguard and may answer requests itself: no policy
  applies to them
  fix          add it with app.add_middleware, which puts it inside of
               corsguard, unless it passes every request on
""")


def test_check_proxy_headers_around_are_a_note(on_app: AppCommand) -> None:
    source = f"""{SOURCE}{VIEWS}
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
outer = ProxyHeadersMiddleware(app)
"""
    code, out, _ = on_app(source, "check", "--app", "main:outer")

    assert code == 0
    assert out.startswith("main:outer: no problems\n\nnote\n  uvicorn.middleware.proxy_headers.")


def test_check_middleware_inside_of_corsguard_is_not_reported(on_app: AppCommand) -> None:
    source = f"{SOURCE}{PLAIN}app.add_middleware(TrustedHostMiddleware)\n"
    listed = f"{source}app.add_middleware(CORSMiddleware, policy=ITEMS)"
    wrapped = f"{source}app = CORSMiddleware(app, ITEMS)"

    assert on_app(listed, "check", "--app", "main:app").out.startswith("main:app: no problems\n")
    assert on_app(wrapped, "check", "--app", "main:app").out.startswith("main:app: no problems\n")


@pytest.mark.parametrize(
    ("path", "args", "page", "code", "words"),
    [
        ("/prices", (), OTHER, 0, "access-control-allow-origin: *"),
        ("/items/1", ("--method=PUT",), APP, 0, "access-control-allow-methods: GET, HEAD, POST"),
        ("/items/1", (), APP, 0, "  status   405\n"),
        ("/missing", (), APP, 0, "  status   404\n"),
        ("/list", (), APP, 0, "│ ✓ 307 to https://api.example.com/list/"),
        ("/list/", (), APP, 0, "  status   200\n"),
        ("/prices/", (), OTHER, 1, "│ ◀─ 307 ──"),
        ("/internal/one", (), APP, 1, "# the policy of every view of the router /internal, which"),
        ("/items/1", ("--method=PUT",), OTHER, 1, "    # the policy of the route /\n"),
    ],
)
def test_explain_follows_routing_and_view_policies(
    on_app: AppCommand, path: str, args: tuple[str, ...], page: str, code: int, words: str
) -> None:
    options = ("--app=main:app", f"--page={page}", *args)
    found, out, err = on_app(SOURCE + VIEWS, "explain", *options, f"{API}{path}")

    assert (found, err) == (code, "")
    assert words in out


@pytest.mark.parametrize(("path", "status"), [("/api/list", 200), ("/api/x", 405)])
def test_explain_behind_cors_middleware_follows_routing(
    on_app: AppCommand, path: str, status: int
) -> None:
    options = ("--app=main:app", f"--page={APP}")
    code, out, _ = on_app(SOURCE + LISTED, "explain", *options, f"{API}{path}")

    assert (code, f"  status   {status}\n" in out) == (0, True)


def test_explain_removes_the_root_path_of_fastapi(on_app: AppCommand) -> None:
    source = f'{SOURCE}\nCORSGuard(app, {{"/api": ITEMS}})\napp.get("/api/list")(called)'
    source += '\napp.root_path = "/v1"'
    code, out, _ = on_app(
        source, "explain", "--app=main:app", f"--page={APP}", f"{API}/v1/api/list"
    )

    assert (code, "  status   200\n" in out) == (0, True)


def test_explain_convertor_that_raises_is_an_error(on_app: AppCommand) -> None:
    source = f"""{SOURCE}
from starlette.convertors import Convertor, register_url_convertor

class Failing(Convertor[str]):
    regex = "[^/]+"
    def convert(self, value): raise LookupError(value)
    def to_string(self, value): return value

register_url_convertor("failing", Failing())
app = Starlette(routes=[Route("/{{name:failing}}", called)])
CORSGuard(app, ITEMS)
"""
    code, out, _ = on_app(source, "explain", "--app=main:app", f"--page={APP}", f"{API}/x")

    assert (code, "  status   500\n" in out) == (0, True)


def test_explain_callable_of_a_view_that_decided_is_named(on_app: AppCommand) -> None:
    source = f"""{SOURCE}
async def ask(origin): return False
CORSGuard(app, ITEMS)
app.get("/tenants")(cors_policy(allow_origins=[ask])(called))
"""
    code, out, _ = on_app(source, "explain", "--app=main:app", f"--page={APP}", f"{API}/tenants")

    assert code == 1
    assert f"a callable of allow_origins decided: ask does not allow {APP}" in " ".join(out.split())
