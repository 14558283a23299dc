"""The pages of the demo: static files, and the endpoints of the playground."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from corsguard import Guard
from corsguard.cli.demo.limits import MAX_TEXT
from corsguard.cli.demo.playground import Playground
from corsguard.cli.demo.presets import list_presets
from corsguard.cli.options import EXPLAIN_OPTIONS
from corsguard.cli.toml_edit import EditError, set_option
from corsguard.escaping import escape_text
from corsguard.explain.question import Question, UsageError, build_question

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from corsguard.cli.demo.servers import Origins

__all__ = ["Site"]

_SETTINGS = "/settings.json"
_JSON = "application/json"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": _JSON,
    ".svg": "image/svg+xml",
}
"""Suffix of a file in the folder `page` -> its content type. Others are not served."""
_MAX_BODY = 65_536
_MAX_HEADERS = 20
_MAX_SHOWN = 500
"""Characters of an error that repeats a part of the request."""
_CHOICES = {option.name: option.choices for option in EXPLAIN_OPTIONS}


class _RequestError(Exception):
    """A request that gets an error. Its text is one line that says why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Content(NamedTuple):
    content_type: str
    body: bytes


class Site:
    """A WSGI application on the frontend's origin, or on the untrusted one.

    Both serve the same files. Only the frontend has the endpoints that change the policy.
    """

    def __init__(self, origins: Origins, origin: str, playground: Playground) -> None:
        # Imported here, since the core imports no adapter.
        from corsguard_wsgi import CORSMiddleware

        self._origins = origins
        self._host = origin.removeprefix("http://")
        self._playground = playground
        self._files = dict(_read_files())
        home = "/caller.html" if origin == origins.untrusted else "/index.html"
        self._files["/"] = self._files.get(home) or self._files["/index.html"]
        self._files["/favicon.ico"] = self._files["/icon.svg"]
        del self._files["/index.html"]
        self._endpoints: dict[str, Callable[[dict[str, Any]], object]] = {}
        if origin == origins.frontend:
            self._endpoints = {
                "/policy": self._replace_policy,
                "/explain": self._explain,
                "/toggle": self._toggle,
            }
        self._app = CORSMiddleware(self._respond, Guard({"/": None}, enforce=True))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Another name that leads here is DNS rebinding: its pages would be of the same origin.
        if environ.get("HTTP_HOST", "").lower() != self._host:
            error = _RequestError(
                HTTPStatus.MISDIRECTED_REQUEST, f"this is http://{self._host}: open that address"
            )
            return self._start(environ, start_response, error.status, _format_error(error))
        return self._app(environ, start_response)

    def _respond(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status = HTTPStatus.OK
        try:
            content = self._find_content(environ)
        except _RequestError as error:
            status, content = error.status, _format_error(error)
        return self._start(environ, start_response, status, content)

    def _find_content(self, environ: WSGIEnvironment) -> _Content:
        """Return the response to a request. Raises _RequestError."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if endpoint := self._endpoints.get(path):
            if method != "POST":
                raise _RequestError(HTTPStatus.METHOD_NOT_ALLOWED, "only POST")
            return _format_json(endpoint(_read_json(environ)))
        if path != _SETTINGS and path not in self._files:
            raise _RequestError(HTTPStatus.NOT_FOUND, "there is nothing here")
        if method not in {"GET", "HEAD"}:
            raise _RequestError(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD")
        return _format_json(self._build_settings()) if path == _SETTINGS else self._files[path]

    def _build_settings(self) -> dict[str, object]:
        return {
            **self._origins._asdict(),
            "toml": self._playground.text,
            "presets": [preset.as_dict() for preset in list_presets(self._origins.frontend)],
        }

    def _replace_policy(self, given: dict[str, Any]) -> object:
        return self._playground.replace(_read_text(given))

    def _explain(self, given: dict[str, Any]) -> object:
        return self._playground.explain(_read_question(given))

    def _toggle(self, given: dict[str, Any]) -> object:
        text, enforce = _read_text(given), given.get("enforce")
        if not isinstance(enforce, bool):
            raise _RequestError(HTTPStatus.BAD_REQUEST, "`enforce` is neither true nor false")
        if len(text) > MAX_TEXT:
            why = f"`toml` is longer than {MAX_TEXT} characters"
            raise _RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)
        try:
            return {"toml": set_option(text, "enforce", enforce)}
        except EditError as error:
            why = f"`toml` can't be edited: {escape_text(str(error))}"
            raise _RequestError(HTTPStatus.BAD_REQUEST, why) from None

    def _start(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        status: HTTPStatus,
        content: _Content,
    ) -> Iterable[bytes]:
        headers = [
            ("Content-Type", content.content_type),
            ("Content-Length", str(len(content.body))),
            ("Content-Security-Policy", self._build_csp(environ["PATH_INFO"])),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            is_endpoint = environ["PATH_INFO"] in self._endpoints
            headers.append(("Allow", "POST" if is_endpoint else "GET, HEAD"))
        start_response(f"{status.value} {status.phrase}", headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (content.body,)

    def _build_csp(self, path: str) -> str:
        """Return the Content-Security-Policy of a page.

        It loads files from its own origin only, calls only that and the API, and embeds only the
        page of the untrusted origin, which nothing else may embed.
        """
        origins = self._origins
        embedder = origins.frontend if path == "/caller.html" else "'none'"
        return (
            "default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {embedder}; frame-src {origins.untrusted}; "
            "img-src 'self'; script-src 'self'; style-src 'self'; "
            f"connect-src 'self' {origins.api}"
        )


def _read_files() -> Iterable[tuple[str, _Content]]:
    """Yield path -> content of each file of the page that has a known suffix."""
    for file in files("corsguard.cli.demo").joinpath("page").iterdir():
        content_type = _TYPES.get(PurePosixPath(file.name).suffix)
        if content_type is not None:
            yield f"/{file.name}", _Content(content_type, file.read_bytes())


def _read_json(environ: WSGIEnvironment) -> dict[str, Any]:
    """Return the JSON object that the body of a request is. Raises _RequestError."""
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != _JSON:
        raise _RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body must be {_JSON}")
    length = environ.get("CONTENT_LENGTH", "")
    if not (length.isascii() and length.isdecimal()):
        raise _RequestError(HTTPStatus.LENGTH_REQUIRED, "the request has no Content-Length")
    if len(length) > len(str(_MAX_BODY)) or int(length) > _MAX_BODY:
        why = f"the body is larger than {_MAX_BODY} bytes"
        raise _RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)
    try:
        given = json.loads(environ["wsgi.input"].read(int(length)))
    except (ValueError, RecursionError) as error:
        why = f"the body is not JSON: {escape_text(str(error))}"
        raise _RequestError(HTTPStatus.BAD_REQUEST, why) from None
    if not isinstance(given, dict):
        raise _RequestError(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
    return given


def _read_text(given: Mapping[str, Any], name: str = "toml", default: str | None = None) -> str:
    """Return the text of a key. Raises _RequestError if there is another value, or none."""
    text = given.get(name, default)
    if not isinstance(text, str):
        raise _RequestError(HTTPStatus.BAD_REQUEST, f"`{escape_text(name)}` is not a text")
    return text


def _read_question(given: dict[str, Any]) -> Question:
    """Return the question that an object of JSON is. Raises _RequestError."""
    headers = given.get("headers", {})
    if not isinstance(headers, dict):
        raise _RequestError(HTTPStatus.BAD_REQUEST, "`headers` is not an object")
    if len(headers) > _MAX_HEADERS:  # each may be one more change, and one more trial of it
        raise _RequestError(HTTPStatus.BAD_REQUEST, f"more than {_MAX_HEADERS} `headers`")
    options: dict[str, Any] = dict.fromkeys(option.name for option in EXPLAIN_OPTIONS)
    options |= {"mode": "cors", "redirect": "follow", "format": "json"}
    options["page"] = _read_text(given, "page")
    options["method"] = _read_text(given, "method", "GET")
    options["header"] = [f"{name}: {_read_text(headers, name)}" for name in headers]
    for name, default in (("credentials", "omit"), ("engine", "chromium")):
        options[name] = _read_text(given, name, default)
        if options[name] not in _CHOICES[name]:
            why = f"`{name}` is none of {', '.join(_CHOICES[name])}"
            raise _RequestError(HTTPStatus.BAD_REQUEST, why)
    try:
        return build_question(_read_text(given, "url"), options)
    except UsageError as error:
        # The names of the options are those of the keys.
        why = escape_text(str(error).replace("--", ""), _MAX_SHOWN)
        raise _RequestError(HTTPStatus.BAD_REQUEST, why) from None


def _format_error(error: _RequestError) -> _Content:
    return _format_json({"error": str(error)})


def _format_json(document: object) -> _Content:
    return _Content(_JSON, json.dumps(document).encode())
