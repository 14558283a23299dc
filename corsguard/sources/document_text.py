"""The text of a document as bytes of a source: its size, its encoding and its version."""

from __future__ import annotations

import hashlib

from corsguard.sources.signature import read_signed_version
from corsguard.sources.source import SourceEmptyError, SourceError

__all__ = ["MAX_BYTES", "compute_version", "decode_document"]

MAX_BYTES = 64 * 2**20
"""The largest document that is read, in bytes: two million origins of a usual length."""


def decode_document(data: bytes, name: str) -> str:
    """Return the text of a document in UTF-8, with or without a byte order mark.

    `name` is that of the source, for messages. Raises SourceError if the document is too large or
    is not UTF-8, and SourceEmptyError if it is blank, as a file is for a moment while it is written
    in place.
    """
    if len(data) > MAX_BYTES:
        raise SourceError(f"{name} has more than {MAX_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name} is not UTF-8: see byte {error.start}") from None
    if not text.strip():
        raise SourceEmptyError(f"{name} is empty")
    return text


def compute_version(text: str, entity_tag: str = "") -> str:
    """Return the version of a document: the number that is signed, else a tag, else a checksum."""
    signed = read_signed_version(text)
    if signed is not None:
        return str(signed)
    return entity_tag or hashlib.sha256(text.encode()).hexdigest()[:12]
