"""The pages of the demo: static files, and the endpoints of the playground."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from corsguard import Guard
from corsguard.cli.demo.presets import list_presets
from corsguard.cli.toml_edit import EditError, set_option
from corsguard.escaping import escape_text
from corsguard.explain.question import Question, UsageError, build_question

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from corsguard.cli.demo.playground import Playground
    from corsguard.cli.demo.servers import Origins

__all__ = ["Site"]

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": _JSON,
    ".svg": "image/svg+xml",
}
"""Suffix of a file in the folder `page` -> its content type. Others are not served."""
_MAX_BODY = 65_536


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
        home = "/caller.html" if origin == origins.stranger else "/index.html"
        self._files["/"] = self._files.get(home) or self._files["/index.html"]
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
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        endpoint = self._endpoints.get(path)
        is_read = method in {"GET", "HEAD"}
        if endpoint is not None:
            if method != "POST":
                raise _RequestError(HTTPStatus.METHOD_NOT_ALLOWED, "only POST")
            return _format_json(endpoint(_read_json(environ)))
        if path != "/settings.json" and path not in self._files:
            raise _RequestError(HTTPStatus.NOT_FOUND, "there is nothing here")
        if not is_read:
            raise _RequestError(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD")
        if path == "/settings.json":
            return _format_json(self._build_settings())
        return self._files[path]

    def _build_settings(self) -> dict[str, object]:
        return {
            **self._origins._asdict(),
            "toml": self._playground.text,
            "calls": [],  # in calls.js
            "presets": [preset.as_dict() for preset in list_presets(self._origins.frontend)],
        }

    def _replace_policy(self, given: dict[str, Any]) -> object:
        return self._playground.replace(_read_text(given))

    def _explain(self, given: dict[str, Any]) -> object:
        return self._playground.explain(_read_question(given))

    def _toggle(self, given: dict[str, Any]) -> object:
        text, enforce = _read_text(given), given.get("enforce")
        if not isinstance(enforce, bool):
            raise _RequestError(HTTPStatus.BAD_REQUEST, "`enforce` is not a bool")
        try:
            return {"toml": set_option(text, "enforce", enforce)}
        except EditError as error:
            raise _RequestError(HTTPStatus.BAD_REQUEST, f"`toml` is not TOML: {error}") from None

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
            f"frame-ancestors {embedder}; frame-src {origins.stranger}; "
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


def _read_text(given: dict[str, Any]) -> str:
    text = given.get("toml")
    if not isinstance(text, str):
        raise _RequestError(HTTPStatus.BAD_REQUEST, "`toml` is not a text")
    return text


def _read_question(given: dict[str, Any]) -> Question:
    """Return the question that an object of JSON is. Raises _RequestError."""
    headers = given.get("headers", {})
    options: dict[str, Any] = {
        "page": given.get("page"),
        "method": given.get("method", "GET"),
        "credentials": given.get("credentials", "omit"),
        "engine": given.get("engine", "chromium"),
    }
    try:
        return build_question(
            given["url"],
            {
                **options,
                "header": [f"{name}: {value}" for name, value in headers.items()],
                "body": None,
                "cookie": [],
                "mode": "cors",
                "redirect": "follow",
                "format": "json",
            },
        )
    except UsageError as error:
        raise _RequestError(HTTPStatus.BAD_REQUEST, str(error)) from None


def _format_error(error: _RequestError) -> _Content:
    return _format_json({"error": str(error)})


def _format_json(document: object) -> _Content:
    return _Content(_JSON, json.dumps(document).encode())
