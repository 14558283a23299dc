"""The stubs for Flask: applications with the same rules, whose views return a text."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from corsguard import Guard, Policy
from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.peers.flask_cors import find_decorator, list_resources
from corsguard.cli.migrate.stubs import Stubs
from corsguard.cli.migrate.translation import Translation

__all__ = ["open_stubs"]

_NAME = "corsguard_migrate_stub"


@contextmanager
def open_stubs(configuration: PeerConfiguration, translation: Translation) -> Generator[Stubs]:
    """Yield the stub with flask-cors as the application has it, and the one with corsguard."""
    app = configuration.app
    yield Stubs(_build_before(app), _build_after(app, translation))


def _build_before(app: Any) -> Any:
    cross_origin = import_module("flask_cors").cross_origin
    views: dict[str, Any] = {}
    for endpoint, view in app.view_functions.items():
        options = find_decorator(view)
        views[endpoint] = _answer if options is None else cross_origin(**options)(_copy_answer())
    stub = _build_stub(app, views)
    for blueprint, functions in app.after_request_funcs.items():
        own = [each for each in functions if list_resources(each) is not None]
        stub.after_request_funcs[blueprint].extend(own)
    return stub


def _build_after(app: Any, translation: Translation) -> Any:
    adapter = import_module("corsguard_flask")
    views: dict[str, Any] = dict.fromkeys(app.view_functions, _answer)
    for each in translation.views:
        if each.kind == "view":
            policies = [Policy(**fields) for fields in each.policies]
            policy = policies[0] if len(policies) == 1 else policies
            views |= {name: adapter.cors_policy(policy)(_copy_answer()) for name in each.views}
    stub = _build_stub(app, views)
    mapping = translation.mapping
    cors = adapter.CORSGuard(stub, {} if mapping == {"routes": {}} else Guard.from_mapping(mapping))
    for each in translation.views:
        if each.kind == "blueprint":
            policies = [Policy(**fields) for fields in each.policies]
            policy = policies[0] if len(policies) == 1 else policies
            cors.set_policy(stub.blueprints[each.name], policy)
    return stub


def _build_stub(app: Any, views: Mapping[str, Any]) -> Any:
    """Return an application with the rules and the names of another one, and these views."""
    flask = import_module("flask")
    stub = flask.Flask(_NAME, static_folder=None)
    stub.config.update({key: value for key, value in app.config.items() if key.startswith("CORS_")})
    stub.blueprints = {name: flask.Blueprint(_NAME, _NAME) for name in app.blueprints}
    stub.url_map.host_matching = app.url_map.host_matching
    stub.url_map.converters = _replace_converters(app.url_map.converters)
    stub.url_map.strict_slashes = app.url_map.strict_slashes
    for original in app.url_map.iter_rules():
        rule = original.empty()
        rule.provide_automatic_options = original.provide_automatic_options
        stub.url_map.add(rule)
    stub.view_functions = dict(views)
    return stub


def _replace_converters(converters: Mapping[str, Any]) -> dict[str, Any]:
    """Return converters with one that takes any text in the place of the application's own."""
    base = import_module("werkzeug.routing").BaseConverter

    class AnyText(base):  # type: ignore[misc, valid-type]
        """A converter with the arguments of any other."""

        def __init__(self, url_map: Any, *_: object, **__: object) -> None:
            super().__init__(url_map)

    return {
        name: each if each.__module__.startswith("werkzeug.") else AnyText
        for name, each in converters.items()
    }


def _answer(**_: object) -> str:
    """Answer a request with 200, whatever its path is."""
    return "ok"


def _copy_answer() -> Any:
    """Return another such view: a decorator may leave its options on it."""

    def answer(**_: object) -> str:
        return "ok"

    return answer
