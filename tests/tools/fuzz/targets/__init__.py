"""The targets: each takes any bytes, and raises where a promise is broken.

To add one, write a function from bytes to None in a module of this folder and name it here; its
corpus is the folder of the same name under `corpus`. Nothing here needs the fuzzer itself: the
plain test run takes every corpus through its target.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

__all__ = ["TARGETS", "Target", "load"]

Target = Callable[[bytes], None]

TARGETS = {
    "origin": "parsers:origin",
    "pattern": "parsers:pattern",
    "regex": "parsers:regex",
    "regex-coverage": "parsers:coverage",
    "request-headers": "parsers:request_headers",
    "lookup": "lookups:lookup",
    "config-mapping": "configuration:mapping",
    "config-toml": "configuration:toml",
    "config-environ": "configuration:environ",
    "browser": "browser_model:browser",
    "wsgi": "wsgi_adapter:wsgi",
    "asgi": "asgi_adapter:asgi",
    "flask": "flask_adapter:flask",
    "django": "django_adapter:django",
}
"""name -> module:function; imported one at a time, as Django can't be set up twice."""


def load(name: str) -> Target:
    """Return the target called name."""
    module, _, function = TARGETS[name].partition(":")
    target: Target = getattr(import_module(f"tools.fuzz.targets.{module}"), function)
    return target
