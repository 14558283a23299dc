"""The one configuration shape: from a mapping, from TOML, from the environment."""

from __future__ import annotations

import json
import tempfile
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

from tools.fuzz.checks import watch_the_log
from tools.fuzz.inputs import SEPARATOR, Draw, decode_text

from corsguard import Guard, PolicyError, PolicyWarning

FOLDER = tempfile.TemporaryDirectory(prefix="corsguard-fuzz-")
ASKED = {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "x-asked",
    "Host": "api.example.com",
}

watch_the_log()


def mapping(data: bytes) -> None:
    """Check that a mapping gives a guard or a readable PolicyError, and nothing else."""
    given = Draw(data).mapping()
    check(lambda: Guard.from_mapping(given))


def environ(data: bytes) -> None:
    """Check the same for environment variables."""
    pairs = (decode_text(part).partition("=") for part in data.split(SEPARATOR))
    given = {f"CORSGUARD_{name}": value for name, _, value in pairs}
    check(lambda: Guard.from_env(given))


def toml(data: bytes) -> None:
    """Check the same for a file, with ValueError where it is not TOML."""
    path = Path(FOLDER.name) / "corsguard.toml"
    path.write_bytes(data)
    try:
        tomllib.loads(data.decode())
        is_toml = True
    except (ValueError, RecursionError):
        is_toml = False
    try:
        check(lambda: Guard.from_file(path))
    except ValueError:
        if is_toml:
            raise
    else:
        assert is_toml


def check(make: Callable[[], Guard]) -> None:
    """Assert that a guard sends valid fields, or that its problems are readable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PolicyWarning)
            guard = make()
    except PolicyError as error:
        check_readable(error)
        return
    for origin in (None, "https://a.example", "null", "https://evil.example"):
        for method in ("GET", "POST", "OPTIONS"):
            decision = guard.decide("/api", origin, method, ASKED)
            for name, value in decision.headers:
                assert (name + value).isascii()
                assert (name + value).isprintable()


def check_readable(error: PolicyError) -> None:
    """Assert that each problem is readable as text and as JSON."""
    assert error.problems
    assert str(error)
    json.dumps(error.as_dict(), allow_nan=False)
    for problem in error.problems:
        assert problem.code
        assert problem.message
        assert problem.suggestion
