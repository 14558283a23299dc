"""The replay of real configurations: what listed origins could do, they still can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask_cors import CORS, cross_origin
from support.migrate.applications import (
    configure_django,
    flask_app,
    read_flask,
    read_starlette,
)
from support.migrate.configurations import DJANGO, FLASK, STARLETTE, Case
from werkzeug.routing import BaseConverter, Map

from corsguard.cli.migrate.comparison import Comparison, compare_layers
from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.peers import django_cors_headers, read_peer
from corsguard.cli.migrate.translation import Translation, translate

PLACES = {"F12": "blueprint", "F13": "view", "F14": "view"}
STARTING = [case for case in (*FLASK, *DJANGO, *STARLETTE) if not case.codes]
LOSING = {
    "S02": "now blocked: every request from http://10.1.1.1",  # plain http, with cookies
    "S12": "now hidden from http://localhost:3000 and http://localhost:3001",  # a to-do
}
A = "https://a.example"
B = "https://b.example"

pytestmark = pytest.mark.filterwarnings("ignore::corsguard.PolicyWarning")


@contextmanager
def open_case(case: Case) -> Iterator[PeerConfiguration]:
    if case in FLASK:
        yield read_flask(case.options, PLACES.get(case.name, "app"))
    elif case in STARLETTE:
        yield read_starlette(case.options)
    else:
        with configure_django(case.options):
            configuration = django_cors_headers.read_settings()
            assert configuration is not None
            yield configuration


def compare(
    configuration: PeerConfiguration, *paths: str, translation: Translation | None = None
) -> Comparison:
    return compare_layers(configuration, translation or translate(configuration), paths)


def list_sentences(comparison: Comparison) -> list[str]:
    return [each.sentence for each in comparison.differences]


@pytest.mark.parametrize("case", STARTING, ids=lambda case: case.name)
def test_listed_origins_lose_nothing(case: Case) -> None:
    with open_case(case) as configuration:
        comparison = compare(configuration)

    lost = [each.sentence for each in comparison.differences if each.is_loss]
    expected = LOSING.get(case.name)
    assert comparison.number > 20
    assert comparison.has_loss is (expected is not None)
    assert len(lost) == comparison.has_loss
    assert all(sentence.startswith(expected or "") for sentence in lost)


@pytest.mark.parametrize("place", ["app", "blueprint", "view"])
def test_defaults_of_flask_cors_change_nothing(place: str) -> None:
    assert list_sentences(compare(read_flask({"origins": [A]}, place))) == []
    assert list_sentences(compare(read_flask({}, place))) == []


@pytest.mark.parametrize("options", [{}, {"allow_credentials": True}])
def test_defaults_of_starlette_change_nothing(options: dict[str, bool]) -> None:
    configuration = read_starlette({"allow_origins": [A], **options, "allow_methods": ["*"]})

    assert list_sentences(compare(configuration)) == []


@pytest.mark.parametrize("options", [{}, {"CORS_ALLOW_CREDENTIALS": True}])
def test_defaults_of_django_cors_headers_change_nothing(options: dict[str, bool]) -> None:
    with configure_django({"CORS_ALLOWED_ORIGINS": [A], **options}):
        configuration = django_cors_headers.read_settings()
        assert configuration is not None

        assert list_sentences(compare(configuration)) == []


def test_method_that_is_lost_is_named() -> None:
    configuration = read_flask({"origins": [A]})
    translation = translate(configuration)
    fields = {**translation.mapping, "allow_methods": []}

    comparison = compare(configuration, "/report", translation=translation._replace(mapping=fields))

    assert comparison.has_loss
    assert list_sentences(comparison) == [
        f"now blocked: PUT, PATCH and DELETE from {A} at /report (method not in allow_methods)"
    ]


@pytest.mark.parametrize("place", ["blueprint", "view"])
def test_policy_of_a_blueprint_or_a_view_covers_nothing_else(place: str) -> None:
    """The policy that is lost shows that the others are unchanged."""
    configuration = read_flask({"origins": [A]}, place)
    translation = translate(configuration)
    (views,) = translation.views
    wide = translation._replace(mapping=views.policies[0], views=())

    comparison = compare(configuration, translation=wide)

    assert list_sentences(compare(configuration)) == []
    assert comparison.differences
    assert not comparison.has_loss
    assert all(sentence.startswith("now open") for sentence in list_sentences(comparison))


class Tenant(BaseConverter):
    """A converter that asks a database."""

    def __init__(self, url_map: Map, table: str) -> None:
        super().__init__(url_map)
        self.table = table

    def to_python(self, value: str) -> str:
        raise AssertionError("code of the application ran")


def test_paths_with_parameters_of_any_kind_are_compared() -> None:
    app = Flask("shop")
    app.url_map.converters["tenant"] = Tenant
    view = cross_origin(origins=A, supports_credentials=True)(lambda **_: "")
    for number, rule in enumerate(
        (
            "/a/<uuid:a>",
            "/b/<float:b>/<c>",
            "/d/<any('x y', z):d>",
            "/e/<tenant('t'):e>",
            "/f/<any(p, q):f>",
        )
    ):
        app.add_url_rule(rule, f"view{number}", view)
    configuration = read_peer(app, "shop:app")
    uuid = "00000000-0000-4000-8000-000000000000"

    paths = [each.path for each in configuration.paths]
    assert paths[-5:] == [f"/a/{uuid}", "/b/1.0/1", "/d/x y", "/e/1", "/f/p"]
    assert list_sentences(compare(configuration)) == []
    translation = translate(configuration)
    without_cookies = tuple(
        each._replace(policies=({**each.policies[0], "allow_credentials": False},))
        for each in translation.views
    )
    lost = compare(configuration, translation=translation._replace(views=without_cookies))
    assert {path for each in lost.differences for path in each.paths} == {*paths[-5:]}


@pytest.mark.parametrize("place", ["blueprint", "view"])
def test_policies_beside_those_of_the_application_change_nothing(place: str) -> None:
    app = flask_app({"origins": [A], "methods": ["GET", "POST"], "max_age": 60}, place)
    CORS(app, origins=[B], supports_credentials=True)
    configuration = read_peer(app, "shop:app")

    assert list_sentences(compare(configuration)) == []
