"""One compiled policy: a pure function from a request to a decision."""

from corsguard.engine.engine import Engine

__all__ = ["Engine"]
