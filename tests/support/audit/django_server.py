"""Django behind django-cors-headers, with the settings that the first argument holds as JSON."""

from __future__ import annotations

import json
import sys

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["corsheaders.middleware.CorsMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a test",
    **json.loads(sys.argv[1]),
)
django.setup()


def items(request: HttpRequest) -> HttpResponse:
    return HttpResponse("items", content_type="text/plain")


urlpatterns = [path("v1/items", items)]

with ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as server:
    server.set_app(WSGIHandler())
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
