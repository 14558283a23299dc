"""Policies of Flask's views, where the shared table does not reach: DESIGN 5.1, 5.5 and 5.6."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest
from adapters.flask.facts import (
    APP,
    EVIL,
    PARTNER,
    PARTNERS,
    POLICY,
    PUBLIC,
    allowed,
    fetch,
    preflight,
)
from flask import Blueprint, Flask, Request, current_app, request, session
from flask.views import MethodView, View
from werkzeug.routing import BaseConverter, MapAdapter
from werkzeug.wsgi import get_host

from corsguard import Decision, Facts, Guard, Kind, Reason
from corsguard_flask import CORSGuard, cors_exempt, cors_policy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


@pytest.fixture
def app() -> Flask:
    made = Flask(__name__)
    CORSGuard(made, {"/": POLICY})
    return made


def logged_in(view: Callable[..., str]) -> Callable[..., str]:
    @wraps(view)
    def checked(**values: Any) -> str:
        return view(**values)

    return checked


def methods_of(app: Flask, path: str, method: str, origin: str) -> str | None:
    return preflight(app, path, method, origin).headers.get("Access-Control-Allow-Methods")


def test_a_view_is_decorated_above_or_below_its_route(app: Flask) -> None:
    @cors_policy(PUBLIC)
    @app.route("/above")
    def above() -> str:
        return "above"

    @app.route("/below")
    @cors_policy(PUBLIC)
    def below() -> str:
        return "below"

    @app.route("/inside")
    @logged_in
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

    assert [allowed(fetch(app, path)) for path in ("/above", "/below", "/inside")] == ["*"] * 3
    for path in ("/exempt-above", "/exempt-below"):
        assert "Vary" not in fetch(app, path).headers


def test_5_6_two_views_on_one_url_by_method(app: Flask) -> None:
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

    assert allowed(fetch(app, "/items/1")) == "*"
    assert allowed(fetch(app, "/items/1", "PUT", PARTNER)) == PARTNER
    assert allowed(fetch(app, "/items/1", "PATCH")) == APP
    assert methods_of(app, "/items/1", "GET", EVIL) == "GET, HEAD"
    assert methods_of(app, "/items/1", "PUT", PARTNER) == "DELETE, PUT"
    assert preflight(app, "/items/1", "PUT", APP).status_code == 403


def test_5_6_a_method_that_reaches_no_view_has_the_policy_of_the_path(app: Flask) -> None:
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    response = fetch(app, "/own", "DELETE")
    assert (response.status_code, allowed(response)) == (405, APP)
    assert preflight(app, "/own", "DELETE", PARTNER).status_code == 403
    assert preflight(app, "/own", "PUT", APP).headers["Access-Control-Allow-Methods"] == "PUT"


def test_5_6_a_redirect_to_a_slash_reaches_no_view(app: Flask) -> None:
    app.add_url_rule("/own/", "own", cors_policy(PARTNERS)(lambda: "own"))
    app.add_url_rule("/lax/", "lax", cors_policy(PARTNERS)(lambda: "lax"), strict_slashes=False)
    assert allowed(fetch(app, "/own")) == APP
    assert preflight(app, "/own", "GET", APP).status_code == 204
    assert allowed(fetch(app, "/lax", origin=PARTNER)) == PARTNER
    assert preflight(app, "/lax", "GET", PARTNER).status_code == 204


def test_5_1_options_that_is_no_preflight_is_flask_s(app: Flask) -> None:
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    response = fetch(app, "/own", "OPTIONS", PARTNER)
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert allowed(response) == PARTNER


def test_5_1_a_preflight_where_no_policy_holds_reaches_the_application(app: Flask) -> None:
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


def test_5_6_flask_reads_methods_in_any_case_and_browsers_do_not(app: Flask) -> None:
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"), methods=["PUT"])
    response = preflight(app, "/own", "put", PARTNER)
    assert (response.status_code, allowed(response)) == (204, PARTNER)
    assert "put" not in response.headers["Access-Control-Allow-Methods"]


class Items(MethodView):
    def get(self) -> str:
        return "get"

    @cors_policy(PARTNERS)
    def put(self) -> str:
        return "put"

    def head(self) -> str:
        return "head"


def test_5_6_a_class_is_decorated_from_outside_and_in_its_decorators(app: Flask) -> None:
    class Listed(Items):
        decorators = [cors_policy(PUBLIC)]  # noqa: RUF012

    app.add_url_rule("/outside", view_func=cors_policy(PUBLIC)(Items.as_view("outside")))
    app.add_url_rule("/listed", view_func=Listed.as_view("listed"))
    app.add_url_rule("/bare", view_func=Items.as_view("bare"))
    for path in ("/outside", "/listed"):
        assert allowed(fetch(app, path)) == "*"
        assert allowed(fetch(app, path, "PUT", PARTNER)) == PARTNER
    assert allowed(fetch(app, "/bare")) == APP
    assert allowed(fetch(app, "/bare", "PUT")) is None


def test_5_6_a_subclass_has_the_policy_of_its_class(app: Flask) -> None:
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
    assert allowed(fetch(app, "/opened")) == "*"
    assert "Vary" not in fetch(app, "/same").headers


def test_5_6_head_of_a_class_is_its_own_or_the_one_of_get(app: Flask) -> None:
    class Reading(MethodView):
        @cors_policy(PUBLIC)
        def get(self) -> str:
            return "get"

    class Own(Reading):
        def head(self) -> str:
            return ""

    app.add_url_rule("/reading", view_func=Reading.as_view("reading"))
    app.add_url_rule("/own", view_func=Own.as_view("own"))
    assert allowed(fetch(app, "/reading", "HEAD")) == "*"
    assert allowed(fetch(app, "/own", "HEAD")) == APP
    assert allowed(fetch(app, "/own")) == "*"


def test_blueprints_have_policies_for_each_application(app: Flask) -> None:
    api = Blueprint("api", __name__, url_prefix="/api")
    api.add_url_rule("/", "index", lambda: "seen")
    cors = CORSGuard(policy={})
    cors.set_policy(api, PARTNERS)
    other = Flask("other")
    cors.init_app(other)
    other.register_blueprint(api, name="renamed")
    app.register_blueprint(api)
    assert allowed(fetch(other, "/api/", origin=PARTNER)) == PARTNER
    assert allowed(fetch(app, "/api/")) == APP


def test_the_policy_of_a_blueprint_is_replaced_and_removed() -> None:
    api = Blueprint("api", __name__)
    api.add_url_rule("/", "index", lambda: "seen")
    app = Flask(__name__)
    cors = CORSGuard(app, {"/": POLICY})
    app.register_blueprint(api)
    for policy, origin in [(PARTNERS, PARTNER), (PUBLIC, "*"), (None, None)]:
        cors.set_policy(api, policy)
        assert allowed(fetch(app, "/", origin=PARTNER)) == origin


def test_subdomains_are_matched() -> None:
    app = Flask(__name__, subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    CORSGuard(app, {"/": POLICY})
    app.add_url_rule("/", "own", cors_policy(PUBLIC)(lambda: "own"), subdomain="api")
    app.add_url_rule("/", "index", lambda: "index", subdomain="www")
    assert allowed(fetch(app, "/", Host="api.example.com")) == "*"
    assert allowed(fetch(app, "/", Host="www.example.com")) == APP
    asked = {"Access_Control_Request_Method": "GET", "origin": EVIL}
    assert fetch(app, "/", "OPTIONS", Host="api.example.com", **asked).status_code == 204
    assert fetch(app, "/", "OPTIONS", Host="www.example.com", **asked).status_code == 403


def test_hosts_are_matched() -> None:
    app = Flask(__name__, host_matching=True, static_folder=None)
    CORSGuard(app, {"/": POLICY})
    app.add_url_rule("/", "own", cors_policy(PUBLIC)(lambda: "own"), host="api.example.com")
    asked = {"Access_Control_Request_Method": "GET", "origin": EVIL}
    assert fetch(app, "/", "OPTIONS", Host="api.example.com", **asked).status_code == 204
    assert fetch(app, "/", "OPTIONS", Host="www.example.com", **asked).status_code == 403


class Trusting(Flask):
    """What Flask 3.1 does by its setting TRUSTED_HOSTS."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is not None:
            get_host(request.environ, ["api.example.com"])
        return super().create_url_adapter(request)


def test_a_host_that_is_not_trusted_reaches_no_view() -> None:
    app = Trusting(__name__)
    CORSGuard(app, {"/": POLICY})
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    asked = {"origin": PARTNER, "Access_Control_Request_Method": "GET"}
    assert fetch(app, "/own", "OPTIONS", Host="api.example.com", **asked).status_code == 204
    assert fetch(app, "/own", "OPTIONS", Host="evil.example", **asked).status_code == 403
    response = fetch(app, "/own", Host="evil.example")
    assert (response.status_code, allowed(response)) == (400, APP)


def counting(app: Flask) -> list[str]:
    """The values that a converter of the application was asked about."""
    asked: list[str] = []

    class Counting(BaseConverter):
        def to_python(self, value: str) -> str:
            asked.append(f"{value} in {current_app.name}")
            return value

    app.url_map.converters["counting"] = Counting
    return asked


@pytest.mark.parametrize("enforce", [False, True])
def test_the_url_is_matched_once_unless_the_answer_depends_on_it_before(enforce: bool) -> None:
    app = Flask("counted")
    CORSGuard(app, Guard({"/": POLICY}, enforce=enforce))
    asked = counting(app)
    own = cors_policy(PARTNERS)(lambda item: item)
    app.add_url_rule("/<counting:item>", "own", own, methods=["GET", "PUT"])
    fetch(app, "/one")
    fetch(app, "/two", origin=None)
    fetch(app, "/three", "PUT", Sec_Fetch_Site="same-origin")
    fetch(app, "/four", "PUT", origin=None)
    assert asked == [f"{item} in counted" for item in ("one", "two", "three", "four")]
    asked.clear()
    preflight(app, "/five", "PUT", PARTNER)
    assert asked
    asked.clear()
    fetch(app, "/six", "PUT", PARTNER)
    assert len(asked) == (2 if enforce else 1)


def test_a_converter_that_wants_a_request_says_so_before_anything_is_answered(app: Flask) -> None:
    class OfSession(BaseConverter):
        def to_python(self, value: str) -> str:
            return str(session.get(value))

    app.url_map.converters["session"] = OfSession
    app.add_url_rule("/<session:item>", "own", cors_policy(PARTNERS)(lambda item: item))
    with pytest.raises(RuntimeError, match="request context"):
        preflight(app, "/one", "GET", PARTNER)


def test_views_that_are_added_after_the_first_preflight_are_seen(app: Flask) -> None:
    assert preflight(app, "/late", "PUT", PARTNER).status_code == 403
    app.add_url_rule("/late", "late", cors_policy(PARTNERS)(lambda: "late"), methods=["PUT"])
    assert preflight(app, "/late", "PUT", PARTNER).status_code == 204


def test_4_a_view_reads_the_decision_by_its_own_policy(app: Flask) -> None:
    seen: list[Decision] = []
    app.before_request(lambda: seen.append(request.environ["corsguard.decision"]))
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    fetch(app, "/own")
    assert seen[0].reason is Reason.ORIGIN_NOT_ALLOWED


def test_5_7_a_request_is_told_once_with_the_view_s_name(app: Flask) -> None:
    told: list[tuple[Reason, str | None]] = []

    def subscriber(decision: Decision, facts: Facts) -> None:
        told.append((decision.reason, facts.route))

    app.extensions["corsguard"].guard.subscribe(subscriber)
    own = cors_policy(PARTNERS)(lambda: "own")
    app.add_url_rule("/own", "views.own", own, methods=["GET", "PUT"])
    app.add_url_rule("/plain", "plain", lambda: "plain")
    fetch(app, "/own", origin=PARTNER)
    preflight(app, "/own", "PUT", EVIL)
    preflight(app, "/plain", "GET")
    assert told == [
        (Reason.ALLOWED, "views.own"),
        (Reason.ORIGIN_NOT_ALLOWED, "views.own"),
        (Reason.ALLOWED, "/"),
    ]


def enforced_behind(middleware: Callable[[WSGIApplication], WSGIApplication]) -> Flask:
    """An application that partners may post to, and with a middleware between it and its guard."""
    app = Flask(__name__)
    app.wsgi_app = middleware(app.wsgi_app)  # type: ignore[assignment,method-assign]
    CORSGuard(app, Guard({"/": POLICY}, enforce=True))
    app.add_url_rule("/", "post", cors_policy(PARTNERS)(lambda: "posted"), methods=["POST"])
    app.add_url_rule("/", "delete", lambda: "deleted", methods=["DELETE"])
    return app


def overriding_the_method(inner: WSGIApplication) -> WSGIApplication:
    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ.get("HTTP_X_METHOD", environ["REQUEST_METHOD"])
        return inner({**environ, "REQUEST_METHOD": method}, start_response)

    return outer


def test_5_5_enforcement_holds_for_the_view_that_is_reached_in_the_end() -> None:
    app = enforced_behind(overriding_the_method)
    assert fetch(app, "/", "POST", PARTNER).text == "posted"
    response = fetch(app, "/", "POST", PARTNER, X_Method="DELETE")
    assert (response.status_code, allowed(response)) == (403, None)
    assert response.text.startswith("corsguard: cross-origin refused")
    assert fetch(app, "/", "GET", EVIL, X_Method="DELETE").status_code == 403
    assert fetch(app, "/", "POST", APP, X_Method="DELETE").status_code == 403


def test_5_6_what_answers_in_place_of_a_view_has_the_view_s_policy() -> None:
    def cached(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = "/"
        start_response("200 OK", [])
        return [b"cached"]

    stored = Flask(__name__)
    stored.wsgi_app = cached  # type: ignore[method-assign]
    CORSGuard(stored, {"/": POLICY})
    stored.add_url_rule("/exempt", "exempt", cors_exempt(lambda: "exempt"))
    stored.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    assert "Vary" not in fetch(stored, "/exempt").headers
    assert allowed(fetch(stored, "/own", origin=PARTNER)) == PARTNER
    assert allowed(fetch(stored, "/nowhere")) == APP


def test_5_6_a_converter_that_fails_leaves_the_policy_of_the_path(app: Flask) -> None:
    class Failing(BaseConverter):
        def to_python(self, value: str) -> str:
            raise LookupError

    app.url_map.converters["failing"] = Failing
    app.add_url_rule("/<failing:item>", "own", cors_policy(PARTNERS)(lambda item: item))
    response = fetch(app, "/one")
    assert (response.status_code, allowed(response)) == (500, APP)


def test_5_5_report_lets_the_request_on(app: Flask) -> None:
    reported = Flask(__name__)
    CORSGuard(reported, Guard({"/": POLICY}, enforce="report"))
    told: list[Kind] = []
    own = cors_policy(PARTNERS)(lambda: "own")
    reported.add_url_rule("/own", "own", own, methods=["POST"])
    guard: Guard = reported.extensions["corsguard"].guard
    guard.subscribe(lambda decision, facts: told.append(decision.kind))
    assert fetch(reported, "/own", "POST", EVIL).text == "own"
    assert told == [Kind.ACTUAL]
