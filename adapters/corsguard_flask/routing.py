"""What the URL of a request would reach, before the application is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

__all__ = ["endpoints_at"]


def endpoints_at(
    app: Flask, environ: WSGIEnvironment, method: str, *, others: bool
) -> dict[str, str | None]:
    """The endpoint that method would reach; with others, those of the URL's other methods too.

    None is for a 404, a 405 or a redirect. Converters find `current_app` and `g`, but no request.
    """
    with app.app_context():
        try:
            request = app.request_class(environ, populate_request=False)
            adapter = cast(MapAdapter, app.create_url_adapter(request))
        except HTTPException:  # a host that is not trusted
            return {method: None}
        methods = {method, *(adapter.allowed_methods() if others else ())}
        return {each: _endpoint(adapter, each) for each in methods}


def _endpoint(adapter: MapAdapter, method: str) -> str | None:
    try:
        endpoint: str = adapter.match(method=method)[0]
    except HTTPException:
        return None
    return endpoint
