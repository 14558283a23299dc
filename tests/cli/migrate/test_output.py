"""What is printed, executed or read again, gives the policies that were replayed."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask_cors import CORS, cross_origin
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Host, Mount
from support.migrate.applications import (
    flask_app,
    read_django,
    read_flask,
    read_starlette,
)
from support.migrate.configurations import DJANGO, FLASK, STARLETTE, Case

import corsguard_asgi
from corsguard import Guard, Policy
from corsguard.cli.migrate.comparison import compare_layers
from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.output import FormError, as_document, format_text
from corsguard.cli.migrate.peers import read_peer
from corsguard.cli.migrate.translation import translate
from corsguard.fetch_spec import ALLOW_ORIGIN

A, B, C = "https://a.example", "https://b.example", "https://c.example"
PLACES = {"F12": "blueprint", "F13": "view", "F14": "view"}
STARTING = [case for case in (*FLASK, *DJANGO, *STARLETTE) if not case.codes]

STARTING_ON_FLASK = [case for case in STARTING if case in FLASK]


def read(case: Case) -> PeerConfiguration:
    if case in FLASK:
        return read_flask(case.options, PLACES.get(case.name, "app"))
    return read_django(case.options) if case in DJANGO else read_starlette(case.options)


def run(text: str, **names: Any) -> dict[str, Any]:
    exec(compile(text, "printed.py", "exec"), names)
    return names


@pytest.mark.parametrize("case", STARTING, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::corsguard.PolicyWarning")
def test_python_is_the_translation(case: Case) -> None:
    configuration = read(case)
    translation = translate(configuration)

    names = run(format_text(translation, "python", configuration))

    assert names["CORSGUARD"] == translation.mapping
    policies = [value for value in names.values() if isinstance(value, Policy)]
    assert policies == [Policy(**each.policies[0]) for each in translation.views]


@pytest.mark.parametrize("case", STARTING, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::corsguard.PolicyWarning")
def test_toml_gives_the_same_guard(case: Case, tmp_path: Path) -> None:
    configuration = read(case)
    translation = translate(configuration)
    has_regex = any(isinstance(each, re.Pattern) for each in case.origins)
    if has_regex or translation.views:
        with pytest.raises(FormError, match=r"^a TOML file can't hold .+: use --format python$"):
            format_text(translation, "toml", configuration)
        return

    text = format_text(translation, "toml", configuration)

    mapping = tomllib.loads(text)
    file = tmp_path / "corsguard.toml"
    file.write_text(text, encoding="utf-8")
    expected = json.loads(json.dumps(translation.mapping).replace("null", "5"))
    assert mapping == expected
    assert Guard.from_file(file).policies == Guard.from_mapping(expected).policies


@pytest.mark.parametrize(
    "case", [case for case in STARTING if case in FLASK], ids=lambda case: case.name
)
def test_text_for_flask_installs_the_policies(case: Case) -> None:
    place = PLACES.get(case.name, "app")
    configuration = read_flask(case.options, place)
    translation = translate(configuration)
    app = flask_app({}, "none")

    names = run(format_text(translation, "text", configuration), app=app)

    assert isinstance(app, Flask)
    guard = app.extensions["corsguard"].guard
    if translation.views:
        rules = app.test_cli_runner().invoke(args=["cors", "routes"]).output
        owner = "blueprint api" if place == "blueprint" else "view report"
        assert owner in rules
    else:
        assert guard.policies == Guard.from_mapping(translation.mapping).policies
    assert names["CORSGUARD"] == translation.mapping


def test_text_for_starlette_installs_the_policies() -> None:
    configuration = read_starlette({"allow_origins": ["https://app.example.com"]})
    translation = translate(configuration)
    app = Starlette()

    run(format_text(translation, "text", configuration), app=app)

    expected = Policy(
        allow_origins=["https://app.example.com"],
        allow_methods=["GET"],
        allow_headers=["Accept", "Accept-Language", "Content-Language", "Content-Type"],
        max_age=600,
    )
    assert app.state.corsguard.guard.policies == expected


def test_text_for_another_framework_wraps_the_application() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the application ran")

    configuration = read_peer(CORSMiddleware(app, allow_origins=["https://a.example"]), "app")

    names = run(format_text(translate(configuration), "text", configuration), app=app)

    assert isinstance(names["app"], corsguard_asgi.CORSMiddleware)


def test_text_for_mounts_has_routes() -> None:
    middleware = [Middleware(CORSMiddleware, allow_origins=["https://a.example"])]
    configuration = read_peer(
        Starlette(routes=[Mount("/v1", routes=[], middleware=middleware)]), "app"
    )
    app = Starlette()

    run(format_text(translate(configuration), "text", configuration), app=app)

    assert [*app.state.corsguard.guard.policies] == ["/v1"]


def test_text_for_django_says_where_the_middleware_goes() -> None:
    configuration = read_django({"CORS_ALLOWED_ORIGINS": ["https://app.example.com"]})

    text = format_text(translate(configuration), "text", configuration)

    assert text.endswith('# "corsguard_django.CORSMiddleware", as the first entry.\n')


def test_text_for_django_names_the_views_of_an_unusual_pattern() -> None:
    given = {
        "CORS_ALLOWED_ORIGINS": ["https://app.example.com"],
        "CORS_URLS_REGEX": r"^/api/.+/[0-9]",
    }
    configuration = read_django(given)

    text = format_text(translate(configuration), "text", configuration)

    assert "# @cors_policy(VIEW_ITEM) on the views: item" in text


def test_text_of_several_policies_for_a_view_is_a_list() -> None:
    app = flask_app({"origins": "https://a.example"}, "blueprint")
    CORS(app, origins="https://b.example")
    configuration = read_peer(app, "app")
    translation = translate(configuration)

    names = run(format_text(translation, "python", configuration))

    (views,) = translation.views
    assert [*map(Policy.from_mapping, views.policies)] == names["BLUEPRINT_API"]
    with pytest.raises(FormError, match="policies of blueprints"):
        format_text(translation, "toml", configuration)


def test_expressions_are_printed_with_their_flags() -> None:
    pattern = re.compile(r'https://"[A-Z]+"\.example', re.IGNORECASE | re.ASCII)
    configuration = read_starlette({"allow_origin_regex": pattern.pattern})
    translation = translate(configuration)._replace(mapping={"allow_origins": [pattern]})

    names = run(format_text(translation, "python", configuration))
    document = as_document(translation)

    assert names["CORSGUARD"]["allow_origins"] == [pattern]
    flags = int(re.IGNORECASE | re.ASCII)
    assert document["policy"]["allow_origins"] == [{"regex": pattern.pattern, "flags": flags}]


@pytest.mark.parametrize(
    "character", ["\0", "\n", "\r", "\u2028", "\x85", '"', "'", "\\\\", "é", "😀"]
)
def test_any_character_of_an_expression_is_printed(character: str) -> None:
    pattern = re.compile(f"https://a{character}?\\.example")
    configuration = read_starlette({"allow_origin_regex": "https://a"})
    translation = translate(configuration)._replace(mapping={"allow_origins": [pattern]})

    names = run(format_text(translation, "python", configuration))

    assert names["CORSGUARD"]["allow_origins"] == [pattern]


def test_views_with_similar_names_keep_their_own_policies() -> None:
    app = Flask("shop")
    endpoints = {"shop.items": A, "shop_items": B, "shop-items": C, "line\nend": A}
    for number, (endpoint, origin) in enumerate(endpoints.items()):
        app.add_url_rule(f"/{number}", endpoint, cross_origin(origins=origin)(lambda: ""))
    configuration = read_peer(app, "app")

    names = run(format_text(translate(configuration), "text", configuration), app=app)

    printed = {name: value.allow_origins for name, value in names.items() if name[:5] == "VIEW_"}
    assert printed == {
        "VIEW_SHOP_ITEMS": (A,),
        "VIEW_SHOP_ITEMS_2": (B,),
        "VIEW_SHOP_ITEMS_3": (C,),
        "VIEW_LINE_END": (A,),
    }


def build_twice(resources: Any) -> Flask:
    """Return an application with one function and one blueprint for several paths.

    It has no CORS where resources is None.
    """

    def answer() -> str:
        return "ok"

    app = Flask("shop")
    blueprint = Blueprint("api", "shop")
    blueprint.add_url_rule("/items", "items", answer)
    app.add_url_rule("/private", "private", answer)
    if resources is not None:
        CORS(blueprint, origins=A)
        CORS(app, resources=resources)
    app.register_blueprint(blueprint, url_prefix="/one")
    app.register_blueprint(blueprint, url_prefix="/two", name="two")
    return app


def test_function_of_several_views_keeps_the_policy_of_each() -> None:
    old, new = build_twice({"/two/.*s$": {"origins": B}}), build_twice(None)
    configuration = read_peer(old, "app")

    run(format_text(translate(configuration), "text", configuration), app=new)

    def list_allowed(app: Flask) -> list[tuple[str, str | None]]:
        client = app.test_client()
        return [
            (origin, client.get(path, headers={"Origin": origin}).headers.get(ALLOW_ORIGIN))
            for path in ("/private", "/one/items", "/two/items")
            for origin in (A, B)
        ]

    allowed = list_allowed(new)
    assert allowed == list_allowed(old)
    assert [allow for _, allow in allowed] == [None, None, A, None, A, B]


def test_blueprint_with_a_decorated_view_keeps_its_policy() -> None:
    app = Flask("shop")
    blueprint = Blueprint("api", "shop")
    blueprint.add_url_rule("/items", "items", lambda: "ok")
    blueprint.add_url_rule("/news", "news", lambda: "ok")
    blueprint.add_url_rule("/open", "open", cross_origin(origins=B)(lambda: "ok"))
    CORS(blueprint, origins=A, supports_credentials=True)
    app.register_blueprint(blueprint)
    configuration = read_peer(app, "app")
    translation = translate(configuration)

    names = run(format_text(translation, "text", configuration), app=app)

    policies = {name: value for name, value in names.items() if isinstance(value, Policy)}
    assert {name: each.allow_origins for name, each in policies.items()} == {
        "BLUEPRINT_API": (A,),
        "VIEW_API_OPEN": (B,),
    }
    assert compare_layers(configuration, translation, ()).differences == ()


def test_policies_of_code_alone_leave_nothing_to_the_configuration(tmp_path: Path) -> None:
    inner = Starlette(middleware=[Middleware(CORSMiddleware, allow_origins=[A])])
    configuration = read_peer(Starlette(routes=[Host("a", inner)]), "app")
    translation = translate(configuration)
    app = Starlette()
    file = tmp_path / "corsguard.toml"

    run(format_text(translation, "text", configuration), app=app)
    file.write_text(format_text(translation, "toml", configuration), encoding="utf-8")

    assert app.state.corsguard.guard.policies == Guard.from_file(file).policies == {"/": None}


def test_toml_writes_long_lists_on_several_lines() -> None:
    origins = [f"https://shop-{number}.example.com" for number in range(9)]
    configuration = read_starlette({"allow_origins": origins})

    text = format_text(translate(configuration), "toml", configuration)

    assert '[\n    "https://shop-0.example.com",\n' in text
    assert tomllib.loads(text)["allow_origins"] == origins


def test_toml_has_a_table_for_each_policy_of_a_list() -> None:
    app = flask_app({"origins": "https://a.example"})
    CORS(app, origins="https://b.example")
    configuration = read_peer(app, "app")
    translation = translate(configuration)

    text = format_text(translation, "toml", configuration)

    assert text.count('[[routes."/"]]') == 2
    # The one that was added last ran first.
    assert [each["allow_origins"] for each in tomllib.loads(text)["routes"]["/"]] == [
        ["https://b.example"],
        ["https://a.example"],
    ]


def test_document_has_the_policies_of_views() -> None:
    configuration = read_flask({"origins": "https://a.example"}, "view")

    document = as_document(translate(configuration))

    assert document["policy"] == {"routes": {}}
    assert document["views"][0]["views"] == ["report"]
    assert json.loads(json.dumps(document)) == document
