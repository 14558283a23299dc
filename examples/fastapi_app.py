"""A small API in FastAPI behind corsguard. Start it with

    uvicorn --app-dir examples fastapi_app:app

or with FastAPI's own command, `fastapi dev examples/fastapi_app.py`.

Pages of http://localhost:3000 may use all of /api, with cookies; any page may read /public.
The items are kept in the file that DATABASE names, or in memory.
"""

from __future__ import annotations

import csv
import io
import os
import secrets
import sqlite3
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, FastAPI, HTTPException, Response
from pydantic import BaseModel

from corsguard import Policy
from corsguard_starlette import CORSGuard, cors_policy

PAGES = Policy(
    allow_origins=["http://localhost:3000"],
    allow_credentials=True,  # pages may send the session cookie
    allow_methods=["PUT", "DELETE"],
    allow_headers=["Content-Type"],  # a page that sends JSON sets it
    expose_headers=["Content-Disposition", "Location"],
)
PASSWORDS = {"ada": "lovelace"}

# One connection for all threads: SQLite itself lets one statement run at a time.
db = sqlite3.connect(
    os.environ.get("DATABASE", ":memory:"), isolation_level=None, check_same_thread=False
)
db.execute("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT)")
sessions: dict[str, str] = {}


class Login(BaseModel):
    """The credentials of a user."""

    user: str
    password: str


class Draft(BaseModel):
    """The fields of an item that a client sets."""

    name: str


class Item(Draft):
    """A stored item."""

    id: int


def check_session(session: Annotated[str, Cookie()] = "") -> None:
    """Raise 401 unless the session is logged in."""
    if session not in sessions:
        raise HTTPException(401)


api = APIRouter(prefix="/api")
logged_in = [Depends(check_session)]


@api.post("/login", status_code=204)
def log_in(login: Login, response: Response) -> None:
    """Begin a session, in a cookie."""
    known = PASSWORDS.get(login.user)
    if known is None or not secrets.compare_digest(known.encode(), login.password.encode()):
        raise HTTPException(403)
    session = secrets.token_urlsafe()
    sessions[session] = login.user
    # A page on another site than this API needs `SameSite=None; Secure`, and https.
    response.set_cookie("session", session, path="/api", httponly=True, samesite="lax")


@api.get("/items")
def list_items() -> list[Item]:
    """List all items."""
    rows = db.execute("SELECT id, name FROM items ORDER BY id")
    return [Item(id=number, name=name) for number, name in rows]


@api.post("/items", status_code=201, dependencies=logged_in)
def create(draft: Draft, response: Response) -> Item:
    """Store a new item."""
    kept = db.execute("INSERT INTO items (name) VALUES (?) RETURNING id", [draft.name])
    (number,) = kept.fetchone()
    response.headers["Location"] = f"/api/items/{number}"
    return Item(id=number, name=draft.name)


@api.get("/items/{number}")
def read(number: int) -> Item:
    """Return an item."""
    for item in list_items():
        if item.id == number:
            return item
    raise HTTPException(404)


@api.put("/items/{number}", dependencies=logged_in)
def update(number: int, draft: Draft) -> Item:
    """Change an item."""
    change("UPDATE items SET name = ? WHERE id = ?", draft.name, number)
    return Item(id=number, name=draft.name)


@api.delete("/items/{number}", status_code=204, dependencies=logged_in)
def delete(number: int) -> None:
    """Remove an item."""
    change("DELETE FROM items WHERE id = ?", number)


def change(statement: str, *values: str | int) -> None:
    """Run a statement, which must find its item."""
    if db.execute(statement, values).rowcount == 0:
        raise HTTPException(404)


@api.get("/items.csv")
def download() -> Response:
    """Download all items."""
    file = io.StringIO()
    csv.writer(file).writerows((item.id, item.name) for item in list_items())
    return Response(
        file.getvalue(),
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="items.csv"'},
    )


@api.get("/failure")
def fail() -> None:
    """Fail, to show that a page may read even that."""
    raise RuntimeError("this endpoint always fails")


app = FastAPI(title="Items")
app.include_router(api)

# `app` stays the FastAPI object, which `fastapi dev` and `fastapi run` look for.
# `enforce`: pages of other sites can't write, not even with a form, whatever cookies they send.
cors = CORSGuard(app, routes={"/api": PAGES}, enforce=True)


@app.get("/public/count")
@cors_policy(allow_origins=["*"])  # the policy of this view alone
def count() -> dict[str, int]:
    """Count the items, for anyone."""
    return {"items": len(list_items())}
