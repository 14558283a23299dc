"""The documents that are published: each has an origin that tells it from the others."""

from __future__ import annotations

from collections.abc import Iterable

PARTNERS = "partners"


def name_origin(number: int) -> str:
    """Return the origin that only the document of a number allows."""
    return f"https://version-{number}.example"


def list_partners(count: int, prefix: str) -> list[str]:
    return [f"https://{prefix}{number}.partner.example" for number in range(count)]


def build_small(number: int) -> str:
    """Return a document of one origin."""
    return f'allow_origins = ["{name_origin(number)}"]\n'


def build_large(origins: Iterable[str]) -> str:
    """Return a document whose set has many origins."""
    lines = "\n".join(origins)
    return (
        f'allow_origins = [{{ set = "{PARTNERS}" }}]\n'
        f"\n[origin_sets]\n{PARTNERS} = '''\n{lines}\n'''\n"
    )
