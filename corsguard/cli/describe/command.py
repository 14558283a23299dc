"""`corsguard describe`: the policies of a file as a page for those who call the API."""

from __future__ import annotations

import json

import click

from corsguard.browser.url import HTTP_SCHEMES, URL, URLError
from corsguard.cli.check import by_route, sound_guard_of
from corsguard.cli.describe.contents import described
from corsguard.cli.terminal import fail

__all__ = ["describe"]

_EXAMPLE = "https://api.example.com/v1"


def describe(file: str, form: str, url: str | None) -> int:
    """Write the page of file, and return the exit code."""
    guard = sound_guard_of(file)
    api = _api(url) if url else next(iter(guard.own_origins), None)
    document = described(by_route(guard.policies), guard, api)
    if form == "json":
        text = json.dumps(document, indent=2)
    elif form == "html":
        from corsguard.cli.describe.html import as_html

        text = as_html(document)
    else:
        from corsguard.cli.describe.markdown import as_markdown

        text = as_markdown(document)
    click.echo(text)
    return 0


def _api(url: str) -> str:
    """Where an address is, without a slash behind it: the paths of a file follow."""
    try:
        parsed = URL.parse(url)
    except URLError as error:
        fail(f"--url {error}: write one such as {_EXAMPLE}")
    if parsed.scheme not in HTTP_SCHEMES:
        fail(f"--url {url!r} is not http or https: write one such as {_EXAMPLE}")
    address = f"{parsed.origin}{parsed.path}"
    if parsed.href != address:
        fail(f"--url {url!r} has more than a host and a path: write one such as {_EXAMPLE}")
    return address.rstrip("/")
