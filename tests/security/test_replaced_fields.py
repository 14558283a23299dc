"""An application that sets fields of the protocol itself is named in the log with its path."""

from __future__ import annotations

import pytest
from support.security.assertions import COM, ask, build_policy
from support.table import Stack


def test_replaced_field_is_logged_with_its_path(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    ask(stack, build_policy(COM), [("Origin", COM)], path="/own-headers")
    said = [line.lower() for line in caplog.messages if "itself" in line]
    assert len(said) == 5
    name = "the application sets access-control-allow-origin itself at /own-headers; "
    assert any(line.startswith(name) for line in said)
