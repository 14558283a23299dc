"""The sections about problem codes whose blocks need connexion or Channels."""

# mypy: ignore-errors
# The frameworks are installed in the environment `ecosystem` alone.

from __future__ import annotations

from typing import Any

import pytest
from channels.generic.http import AsyncHttpConsumer
from django.test import override_settings
from support.django_checks import find_ids
from support.problem_blocks import (
    ENFORCED,
    IN_ECOSYSTEM,
    SECTIONS,
    LabelledBlock,
    build_asgi_settings,
    list_blocks,
    run_python,
)

urlpatterns: list[Any] = []
BLOCKS = [
    pytest.param(code, block, id=f"{code}-{block.label}")
    for code in IN_ECOSYSTEM
    for block in list_blocks(SECTIONS[code])
]


class Events(AsyncHttpConsumer):
    """A consumer of the project."""

    async def handle(self, body: bytes) -> None:
        await self.send_response(200, b"")


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """Accept no handshake."""


@pytest.mark.parametrize(("code", "block"), BLOCKS)
def test_block_shows_its_code(code: str, block: LabelledBlock) -> None:
    with override_settings(ROOT_URLCONF=__name__, CORSGUARD=ENFORCED):
        shown, module = run_python(block.code, Events=Events, chat=serve)
        found = set(shown.warned)
        if "application" in module:
            found = set(find_ids(**build_asgi_settings(module["application"])))
    assert found == ({code} if block.label == "Refused" else set())
