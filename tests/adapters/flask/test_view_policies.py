"""Per-view policies that are particular to Flask; support/rows/views.py has the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, request
from flask.views import MethodView, View
from support.flask_requests import (
    APP,
    EVIL,
    PARTNER,
    PARTNERS,
    POLICY,
    PUBLIC,
    fetch,
    get_allow_origin,
    preflight,
)
from support.flask_views import wrap

from corsguard_flask import CORSGuard, cors_exempt, cors_policy


def get_allow_methods(app: Flask, path: str, method: str, origin: str) -> str | None:
    return preflight(app, path, method, origin).headers.get("Access-Control-Allow-Methods")


def test_decorator_above_or_below_route_applies(app: Flask) -> None:
    @cors_policy(PUBLIC)
    @app.route("/above")
    def above() -> str:
        return "above"

    @app.route("/below")
    @cors_policy(PUBLIC)
    def below() -> str:
        return "below"

    @app.route("/inside")
    @wrap
    @cors_policy(PUBLIC)
    def inside() -> str:
        return "inside"

    @cors_exempt
    @app.route("/exempt-above")
    def exempt_above() -> str:
        return "exempt above"

    @app.route("/exempt-below")
    @cors_exempt
    def exempt_below() -> str:
        return "exempt below"

    assert [get_allow_origin(fetch(app, path)) for path in ("/above", "/below", "/inside")] == [
        "*"
    ] * 3
    for path in ("/exempt-above", "/exempt-below"):
        assert "Vary" not in fetch(app, path).headers


def test_views_on_one_url_apply_by_method(app: Flask) -> None:
    @app.get("/items/<int:number>")
    @cors_policy(PUBLIC)
    def read(number: int) -> str:
        return f"read {number}"

    @app.route("/items/<path:number>", methods=["PUT", "DELETE"])
    @cors_policy(PARTNERS)
    def write(number: str) -> str:
        return f"write {number}"

    @app.route("/items/<number>", methods=["PATCH"])
    def change(number: str) -> str:
        return f"change {number}"

    assert get_allow_origin(fetch(app, "/items/1")) == "*"
    assert get_allow_origin(fetch(app, "/items/1", "PUT", PARTNER)) == PARTNER
    assert get_allow_origin(fetch(app, "/items/1", "PATCH")) == APP
    assert get_allow_methods(app, "/items/1", "GET", EVIL) == "GET, HEAD"
    assert get_allow_methods(app, "/items/1", "PUT", PARTNER) == "DELETE, PUT"
    assert preflight(app, "/items/1", "PUT", APP).status_code == 403


def test_method_without_view_has_policy_of_path(app: Flask) -> None:
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    response = fetch(app, "/own", "DELETE")
    assert (response.status_code, get_allow_origin(response)) == (405, APP)
    assert preflight(app, "/own", "DELETE", PARTNER).status_code == 403
    assert preflight(app, "/own", "PUT", APP).headers["Access-Control-Allow-Methods"] == "PUT"


def test_redirect_to_slash_has_policy_of_path(app: Flask) -> None:
    app.add_url_rule("/own/", "own", cors_policy(PARTNERS)(lambda: "own"))
    app.add_url_rule("/lax/", "lax", cors_policy(PARTNERS)(lambda: "lax"), strict_slashes=False)
    assert get_allow_origin(fetch(app, "/own")) == APP
    assert preflight(app, "/own", "GET", APP).status_code == 204
    assert get_allow_origin(fetch(app, "/lax", origin=PARTNER)) == PARTNER
    assert preflight(app, "/lax", "GET", PARTNER).status_code == 204


def test_options_without_preflight_is_answered_by_flask(app: Flask) -> None:
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    response = fetch(app, "/own", "OPTIONS", PARTNER)
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert get_allow_origin(response) == PARTNER


def test_preflight_of_exempt_view_reaches_application(app: Flask) -> None:
    @app.route("/raw", methods=["PUT", "OPTIONS"], provide_automatic_options=False)
    @cors_exempt
    def raw() -> str:
        return f"{request.method} by hand"

    @app.route("/raw")
    @cors_policy(PARTNERS)
    def read() -> str:
        return "read"

    response = preflight(app, "/raw", "PUT")
    assert (response.status_code, response.text) == (200, "OPTIONS by hand")
    assert preflight(app, "/raw", "GET", PARTNER).status_code == 204


def test_preflight_lower_case_method_reaches_view_policy(app: Flask) -> None:
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"), methods=["PUT"])
    response = preflight(app, "/own", "put", PARTNER)
    assert (response.status_code, get_allow_origin(response)) == (204, PARTNER)
    assert "put" not in response.headers["Access-Control-Allow-Methods"]


class Items(MethodView):
    def get(self) -> str:
        return "get"

    @cors_policy(PARTNERS)
    def put(self) -> str:
        return "put"

    def head(self) -> str:
        return "head"


def test_class_decorated_outside_or_in_decorators_applies(app: Flask) -> None:
    class Listed(Items):
        decorators = [cors_policy(PUBLIC)]  # noqa: RUF012

    app.add_url_rule("/outside", view_func=cors_policy(PUBLIC)(Items.as_view("outside")))
    app.add_url_rule("/listed", view_func=Listed.as_view("listed"))
    app.add_url_rule("/bare", view_func=Items.as_view("bare"))
    for path in ("/outside", "/listed"):
        assert get_allow_origin(fetch(app, path)) == "*"
        assert get_allow_origin(fetch(app, path, "PUT", PARTNER)) == PARTNER
    assert get_allow_origin(fetch(app, "/bare")) == APP
    assert get_allow_origin(fetch(app, "/bare", "PUT")) is None


def test_subclass_inherits_policy_of_class(app: Flask) -> None:
    @cors_exempt
    class Closed(View):
        def dispatch_request(self) -> str:
            return "closed"

    class Opened(Closed):
        @cors_policy(PUBLIC)
        def dispatch_request(self) -> str:
            return "opened"

    class Same(Closed):
        pass

    app.add_url_rule("/opened", view_func=Opened.as_view("opened"))
    app.add_url_rule("/same", view_func=Same.as_view("same"))
    assert get_allow_origin(fetch(app, "/opened")) == "*"
    assert "Vary" not in fetch(app, "/same").headers


def test_head_of_class_has_policy_of_get_or_its_own(app: Flask) -> None:
    class Reading(MethodView):
        @cors_policy(PUBLIC)
        def get(self) -> str:
            return "get"

    class Own(Reading):
        def head(self) -> str:
            return ""

    app.add_url_rule("/reading", view_func=Reading.as_view("reading"))
    app.add_url_rule("/own", view_func=Own.as_view("own"))
    assert get_allow_origin(fetch(app, "/reading", "HEAD")) == "*"
    assert get_allow_origin(fetch(app, "/own", "HEAD")) == APP
    assert get_allow_origin(fetch(app, "/own")) == "*"


def test_blueprint_policy_applies_to_one_application(app: Flask) -> None:
    api = Blueprint("api", __name__, url_prefix="/api")
    api.add_url_rule("/", "index", lambda: "seen")
    cors = CORSGuard(policy={})
    cors.set_policy(api, PARTNERS)
    other = Flask("other")
    cors.init_app(other)
    other.register_blueprint(api, name="renamed")
    app.register_blueprint(api)
    assert get_allow_origin(fetch(other, "/api/", origin=PARTNER)) == PARTNER
    assert get_allow_origin(fetch(app, "/api/")) == APP


def test_blueprint_policy_can_be_replaced_and_removed() -> None:
    api = Blueprint("api", __name__)
    api.add_url_rule("/", "index", lambda: "seen")
    app = Flask(__name__)
    cors = CORSGuard(app, {"/": POLICY})
    app.register_blueprint(api)
    for policy, origin in [(PARTNERS, PARTNER), (PUBLIC, "*"), (None, None)]:
        cors.set_policy(api, policy)
        assert get_allow_origin(fetch(app, "/", origin=PARTNER)) == origin


@pytest.mark.parametrize(
    "put",
    [
        lambda functions, view: functions.__setitem__("view", view),
        lambda functions, view: functions.update(view=view),
        lambda functions, view: functions.__ior__({"view": view}),
        lambda functions, view: (functions.pop("view"), functions.setdefault("view", view)),
    ],
)
@pytest.mark.parametrize("policies", [POLICY, {"/": POLICY}])
def test_replaced_view_has_policy_of_the_new_one(
    put: Callable[[Any, Any], object], policies: Any
) -> None:
    app = Flask(__name__)
    CORSGuard(app, policies)
    app.add_url_rule("/", "view", lambda: "first")
    for _ in range(2):
        assert get_allow_origin(fetch(app, "/")) == APP
    put(app.view_functions, cors_exempt(lambda: "second"))
    assert (fetch(app, "/").text, get_allow_origin(fetch(app, "/"))) == ("second", None)
    app.view_functions = {"view": lambda: "third"}
    assert (fetch(app, "/").text, get_allow_origin(fetch(app, "/"))) == ("third", APP)
    put(app.view_functions, cors_exempt(lambda: "fourth"))
    assert (fetch(app, "/").text, get_allow_origin(fetch(app, "/"))) == ("fourth", None)
