"""Where a guard can read a policy from that changes while the application runs."""

from __future__ import annotations

from corsguard.sources.source import (
    ConflictError,
    Document,
    PolicySource,
    PolicyStore,
    Revision,
    SourceEmptyError,
    SourceError,
    WorkerReport,
)

__all__ = [
    "ConflictError",
    "Document",
    "PolicySource",
    "PolicyStore",
    "Revision",
    "SourceEmptyError",
    "SourceError",
    "WorkerReport",
]
