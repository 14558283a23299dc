"""Decisions by the view that the URL of a request reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest
from flask import Flask, Request, current_app, request, session
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
from werkzeug.routing import BaseConverter, MapAdapter
from werkzeug.wsgi import get_host

from corsguard import CORSRequest, Decision, Guard, Kind, Reason
from corsguard_flask import CORSGuard, cors_exempt, cors_policy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def test_view_policy_by_subdomain_applies() -> None:
    app = Flask(__name__, subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    CORSGuard(app, {"/": POLICY})
    app.add_url_rule("/", "own", cors_policy(PUBLIC)(lambda: "own"), subdomain="api")
    app.add_url_rule("/", "index", lambda: "index", subdomain="www")
    assert get_allow_origin(fetch(app, "/", Host="api.example.com")) == "*"
    assert get_allow_origin(fetch(app, "/", Host="www.example.com")) == APP
    asked = {"Access_Control_Request_Method": "GET", "origin": EVIL}
    assert fetch(app, "/", "OPTIONS", Host="api.example.com", **asked).status_code == 204
    assert fetch(app, "/", "OPTIONS", Host="www.example.com", **asked).status_code == 403


def test_view_policy_by_host_applies() -> None:
    app = Flask(__name__, host_matching=True, static_folder=None)
    CORSGuard(app, {"/": POLICY})
    app.add_url_rule("/", "own", cors_policy(PUBLIC)(lambda: "own"), host="api.example.com")
    asked = {"Access_Control_Request_Method": "GET", "origin": EVIL}
    assert fetch(app, "/", "OPTIONS", Host="api.example.com", **asked).status_code == 204
    assert fetch(app, "/", "OPTIONS", Host="www.example.com", **asked).status_code == 403


class Trusting(Flask):
    """An application that checks its host, as Flask 3.1 does for TRUSTED_HOSTS."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is not None:
            get_host(request.environ, ["api.example.com"])
        return super().create_url_adapter(request)


def test_untrusted_host_has_policy_of_path() -> None:
    app = Trusting(__name__)
    CORSGuard(app, {"/": POLICY})
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    asked = {"origin": PARTNER, "Access_Control_Request_Method": "GET"}
    assert fetch(app, "/own", "OPTIONS", Host="api.example.com", **asked).status_code == 204
    assert fetch(app, "/own", "OPTIONS", Host="evil.example", **asked).status_code == 403
    response = fetch(app, "/own", Host="evil.example")
    assert (response.status_code, get_allow_origin(response)) == (400, APP)


def record_conversions(app: Flask) -> list[str]:
    """Return the list to which the converter `counting` appends each value that it converts."""
    asked: list[str] = []

    class Counting(BaseConverter):
        def to_python(self, value: str) -> str:
            asked.append(f"{value} in {current_app.name}")
            return value

    app.url_map.converters["counting"] = Counting
    return asked


@pytest.mark.parametrize("enforce", [False, True])
def test_url_is_matched_twice_only_if_resolved_before_dispatch(enforce: bool) -> None:
    app = Flask("counted")
    CORSGuard(app, Guard({"/": POLICY}, enforce=enforce))
    asked = record_conversions(app)
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


def test_converter_that_needs_session_raises_on_preflight(app: Flask) -> None:
    class OfSession(BaseConverter):
        def to_python(self, value: str) -> str:
            return str(session.get(value))

    app.url_map.converters["session"] = OfSession
    app.add_url_rule("/<session:item>", "own", cors_policy(PARTNERS)(lambda item: item))
    with pytest.raises(RuntimeError, match="request context"):
        preflight(app, "/one", "GET", PARTNER)


def test_view_added_after_first_preflight_has_its_policy(app: Flask) -> None:
    assert preflight(app, "/late", "PUT", PARTNER).status_code == 403
    app.add_url_rule("/late", "late", cors_policy(PARTNERS)(lambda: "late"), methods=["PUT"])
    assert preflight(app, "/late", "PUT", PARTNER).status_code == 204


def test_decision_in_before_request_is_by_view_policy(app: Flask) -> None:
    seen: list[Decision] = []
    app.before_request(lambda: seen.append(request.environ["corsguard.decision"]))
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    fetch(app, "/own")
    assert seen[0].reason is Reason.ORIGIN_NOT_ALLOWED


def test_subscriber_is_called_once_with_view_name(app: Flask) -> None:
    reported: list[tuple[Reason, str | None]] = []

    def subscriber(decision: Decision, sent: CORSRequest) -> None:
        reported.append((decision.reason, sent.route))

    app.extensions["corsguard"].guard.subscribe(subscriber)
    own = cors_policy(PARTNERS)(lambda: "own")
    app.add_url_rule("/own", "views.own", own, methods=["GET", "PUT"])
    app.add_url_rule("/plain", "plain", lambda: "plain")
    fetch(app, "/own", origin=PARTNER)
    preflight(app, "/own", "PUT", EVIL)
    preflight(app, "/plain", "GET")
    assert reported == [
        (Reason.ALLOWED, "views.own"),
        (Reason.ORIGIN_NOT_ALLOWED, "views.own"),
        (Reason.ALLOWED, "/"),
    ]


def build_app_behind(middleware: Callable[[WSGIApplication], WSGIApplication]) -> Flask:
    """Return an application behind a middleware that corsguard wraps; partners may post to it."""
    app = Flask(__name__)
    app.wsgi_app = middleware(app.wsgi_app)  # type: ignore[assignment,method-assign]
    CORSGuard(app, Guard({"/": POLICY}, enforce=True))
    app.add_url_rule("/", "post", cors_policy(PARTNERS)(lambda: "posted"), methods=["POST"])
    app.add_url_rule("/", "delete", lambda: "deleted", methods=["DELETE"])
    return app


def override_method(inner: WSGIApplication) -> WSGIApplication:
    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ.get("HTTP_X_METHOD", environ["REQUEST_METHOD"])
        return inner({**environ, "REQUEST_METHOD": method}, start_response)

    return outer


def test_enforce_overridden_method_applies_to_final_view() -> None:
    app = build_app_behind(override_method)
    assert fetch(app, "/", "POST", PARTNER).text == "posted"
    response = fetch(app, "/", "POST", PARTNER, X_Method="DELETE")
    assert (response.status_code, get_allow_origin(response)) == (403, None)
    assert response.text.startswith("corsguard: cross-origin refused")
    assert fetch(app, "/", "GET", EVIL, X_Method="DELETE").status_code == 403
    assert fetch(app, "/", "POST", APP, X_Method="DELETE").status_code == 403


def test_cached_response_has_policy_of_view() -> None:
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
    assert get_allow_origin(fetch(stored, "/own", origin=PARTNER)) == PARTNER
    assert get_allow_origin(fetch(stored, "/nowhere")) == APP


def test_failing_converter_leaves_policy_of_path(app: Flask) -> None:
    class Failing(BaseConverter):
        def to_python(self, value: str) -> str:
            raise LookupError

    app.url_map.converters["failing"] = Failing
    app.add_url_rule("/<failing:item>", "own", cors_policy(PARTNERS)(lambda item: item))
    response = fetch(app, "/one")
    assert (response.status_code, get_allow_origin(response)) == (500, APP)


def test_enforce_report_serves_the_request() -> None:
    app = Flask(__name__)
    CORSGuard(app, Guard({"/": POLICY}, enforce="report"))
    kinds: list[Kind] = []
    own = cors_policy(PARTNERS)(lambda: "own")
    app.add_url_rule("/own", "own", own, methods=["POST"])
    guard: Guard = app.extensions["corsguard"].guard
    guard.subscribe(lambda decision, sent: kinds.append(decision.kind))
    assert fetch(app, "/own", "POST", EVIL).text == "own"
    assert kinds == [Kind.ACTUAL]
