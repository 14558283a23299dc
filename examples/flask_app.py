"""A small API in Flask with corsguard in front of it. Start it with

    flask --app examples/flask_app.py run --host localhost --port 8000

Pages of http://localhost:3000 may use all of /api, with cookies; any page may read /public.
`flask --app examples/flask_app.py cors routes` shows the policy of each URL.
"""

from __future__ import annotations

import csv
import io
import secrets
import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request, session, url_for
from flask.views import MethodView

from corsguard import Guard, Policy
from corsguard_flask import CORSGuard, cors_policy

PAGES = Policy(
    allow_origins=["http://localhost:3000"],
    allow_credentials=True,  # its pages may send the session cookie
    allow_methods=["PUT", "DELETE"],
    allow_headers=["Content-Type"],  # which a page that sends JSON sets
    expose_headers=["Content-Disposition", "Location"],
)
PUBLIC = Policy(allow_origins=["*"])

PASSWORDS = {"ada": "lovelace"}

api = Blueprint("api", __name__, url_prefix="/api")
View = Callable[..., Any]


def create_app(database: str = ":memory:") -> Flask:
    """Build the API, with its own database."""
    app = Flask(__name__)
    # Pages on another site than this API need `SameSite=None; Secure`, and https.
    app.config.update(SECRET_KEY=secrets.token_bytes(), SESSION_COOKIE_SAMESITE="Lax")
    # One connection for all threads: each change is one statement, committed on its own.
    db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT)")
    app.extensions["db"] = db
    app.register_blueprint(api)
    app.add_url_rule("/public/items", view_func=public_items)
    # enforce: pages of other sites can't write, not even with a form, without a preflight.
    cors = CORSGuard(app, Guard({}, enforce=True))
    cors.set_policy(api, PAGES)
    return app


def rows(statement: str, *values: object) -> list[dict[str, object]]:
    """Run a statement and return its rows."""
    return [dict(row) for row in current_app.extensions["db"].execute(statement, values)]


def row(statement: str, *values: object) -> dict[str, object]:
    """Return the first row, or abort with 404."""
    found = rows(statement, *values)
    return found[0] if found else abort(404)


def field(name: str) -> str:
    """Return a field of the JSON body, or abort with 400."""
    given = request.get_json()
    return str(given[name]) if isinstance(given, dict) and name in given else abort(400)


def logged_in(view: View) -> View:
    """Decorate a view that is for those who have logged in. No preflight reaches it."""

    @wraps(view)
    def checked(*args: object, **values: object) -> Any:
        return view(*args, **values) if "user" in session else abort(401)

    return checked


@cors_policy(PUBLIC)
def public_items() -> Response:
    """List all items, for everyone."""
    return jsonify(rows("SELECT * FROM items"))


@api.post("/login")
def log_in() -> tuple[str, int]:
    """Begin a session."""
    user = field("user")
    if PASSWORDS.get(user) != field("password"):
        abort(403)
    session["user"] = user
    return "", 204


@api.get("/items.csv")
def download() -> Response:
    """Download all items."""
    file = io.StringIO()
    csv.writer(file).writerows(item.values() for item in rows("SELECT * FROM items"))
    attachment = {"Content-Disposition": 'attachment; filename="items.csv"'}
    return Response(file.getvalue(), mimetype="text/csv", headers=attachment)


@api.get("/failure")
def fail() -> Response:
    """Fail, to show that Flask's 500 has the CORS headers as well."""
    raise RuntimeError("this endpoint always fails")


class Items(MethodView):
    """The list of items."""

    def get(self) -> Response:
        return jsonify(rows("SELECT * FROM items"))

    @logged_in
    def post(self) -> tuple[Response, int, dict[str, str]]:
        item = row("INSERT INTO items (name) VALUES (?) RETURNING *", field("name"))
        return jsonify(item), 201, {"Location": url_for("api.item", number=item["id"])}


class Item(MethodView):
    """One of them."""

    def get(self, number: int) -> Response:
        return jsonify(row("SELECT * FROM items WHERE id = ?", number))

    @logged_in
    def put(self, number: int) -> Response:
        statement = "UPDATE items SET name = ? WHERE id = ? RETURNING *"
        return jsonify(row(statement, field("name"), number))

    @logged_in
    def delete(self, number: int) -> tuple[str, int]:
        row("DELETE FROM items WHERE id = ? RETURNING *", number)
        return "", 204


api.add_url_rule("/items", view_func=Items.as_view("items"))
api.add_url_rule("/items/<int:number>", view_func=Item.as_view("item"))
