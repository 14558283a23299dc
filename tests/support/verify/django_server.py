"""Django behind corsguard, with the policies that the first argument holds as JSON."""

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
    CORSGUARD=json.loads(sys.argv[1]),
    INSTALLED_APPS=["corsguard_django"],
    MIDDLEWARE=["corsguard_django.CORSMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a test",
)
django.setup()


def show_item(request: HttpRequest) -> HttpResponse:
    return HttpResponse("an item\n", content_type="text/plain", headers={"X-Total": "3"})


urlpatterns = [path(name, show_item) for name in ("api", "api/items", "public", "internal")]

with ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as server:
    server.set_app(WSGIHandler())
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
