"""The page at `/` of the demo's API, for a user who opens it in a browser."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

__all__ = ["build_api_page"]

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
:root { background: Canvas; color: CanvasText; }
body { max-width: 38rem; margin: 0 auto; padding: 2rem 1.25rem; overflow-wrap: break-word; }
html { color: #1b1f27; background: #ffffff; }
a { color: #0a4fbd; }
h1 { line-height: 1.2; }
li { margin: 0.4rem 0; }
@media (prefers-color-scheme: dark) {
  html { color: #e7eaf0; background: #14171c; }
  a { color: #8fb8ff; }
}
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The API of corsguard demo</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>This is the API of <code>corsguard demo</code></h1>
<p>It is a small server behind corsguard. Pages on other origins call it, and its policy says which
of them may read the responses.</p>
<p><a href="{frontend}">Open the playground</a> to change that policy and to see what your browser
does.</p>
<p>A link is no cross-origin request of a script, so your browser shows these responses whatever the
policy is:</p>
<ul>
<li><a href="/items"><code>GET /items</code></a>: a list</li>
<li><a href="/me"><code>GET /me</code></a>: needs the header <code>Authorization</code></li>
<li><a href="/sign-in"><code>GET /sign-in</code></a>: sets a cookie</li>
<li><a href="/profile"><code>GET /profile</code></a>: needs that cookie</li>
<li><a href="/broken"><code>GET /broken</code></a>: an error of the server</li>
<li><a href="/stream"><code>GET /stream</code></a>: a slow response, in parts</li>
</ul>
</main>
</body>
</html>
"""


def build_api_page(frontend: str) -> tuple[list[tuple[str, str]], bytes]:
    """Return the headers and the body of the page. `frontend` is the origin of the playground."""
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        (
            "Content-Security-Policy",
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            f"img-src 'self'; style-src 'sha256-{digest}'",
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    ]
    return headers, _PAGE.format(style=_STYLE, frontend=frontend).encode()
