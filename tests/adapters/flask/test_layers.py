"""Policies of views that other decorators and frameworks have wrapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, update_wrapper, wraps
from typing import Any

import pytest
from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask.views import MethodView, View
from support.flask_requests import APP, PARTNER, PARTNERS, POLICY, PUBLIC, allowed, fetch, preflight

from corsguard import PolicyError
from corsguard_flask import CORSGuard, cors_exempt, cors_policy

Function = Callable[..., Any]


@pytest.fixture
def app() -> Flask:
    made = Flask(__name__)
    CORSGuard(made, {"/": POLICY})
    return made


def is_exempt(app: Flask, path: str, method: str = "GET") -> bool:
    """Return True if neither the response nor the one to a preflight has anything of CORS."""
    responses = fetch(app, path, method), preflight(app, path, method)
    assert responses[0].status_code == 200
    return not any("Vary" in response.headers for response in responses)


def seen(*_: object, **__: object) -> str:
    return "seen"


def checked(view: Function) -> Function:
    @wraps(view)
    def wrapper(*args: Any, **values: Any) -> Any:
        return view(*args, **values)

    return wrapper


class Controller:
    @cors_exempt
    def view(self) -> str:
        return "seen"

    def bare(self) -> str:
        return "seen"

    @cors_exempt
    @staticmethod
    def static() -> str:
        return "seen"

    @classmethod
    @cors_exempt
    def inner(cls) -> str:
        return "seen"

    @cors_exempt
    @classmethod
    def outer(cls) -> str:
        return "seen"


@cors_exempt
class Exempt:
    def __call__(self) -> str:
        return "seen"


class Called:
    @cors_exempt
    def __call__(self) -> str:
        return "seen"


class Operation:
    """Stands in for an operation of connexion."""

    def __init__(self, function: Function) -> None:
        self.function = function
        update_wrapper(self, function)

    def __call__(self, **values: Any) -> Any:
        return self.function(**values)


def exempt() -> Function:
    return cors_exempt(lambda **_: "seen")


@pytest.mark.parametrize(
    "view",
    [
        partial(exempt(), number=1),
        cors_exempt(partial(seen, number=1)),
        partial(partial(checked(exempt()))),
        checked(partial(exempt())),
        checked(checked(exempt())),
        Controller().view,
        cors_exempt(Controller().bare),
        partial(Controller().view),
        checked(Controller().view),
        Controller.static,
        Controller().static,
        Controller.inner,
        Controller.outer,
        Controller().outer,
        Exempt(),
        Called(),
        partial(Called()),
        Operation(exempt()),
        Operation(checked(exempt())),
    ],
)
def test_an_exempt_view_is_found_in_every_layer(app: Flask, view: Function) -> None:
    app.add_url_rule("/exempt", "exempt", view)
    app.add_url_rule("/other", "other", lambda: "seen")
    assert is_exempt(app, "/exempt")
    assert allowed(fetch(app, "/other")) == APP


def registering_a_copy(app: Flask, path: str) -> Callable[[Function], Function]:
    """Route as flask-openapi3 does: a copy is registered, and the function is returned."""

    def route(function: Function) -> Function:
        app.add_url_rule(path, path[1:], checked(function))
        return function

    return route


def test_a_decorator_above_the_route_of_a_copy_counts(app: Flask) -> None:
    cors_exempt(registering_a_copy(app, "/exempt")(lambda: "seen"))
    cors_policy(PUBLIC)(registering_a_copy(app, "/public")(lambda: "seen"))
    assert is_exempt(app, "/exempt")
    assert allowed(fetch(app, "/public")) == "*"


def test_the_outermost_decorator_wins_over_the_mark_of_a_copy(app: Flask) -> None:
    cors_exempt(registering_a_copy(app, "/exempt")(cors_policy(PUBLIC)(lambda: "seen")))
    app.add_url_rule("/public", "public", cors_policy(PUBLIC)(checked(exempt())))
    assert is_exempt(app, "/exempt")
    assert allowed(fetch(app, "/public")) == "*"


class Resource(MethodView):
    """Dispatches as Flask-RESTful's and Flask-RESTX's do: each request decorates a bound method."""

    method_decorators: Sequence[Function] | Mapping[str, Sequence[Function]] = ()

    def dispatch_request(self, **values: Any) -> ResponseReturnValue:
        name = request.method.lower()
        method = getattr(self, name, None) or getattr(self, "get")  # noqa: B009
        listed = self.method_decorators
        for decorator in listed.get(name, ()) if isinstance(listed, Mapping) else listed:
            method = decorator(method)
        response: ResponseReturnValue = method(**values)
        return response

    def get(self) -> str:
        return "get"

    def put(self) -> str:
        return "put"


def added(app: Flask, view_class: type[View], path: str = "/items") -> None:
    app.add_url_rule(path, view_func=checked(view_class.as_view(path[1:])))


@pytest.mark.parametrize("listed", [[cors_exempt], [checked, cors_exempt], (cors_exempt, checked)])
def test_method_decorators_apply_to_every_method(app: Flask, listed: Sequence[Function]) -> None:
    class Items(Resource):
        method_decorators = listed

    added(app, Items)
    assert is_exempt(app, "/items")
    assert is_exempt(app, "/items", "PUT")
    assert is_exempt(app, "/items", "HEAD")


def test_method_decorators_of_one_method_apply_to_that(app: Flask) -> None:
    class Items(Resource):
        method_decorators = {"get": [cors_policy(PARTNERS)], "delete": []}  # noqa: RUF012

    added(app, Items)
    assert allowed(fetch(app, "/items", origin=PARTNER)) == PARTNER
    assert allowed(fetch(app, "/items", "HEAD", PARTNER)) == PARTNER
    assert allowed(fetch(app, "/items", "PUT")) == APP


def test_the_last_of_the_method_decorators_wins(app: Flask) -> None:
    class Items(Resource):
        method_decorators = [cors_policy(PUBLIC), cors_policy(PARTNERS)]  # noqa: RUF012

    added(app, Items)
    assert allowed(fetch(app, "/items", origin=PARTNER)) == PARTNER


def private(view: Function) -> Function:
    return cors_exempt(checked(view))


class Private:
    def __call__(self, view: Function) -> Function:
        return checked(private(view))


@pytest.mark.parametrize(
    "listed",
    [
        [private],
        [private, checked],
        [checked, partial(private)],
        [lambda view: cors_exempt(view)],
        (Private(), checked),
        {"get": [private], "put": [lambda view: partial(cors_exempt(view))]},
    ],
)
def test_method_decorators_that_call_another_are_found(app: Flask, listed: Any) -> None:
    class Items(Resource):
        method_decorators = listed

    added(app, Items)
    for method in ("GET", "PUT", "HEAD"):
        assert is_exempt(app, "/items", method)


def test_method_decorators_may_differ_by_the_method(app: Flask) -> None:
    def by_name(view: Function) -> Function:
        return cors_exempt(view) if view.__name__ == "put" else view

    class Items(Resource):
        method_decorators = [cors_policy(PUBLIC), by_name]  # noqa: RUF012

    added(app, Items)
    assert is_exempt(app, "/items", "PUT")
    assert allowed(fetch(app, "/items")) == "*"


def test_method_decorators_are_applied_once_besides_the_requests(app: Flask) -> None:
    given: list[str] = []

    def noting(view: Function) -> Function:
        given.append(type(view).__name__)
        return view

    class Items(Resource):
        method_decorators = [noting]  # noqa: RUF012

    added(app, Items)
    for number in range(3):
        app.view_functions[f"later {number}"] = lambda: "later"
        assert allowed(fetch(app, "/items")) == APP
    assert given.count("method") == 3
    assert given.count("function") == 2  # one for each method of the class


def test_a_method_decorator_that_needs_a_request_is_left_alone(app: Flask) -> None:
    def of_request(view: Function) -> Function:
        return view if request.method == "GET" else checked(view)

    class Fixed(type):
        def __setattr__(cls, name: str, value: object) -> None:
            if name != "methods":
                raise AttributeError(name)
            super().__setattr__(name, value)

    class Items(Resource):
        method_decorators = [of_request, cors_exempt]  # noqa: RUF012

    class Others(MethodView, metaclass=Fixed):
        method_decorators = ("no decorator", of_request, private)

        def get(self) -> str:
            return "get"

    added(app, Items)
    added(app, Others, "/others")
    assert is_exempt(app, "/items")
    assert is_exempt(app, "/others")


def test_a_method_decorator_that_hides_an_exempt_view_answers_nothing(app: Flask) -> None:
    def opaque(view: Function) -> Function:
        exempt = cors_exempt(view)
        return lambda **values: exempt(**values)

    class Items(Resource):
        method_decorators = [opaque]  # noqa: RUF012

        def get(self) -> str:
            return "get"

        def put(self) -> str:
            return "put"

    added(app, Items)
    with pytest.raises(PolicyError, match=r"Items\.get .* \[view-policy-unreachable\]"):
        fetch(app, "/items")


def test_the_policy_of_a_method_wins_over_method_decorators(app: Flask) -> None:
    class Items(Resource):
        method_decorators = [cors_exempt]  # noqa: RUF012

        @checked
        @cors_policy(PUBLIC)
        def put(self) -> str:
            return "put"

    added(app, Items)
    assert is_exempt(app, "/items")
    assert allowed(fetch(app, "/items", "PUT")) == "*"


def test_the_class_of_a_wrapped_view_is_found(app: Flask) -> None:
    @cors_exempt
    class Closed(Resource):
        pass

    class Dispatched(View):
        @checked
        @cors_exempt
        def dispatch_request(self) -> str:
            return "seen"

    added(app, Closed, "/closed")
    added(app, Dispatched, "/dispatched")
    app.add_url_rule("/partial", view_func=partial(Closed.as_view("x")), endpoint="partial")
    for path in ("/closed", "/dispatched", "/partial"):
        assert is_exempt(app, path)


class MakingUp:
    """Has any attribute, a new one each time, as a test's stand-in for a view has."""

    methods = ("GET",)
    required_methods = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__wrapped__":
            raise AttributeError(name)
        return MakingUp()

    def __call__(self, **values: Any) -> Any:
        return "seen"


def test_a_view_that_has_any_attribute_has_no_policy_of_its_own(app: Flask) -> None:
    app.add_url_rule("/made-up", "made-up", MakingUp())
    assert allowed(fetch(app, "/made-up")) == APP


@pytest.mark.parametrize("given", ["wide", 1, MakingUp()])
def test_a_view_class_that_is_no_class_is_none(app: Flask, given: object) -> None:
    plain, closed = checked(lambda: "seen"), checked(exempt())
    vars(plain)["view_class"] = vars(closed)["view_class"] = given
    app.add_url_rule("/plain", "plain", plain)
    app.add_url_rule("/closed", "closed", closed)
    assert allowed(fetch(app, "/plain")) == APP
    assert is_exempt(app, "/closed")


@pytest.mark.parametrize("given", [property(lambda _: ()), 1, None, {"get": cors_exempt}])
def test_method_decorators_that_are_no_list_are_none(app: Flask, given: Any) -> None:
    class Items(MethodView):
        method_decorators = given

        def get(self) -> str:
            return "get"

    added(app, Items)
    assert allowed(fetch(app, "/items")) == APP


def test_a_policy_is_given_by_its_fields(app: Flask) -> None:
    own = cors_policy(allow_origins=[PARTNER], allow_credentials=True)
    app.add_url_rule("/own", "own", own(lambda: "own"))
    assert allowed(fetch(app, "/own", origin=PARTNER)) == PARTNER
