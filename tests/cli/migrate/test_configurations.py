"""Real configurations: what each becomes, why it does not start, and what is left to do."""

from __future__ import annotations

import pytest
from support.migrate.applications import (
    Tenants,
    read_django,
    read_express,
    read_flask,
    read_starlette,
)
from support.migrate.configurations import DJANGO, EXPRESS, FLASK, STARLETTE, Case

from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.translation import Translation, find_problems, translate

PLACES = {"F12": "blueprint", "F13": "view", "F14": "view"}
RECEIVING = {"D13", "D14"}


def read(case: Case) -> PeerConfiguration:
    if case in FLASK:
        return read_flask(case.options, PLACES.get(case.name, "app"))
    if case in DJANGO:
        return read_django(case.options, receives=case.name in RECEIVING)
    if case in STARLETTE:
        return read_starlette(case.options, *[Tenants] * (case.name == "S15"))
    return read_express(case.options)


def list_policies(translation: Translation) -> list[dict[str, object]]:
    mapping = translation.mapping
    routes = mapping["routes"].values() if "routes" in mapping else [mapping]
    return [*routes, *(fields for each in translation.views for fields in each.policies)]


@pytest.mark.parametrize(
    "case", [*FLASK, *DJANGO, *STARLETTE, *EXPRESS], ids=lambda case: case.name
)
def test_configuration_is_translated(case: Case) -> None:
    translation = translate(read(case))

    for fields in list_policies(translation):
        assert fields["allow_origins"] == [*case.origins]
    assert tuple(dict.fromkeys(each.code for each in find_problems(translation))) == tuple(
        dict.fromkeys(case.codes)
    )
    for given, parts in (
        (translation.notes, case.notes),
        ([todo.message for todo in translation.todos], case.todos),
    ):
        assert len(given) == len(parts), given
        assert all(part in sentence for sentence, part in zip(given, parts, strict=True)), given
