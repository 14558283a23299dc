"""A small API in plain WSGI with corsguard in front of it. Start it with

    python examples/wsgi_app.py

Pages of http://localhost:3000 may use all of /api, with cookies; any page may read /public.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import secrets
import sqlite3
import traceback
from collections.abc import Iterable
from http.cookies import SimpleCookie
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIServer, make_server

from corsguard import Guard, Policy
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PAGES = Policy(
    allow_origins=["http://localhost:3000"],
    allow_credentials=True,  # its pages may send the session cookie
    allow_methods=["PUT", "DELETE"],
    allow_headers=["Content-Type"],  # which a page that sends JSON sets
    expose_headers=["Content-Disposition", "Location"],
)
GUARD = Guard(
    {"/api": PAGES, "/public": Policy(allow_origins=["*"])},
    enforce=True,  # pages of other sites can't write: not even with a form, without a preflight
    enforce_exempt=["/public"],
)

PASSWORDS = {"ada": "lovelace"}

Answer = tuple[str, list[tuple[str, str]], bytes]


class RefusedError(Exception):
    """Ends a request with the status that it holds."""


class Api:
    """A WSGI application: items in SQLite, which those who have logged in may change."""

    def __init__(self, database: str) -> None:
        # One connection for all threads: each change is one statement, committed on its own.
        self.db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.execute("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT)")
        self.sessions: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            respond = self.read if environ["REQUEST_METHOD"] == "GET" else self.write
            status, headers, body = respond(environ)
        except RefusedError as refused:
            status, headers, body = in_json(str(refused), {"error": str(refused)})
        except Exception:
            # Answered here, inside the middleware, an error carries the CORS headers as well.
            traceback.print_exc(file=environ["wsgi.errors"])
            status, headers, body = in_json("500 Internal Server Error", {"error": "a bug"})
        start_response(status, headers)
        return [body]

    def read(self, environ: WSGIEnvironment) -> Answer:
        match environ["PATH_INFO"].split("/")[1:]:
            case ["api" | "public", "items"]:
                return in_json("200 OK", self.rows("SELECT * FROM items"))
            case ["api", "items", number]:
                return in_json("200 OK", self.row("SELECT * FROM items WHERE id = ?", number))
            case ["api", "items.csv"]:
                file = io.StringIO()
                csv.writer(file).writerows(self.db.execute("SELECT * FROM items"))
                content = ("Content-Type", "text/csv; charset=utf-8")
                attachment = ("Content-Disposition", 'attachment; filename="items.csv"')
                return "200 OK", [content, attachment], file.getvalue().encode()
            case ["api", "failure"]:
                raise RuntimeError("this endpoint always fails")
        raise RefusedError("404 Not Found")

    def write(self, environ: WSGIEnvironment) -> Answer:
        path = environ["PATH_INFO"].split("/")[1:]
        if path == ["api", "login"]:
            return self.log_in(form(environ))
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("session")
        if cookie is None or cookie.value not in self.sessions:
            raise RefusedError("401 Unauthorized")
        match environ["REQUEST_METHOD"], path:
            case "POST", ["api", "items"]:
                name = form(environ)["name"]
                item = self.row("INSERT INTO items (name) VALUES (?) RETURNING *", name)
                status, headers, body = in_json("201 Created", item)
                return status, [*headers, ("Location", f"/api/items/{item['id']}")], body
            case "PUT", ["api", "items", number]:
                statement = "UPDATE items SET name = ? WHERE id = ? RETURNING *"
                return in_json("200 OK", self.row(statement, form(environ)["name"], number))
            case "DELETE", ["api", "items", number]:
                self.row("DELETE FROM items WHERE id = ? RETURNING *", number)
                return "204 No Content", [], b""
        raise RefusedError("404 Not Found")

    def log_in(self, form: Form) -> Answer:
        if PASSWORDS.get(form["user"]) != form["password"]:
            raise RefusedError("403 Forbidden")
        session = secrets.token_urlsafe()
        self.sessions.add(session)
        # Pages on another site than this API need `SameSite=None; Secure`, and https.
        cookie = f"session={session}; Path=/api; HttpOnly; SameSite=Lax"
        return "204 No Content", [("Set-Cookie", cookie)], b""

    def rows(self, statement: str, *values: str) -> list[dict[str, object]]:
        return [dict(row) for row in self.db.execute(statement, values)]

    def row(self, statement: str, *values: str) -> dict[str, object]:
        for row in self.rows(statement, *values):
            return row
        raise RefusedError("404 Not Found")


class Form(dict[str, str]):
    """Fields by name; without one that is needed, the request is a bad one."""

    def __missing__(self, name: str) -> str:
        raise RefusedError("400 Bad Request")


def form(environ: WSGIEnvironment) -> Form:
    """Return the fields of the JSON body."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        return Form({name: str(value) for name, value in json.loads(body).items()})
    except (ValueError, AttributeError):  # it is no JSON, or no object
        raise RefusedError("400 Bad Request") from None


def in_json(status: str, value: object) -> Answer:
    """Build a JSON response."""
    return status, [("Content-Type", "application/json")], json.dumps(value).encode()


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """A thread for each connection, as browsers open some that they do not use yet."""

    daemon_threads = True


def main() -> None:
    """Serve the API on this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    app = CORSMiddleware(Api(":memory:"), GUARD)
    with make_server("localhost", port, app, server_class=ThreadingServer) as server:
        print(f"Serving at http://localhost:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
