"""`corsguard describe`: the policies of a file as a page for the clients of an API."""

from __future__ import annotations

import json

import click

from corsguard.browser.url import HTTP_SCHEMES, URL, URLError
from corsguard.cli.check import load_guard
from corsguard.cli.describe.document import build_description
from corsguard.cli.terminal import fail

__all__ = ["run_describe"]

_EXAMPLE = "https://api.example.com/v1"


def run_describe(file: str, form: str, url: str | None) -> int:
    """Write the page of file to the standard output, and return the exit code.

    `form` is "markdown", "json" or "html". `url` is the URL of the API; None for the first of the
    own origins in the file, if there is one.
    """
    guard = load_guard(file)
    api = _parse_url(url) if url else next(iter(guard.own_origins), None)
    document = build_description(guard, api)
    if form == "json":
        text = json.dumps(document, indent=2)
    elif form == "html":
        from corsguard.cli.describe.html import render_html

        text = render_html(document)
    else:
        from corsguard.cli.describe.markdown import render_markdown

        text = render_markdown(document)
    click.echo(text)
    return 0


def _parse_url(url: str) -> str:
    """Return the URL of an API without a final slash. End the command where it is invalid."""
    try:
        parsed = URL.parse(url)
    except URLError as error:
        fail(f"--url {error}: use one such as {_EXAMPLE}")
    if parsed.scheme not in HTTP_SCHEMES:
        fail(f"--url {url!r} is not http or https: use one such as {_EXAMPLE}")
    address = f"{parsed.origin}{parsed.path}"
    if parsed.href != address:
        fail(f"--url {url!r} has more than an origin and a path: use one such as {_EXAMPLE}")
    return address.rstrip("/")
