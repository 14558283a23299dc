"""The comparison of a peer with its translation, by a replay through stubs of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.expansion import compile_text
from corsguard.cli.migrate.replay import Difference, Samples, generate_exchanges, replay
from corsguard.cli.migrate.stubs import open_stubs
from corsguard.cli.migrate.translation import Translation

__all__ = ["Comparison", "compare_layers"]


class Comparison(NamedTuple):
    """The result of a replay."""

    number: int
    """The number of requests that were compared."""
    differences: tuple[Difference, ...]

    @property
    def has_loss(self) -> bool:
        """True if a listed origin loses something."""
        return any(each.is_loss for each in self.differences)


def compare_layers(
    configuration: PeerConfiguration, translation: Translation, paths: Sequence[str]
) -> Comparison:
    """Send the same requests through the peer and through corsguard, both around a stub.

    `paths` are those to send to; those of the router where they are empty. The policies have to be
    valid.
    """
    exchanges = generate_exchanges(
        _add_views(configuration, translation),
        _list_samples(configuration),
        _list_paths(configuration, paths),
    )
    with open_stubs(configuration, translation) as stubs:
        return Comparison(len(exchanges), tuple(replay(stubs.before, stubs.after, exchanges)))


def _add_views(configuration: PeerConfiguration, translation: Translation) -> dict[str, Any]:
    """Return the mapping with the policies of views as routes, whose origins are tried there."""
    mapping = translation.mapping
    routes: dict[str, Any] = dict(mapping["routes"]) if "routes" in mapping else {"/": mapping}
    for each in translation.views:
        for path in configuration.paths:
            if path.view in each.views:
                routes[path.path] = list(each.policies)
    return {"routes": routes}


def _list_samples(configuration: PeerConfiguration) -> Samples:
    """Return what the peer's configuration names, which the translation may have left out."""
    policies = configuration.policies
    patterns = [
        compile_text(regex.source, regex.flags) for each in policies for regex in each.regexes
    ]
    return Samples(
        tuple(pattern for pattern in patterns if pattern is not None),
        tuple(name for each in policies for name in each.methods),
        tuple(name for each in policies for name in each.headers),
        tuple(name for each in policies for name in each.expose_headers),
    )


def _list_paths(
    configuration: PeerConfiguration, paths: Sequence[str]
) -> dict[str, tuple[str, ...]] | None:
    """Return path -> methods; None for the path of each route where no path is known."""
    if paths:
        return {f"/{path.lstrip('/')}": () for path in paths}
    found: dict[str, tuple[str, ...]] = {}
    for each in configuration.paths:
        found[each.path] = (*found.get(each.path, ()), *each.methods)
    return found or None
