"""The folders and the names that a path leads through, symbolic links included."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["trace_path"]

_MAX_LINKS = 40  # as Linux


def trace_path(path: Path) -> dict[str, set[str]]:
    """Return folder -> the names in it that are looked up when an absolute path is opened.

    The folders are free of links. A name that is missing ends the look-up of the system, but not
    this one, so folders and names that will be looked up once it is there are returned as well.
    """
    looked_up: dict[str, set[str]] = {}
    folder, left = path.anchor, [*reversed(path.parts[1:])]
    links = 0
    while left:
        name = left.pop()
        if name == os.pardir:
            folder = os.path.dirname(folder)
            continue
        looked_up.setdefault(folder, set()).add(name)
        step = os.path.join(folder, name)
        try:
            target = Path(os.readlink(step))
        except OSError:  # it is not a link, or is not there
            folder = step
            continue
        links += 1
        if links > _MAX_LINKS:
            break
        if target.is_absolute():
            folder = target.anchor
        left += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return looked_up
