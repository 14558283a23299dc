"""flask-cors: which policies apply to which paths and views."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView
from flask_cors import CORS, cross_origin
from flask_cors.core import DEFAULT_OPTIONS
from support.migrate.applications import flask_app, read_flask

from corsguard.cli.migrate.configuration import PeerConfiguration, PeerError
from corsguard.cli.migrate.peers import read_peer
from corsguard.cli.migrate.translation import translate

A = "https://a.example"
B = "https://b.example"
C = "https://c.example"


def read(app: Flask) -> PeerConfiguration:
    return read_peer(app, "shop:app")


def list_scopes(configuration: PeerConfiguration) -> list[tuple[Any, ...]]:
    """Return (prefixes, views, blueprint, origins) of each policy."""
    return [(*each.scope, each.origins) for each in configuration.policies]


def test_blueprint_has_a_policy_for_its_views_alone() -> None:
    configuration = read_flask({"origins": A}, "blueprint")

    assert list_scopes(configuration) == [((), ("api.items", "api.item"), "api", (A,))]
    assert translate(configuration).mapping == {"routes": {}}


def test_decorated_view_has_a_policy_of_its_own() -> None:
    configuration = read_flask({"origins": A}, "view")

    assert list_scopes(configuration) == [((), ("report",), "", (A,))]
    assert translate(configuration).mapping == {"routes": {}}


def test_other_origins_of_a_blueprint_are_those_of_the_application() -> None:
    app = flask_app({"origins": A}, "blueprint")
    CORS(app, origins=B)

    configuration = read(app)

    views = ((), ("api.items", "api.item"), "api")
    assert list_scopes(configuration) == [(("/",), (), "", (B,)), (*views, (A,)), (*views, (B,))]


def test_decorator_wins_over_the_application() -> None:
    app = flask_app({"origins": A}, "view")
    CORS(app, origins=B)

    configuration = read(app)

    assert list_scopes(configuration) == [(("/",), (), "", (B,)), ((), ("report",), "", (A,))]


def test_inner_blueprint_comes_before_the_outer_one() -> None:
    app = Flask("shop")
    outer = Blueprint("outer", "shop", url_prefix="/outer")
    inner = Blueprint("inner", "shop", url_prefix="/inner")
    inner.add_url_rule("/x", "x", str)
    outer.add_url_rule("/y", "y", str)
    CORS(outer, origins=A)
    CORS(inner, origins=B)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)

    configuration = read(app)

    inside = ((), ("outer.inner.x",), "outer.inner")
    assert list_scopes(configuration) == [
        (*inside, (B,)),
        (*inside, (A,)),
        ((), ("outer.y",), "", (A,)),
    ]


def test_blueprint_without_views_has_no_policy() -> None:
    app = Flask("shop")
    empty = Blueprint("empty", "shop")
    CORS(empty)
    app.register_blueprint(empty)
    CORS(app, origins=A)

    assert list_scopes(read(app)) == [(("/",), (), "", (A,))]


def test_resources_become_route_prefixes() -> None:
    app = flask_app({}, "none")
    CORS(app, resources={r"/api/*": {"origins": A}, r"/report.*": {"origins": B}})

    scopes = list_scopes(read(app))

    assert sorted(scopes) == [(("/api",), (), "", (A,)), (("/report",), (), "", (B,))]


def test_text_without_signs_covers_one_path_alone() -> None:
    app = flask_app({}, "none")
    CORS(app, resources={"/report": {"origins": A}})

    configuration = read(app)

    assert list_scopes(configuration) == [((), ("report",), "", (A,))]
    assert configuration.notes == (
        "resources '/report': no route prefix says this pattern, so the views that it covers have "
        "policies of their own",
    )


def test_unusual_pattern_becomes_policies_of_views() -> None:
    app = flask_app({}, "none")
    CORS(app, resources=[re.compile(r"/api/items/\d")], origins=A)

    assert list_scopes(read(app)) == [((), ("api.item",), "", (A,))]


def test_resource_of_a_longer_pattern_wins() -> None:
    app = flask_app({}, "none")
    CORS(app, resources={r"/*": {"origins": A}, r"/api/items/*": {"origins": B}})

    scopes = list_scopes(read(app))

    assert sorted(scopes) == [(("/",), (), "", (A,)), (("/api/items",), (), "", (B,))]


def test_view_at_paths_with_different_options_is_a_todo() -> None:
    app = flask_app({}, "none")
    app.add_url_rule("/api/both", "both", lambda: "")
    app.add_url_rule("/both", "both", app.view_functions["both"])
    CORS(app, resources={r"/api/both": {"origins": A}, r"/api/items.*": {"origins": B}})
    CORS(app, resources={r"/bo[t]h$": {"origins": B}})

    configuration = read(app)

    # Both patterns are as routes say it, so nothing is left to do.
    assert configuration.todos == ()

    app.add_url_rule("/both/more", "more", lambda: "")
    (todo,) = read(app).todos
    assert todo.message == (
        'the view "both" answers at /api/both and /both, for which flask-cors has different '
        "options: write a route for each path"
    )
    assert todo.line > 0


def test_last_of_several_comes_first() -> None:
    app = flask_app({"origins": A})
    CORS(app, origins=[B, C])

    configuration = read(app)

    assert [each.origins for each in configuration.policies] == [(B, C), (A,)]
    routes = translate(configuration).mapping["routes"]
    assert [each["allow_origins"] for each in routes["/"]] == [[B, C], [A]]


def test_nothing_comes_after_any_origin() -> None:
    app = flask_app({"origins": A})
    CORS(app)

    assert translate(read(app)).mapping["allow_origins"] == ["*"]


def test_settings_of_the_application_are_read() -> None:
    app = flask_app({}, "none")
    app.config.update(CORS_ORIGINS=[A], CORS_MAX_AGE=timedelta(minutes=1), CORS_ALLOW_HEADER=["X"])
    CORS(app)

    configuration = read(app)

    assert configuration.policies[0].max_age == 60
    assert configuration.policies[0].origins == (A,)
    assert configuration.notes == (
        'app.config["CORS_ALLOW_HEADER"] is not an option of flask-cors, and never had an effect; '
        "was CORS_ALLOW_HEADERS meant?",
    )


def test_private_network_is_left_out() -> None:
    is_optional = DEFAULT_OPTIONS.get("allow_private_network") is False  # not before 4.0

    notes = read_flask({"allow_private_network": True}).notes

    expected = "allow_private_network: no browser asks for it any more; left out"
    assert (expected in notes) is is_optional


def test_option_without_a_similar_one_is_named_too() -> None:
    (note,) = read_flask({"xyz": 1}, "view").notes

    assert note.startswith('xyz of @cross_origin on view "report" is not an option of flask-cors')
    assert note.endswith("never had an effect")


def test_decorator_below_another_one_is_found() -> None:
    from functools import wraps

    app = Flask("shop")

    def around(view: Any) -> Any:
        @wraps(view)
        def call(**values: Any) -> Any:
            return view(**values)

        return call

    app.add_url_rule("/x", "x", around(cross_origin(origins=A)(lambda: "")))

    assert list_scopes(read(app)) == [((), ("x",), "", (A,))]


def test_decorator_that_raises_at_each_request_is_named() -> None:
    options = {"supports_credentials": True, "send_wildcard": True}

    with pytest.raises(PeerError, match=r'^@cross_origin on view "report" is not valid: '):
        read_flask(options, "view")


def test_decorator_of_a_method_is_a_todo() -> None:
    app = flask_app({"origins": A})

    class Items(MethodView):
        @cross_origin(origins=B)
        def get(self) -> str:
            return ""

        def put(self) -> str:
            return ""

    app.add_url_rule("/class", view_func=Items.as_view("class"))

    (todo,) = read(app).todos
    assert 'Items.get of view "class" has its own @cross_origin' in todo.message
    assert todo.place.startswith("tests/cli/migrate/test_flask_cors.py:")


def test_other_functions_after_a_request_are_left_alone() -> None:
    app = flask_app({"origins": A})
    app.after_request(lambda response: response)

    assert list_scopes(read(app)) == [(("/",), (), "", (A,))]


@pytest.mark.parametrize("given", ["X-A", ["X-A"], re.compile("X-A")])
def test_headers_are_read_in_any_form(given: Any) -> None:
    assert read_flask({"allow_headers": given}).policies[0].headers == ("X-A",)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("600", 600), ("0", 0), (90.5, 90), (0, None), ("", None), ("1h", None), ("inf", None)],
)
def test_max_age_is_read_in_any_form(given: Any, seconds: int | None) -> None:
    assert read_flask({"max_age": given}).policies[0].max_age == seconds


def test_application_that_does_not_use_it_is_not_read() -> None:
    with pytest.raises(PeerError, match="shop:app uses no CORS library"):
        read(flask_app({}, "none"))


def test_pattern_of_paths_that_hangs_is_an_error() -> None:
    app = Flask("shop")
    app.add_url_rule(f"/{'a' * 40}b", view_func=lambda: "")
    CORS(app, resources={"/(a+)+$": {}})

    with pytest.raises(PeerError) as caught:
        read_peer(app, "shop:app")

    assert str(caught.value) == (
        f"resources '/(a+)+$' takes more than 1 s for the path /{'a' * 40}b, as each request to it "
        "does. Rewrite it with one repeat, such as [a-z]+, and try again"
    )


def test_pattern_of_paths_that_could_hang_is_read() -> None:
    app = Flask("shop")
    app.add_url_rule("/aa", view_func=lambda: "")
    CORS(app, resources={"/(a+)+$": {}})

    (policy,) = read_peer(app, "shop:app").policies

    assert policy.scope.views == ("<lambda>",)
