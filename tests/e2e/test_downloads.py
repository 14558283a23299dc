"""docs/downloads.md: downloads, ranges, images, fonts and scripts in Chromium."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask, Response, request
from support.doc_pages import read_blocks, read_page
from support.e2e.named_hosts import NamedHosts
from support.e2e.site import FONT, IMAGE

from corsguard_flask import CORSGuard

APP, API = "https://app.example.com", "https://api.example.com"
PAGE = "<!doctype html><title>page</title><link rel=icon href='data:,'><body>"

FILES = {
    "dot.gif": ("image/gif", IMAGE),
    "empty.ttf": ("font/ttf", FONT),
    "site.js": ("text/javascript", b"window.ran = true; throw new Error('secret')"),
    "site.css": ("text/css", b"body { color: rgb(1, 2, 3) }"),
}

# The elements of the page's table -> a script that uses one, and returns what came of it.
ELEMENTS = {
    "<img src>": "return await draw(image('dot.gif'));",
    "<img src crossorigin>": "return await draw(image('dot.gif', 'anonymous'));",
    "@font-face": """
      return new FontFace('Empty', `url(${url('empty.ttf')})`).load().then(() => 'loaded', failed);
    """,
    "<script src>": "return await script({ src: url('site.js') });",
    "<script src crossorigin>": """
      return await script({ src: url('site.js'), crossOrigin: 'anonymous' });
    """,
    '<script type="module" src>': "return await script({ src: url('site.js'), type: 'module' });",
    '<link rel="stylesheet" href>': "return await style({ href: url('site.css') });",
    '<link rel="stylesheet" href crossorigin>': """
      return await style({ href: url('site.css'), crossOrigin: 'anonymous' });
    """,
    "<video src>": """
      const video = Object.assign(document.createElement('video'), { src: url('dot.gif') });
      await settle(video, 'loadeddata');
      return 'requested';
    """,
}
HELPERS = """
const [api] = args;
const url = (file) => `${api}/${file}`;
const failed = () => 'blocked';
const settle = (element, event) => new Promise((resolve, reject) => {
  element.addEventListener(event, resolve);
  element.addEventListener('error', reject);
});
const image = (file, crossOrigin = null) =>
  Object.assign(new Image(), { crossOrigin, src: url(file) });
const draw = async (element) => {
  try { await element.decode(); } catch { return 'blocked'; }
  const pen = document.createElement('canvas').getContext('2d');
  pen.drawImage(element, 0, 0);
  try { pen.getImageData(0, 0, 1, 1); } catch (error) { return error.name; }
  return 'readable';
};
const script = async (properties) => {
  window.ran = false;
  let message = null;
  const listen = (event) => { message = event.message; };
  addEventListener('error', listen);
  const element = Object.assign(document.createElement('script'), properties);
  const settled = settle(element, 'load');
  document.head.append(element);
  const blocked = await settled.then(() => null, failed);
  removeEventListener('error', listen);
  return blocked ?? (window.ran ? message : 'did not run');
};
const style = async (properties) => {
  const element = Object.assign(document.createElement('link'), { rel: 'stylesheet' }, properties);
  const settled = settle(element, 'load');
  document.head.append(element);
  if (await settled.then(() => null, failed)) return 'blocked';
  try { return element.sheet.cssRules.length; } catch (error) { return error.name; }
};
"""
WITHOUT_HEADERS = {
    "<img src>": "SecurityError",
    "<script src>": "Script error.",
    '<link rel="stylesheet" href>': "SecurityError",
}
WITH_HEADERS = {
    "<img src crossorigin>": "readable",
    "@font-face": "loaded",
    "<script src crossorigin>": "Uncaught Error: secret",
    '<script type="module" src>': "Uncaught Error: secret",
    '<link rel="stylesheet" href crossorigin>': 1,
}


def read_modes() -> dict[str, str]:
    rows = re.findall(r"^\| `(.+?)` \| `([a-z-]+)` \|", read_page("downloads"), re.MULTILINE)
    return dict(rows)


def build_files(modes: dict[str, str]) -> Flask:
    """Return a server of the files, which notes the mode of each request by path."""
    app = Flask(__name__)

    @app.get("/<name>")
    def file(name: str) -> Response:
        modes[name] = request.headers["Sec-Fetch-Mode"]
        content_type, content = FILES[name]
        return Response(content, content_type=content_type)

    return app


@pytest.mark.parametrize(("element", "mode"), read_modes().items())
def test_element_is_as_the_table_says(hosts: NamedHosts, element: str, mode: str) -> None:
    assert read_modes().keys() == ELEMENTS.keys()
    modes: dict[str, str] = {}
    plain, guarded = build_files(modes), build_files({})
    CORSGuard(guarded, allow_origins=[APP])
    hosts.serve({APP: PAGE, API: plain, "https://static.example.org": guarded})
    hosts.open(APP)

    seen = hosts.run(HELPERS + ELEMENTS[element], API)
    assert list(modes.values()) == [mode]
    if element != "<video src>":  # no video is small enough to be one of the files
        assert seen == WITHOUT_HEADERS.get(element, "blocked")
        # Without CORS, headers change nothing.
        allowed = WITHOUT_HEADERS.get(element) or WITH_HEADERS[element]
        assert hosts.run(HELPERS + ELEMENTS[element], "https://static.example.org") == allowed


def test_script_saves_and_reads_a_part(hosts: NamedHosts) -> None:
    names: dict[str, Any] = {"__name__": "main"}
    exec(read_blocks("downloads", "python")[0].code, names)
    save, part = read_blocks("downloads", "js")
    hosts.serve({APP: PAGE, API: names["app"]})
    hosts.open(APP)

    assert hosts.run(save.code + "return name;") == "report.csv"
    logged = "const seen = []; const console = { log: (...each) => seen.push(...each) };"
    assert hosts.run(f"{logged} {part.code} return seen;") == [206, "id,total", "bytes 0-7/13"]


IMAGE_TWICE = """
const [url] = args;
const load = (crossOrigin) => Object.assign(new Image(), { crossOrigin, src: url }).decode()
  .then(() => "shown", () => "blocked");
const first = await load(null);
const read = await fetch(url).then(() => "read", () => "blocked");
return [first, read];
"""


def test_cached_image_is_blocked_without_vary_only(hosts: NamedHosts) -> None:
    # Over http: Chromium caches nothing from a server whose certificate it does not trust.
    page, api, bucket = "http://app.example.com", "http://api.example.com", "http://bucket.example"

    def build_image() -> Flask:
        app = Flask(__name__)

        @app.get("/dot.gif")
        def dot() -> Response:
            headers = {"Cache-Control": "max-age=600", "Content-Type": "image/gif"}
            return Response(IMAGE, headers=headers)

        return app

    guarded, store = build_image(), build_image()
    CORSGuard(guarded, allow_origins=[page])

    @store.after_request
    def add_headers(response: Response) -> Response:
        if "Origin" in request.headers:
            response.headers["Access-Control-Allow-Origin"] = page
        return response

    hosts.serve({page: PAGE, api: guarded, bucket: store})
    hosts.open(page)

    assert hosts.run(IMAGE_TWICE, f"{api}/dot.gif") == ["shown", "read"]
    assert hosts.run(IMAGE_TWICE, f"{bucket}/dot.gif") == ["shown", "blocked"]


def test_embedder_policy_accepts_cors(hosts: NamedHosts) -> None:
    page = Flask(__name__)

    @page.get("/")
    def show() -> tuple[str, dict[str, str]]:
        return PAGE, {"Cross-Origin-Embedder-Policy": "require-corp"}

    files = build_files({})
    CORSGuard(files, allow_origins=[APP])
    hosts.serve({APP: page, "https://static.example.org": files})
    hosts.open(APP)

    for element, seen in (("<img src>", "blocked"), ("<img src crossorigin>", "readable")):
        assert hosts.run(HELPERS + ELEMENTS[element], "https://static.example.org") == seen


def test_integrity_needs_crossorigin(hosts: NamedHosts) -> None:
    files = build_files({})
    CORSGuard(files, allow_origins=[APP])
    hosts.serve({APP: PAGE, API: files})
    hosts.open(APP)
    digest = b64encode(sha256(FILES["site.js"][1]).digest()).decode()

    def load(properties: str) -> Any:
        source = f"src: url('site.js'), integrity: 'sha256-{digest}'{properties}"
        return hosts.run(f"{HELPERS} return await script({{ {source} }});", API)

    assert load("") == "blocked"
    assert load(", crossOrigin: 'anonymous'") == "Uncaught Error: secret"
