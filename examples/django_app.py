"""A small API in Django with corsguard in front of it. Start it with

    python examples/django_app.py

Pages of http://localhost:3000 may use all of /api, with cookies; any page may read /public.
"""
# ruff: noqa: ARG001, ARG002  # every view takes the request

from __future__ import annotations

import argparse
import csv
import json
import secrets
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connection, models
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import include, path
from django.views import View

from corsguard import Policy
from corsguard_django import cors_policy

PASSWORDS = {"ada": "lovelace"}
FOLDER = tempfile.TemporaryDirectory()  # removed when the process ends

settings.configure(
    ALLOWED_HOSTS=["localhost"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(FOLDER.name) / "items.sqlite3",
        }
    },
    INSTALLED_APPS=["corsguard_django"],  # for `manage.py check`, and `manage.py corsguard`
    MIDDLEWARE=[
        "corsguard_django.CORSMiddleware",  # first
        "django.middleware.common.CommonMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_urlsafe(),
    SESSION_COOKIE_PATH="/api",
    # Pages on another site than this API need SameSite "None", SESSION_COOKIE_SECURE, and https.
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    CORSGUARD={
        "routes": {
            "/api": {
                "allow_origins": ["http://localhost:3000"],
                "allow_credentials": True,  # its pages may send the session cookie
                "allow_methods": ["PUT", "DELETE"],
                "allow_headers": ["Content-Type"],  # which a page that sends JSON sets
                "expose_headers": ["Content-Disposition", "Location"],
            }
        },
        # Pages of other sites can't write, not even with a form, which has no preflight: this
        # replaces CsrfViewMiddleware and its tokens.
        "enforce": True,
        "enforce_exempt": ["/public"],
    },
)
django.setup()


class Item(models.Model):
    """A row of the table that the API is about."""

    name: models.TextField[str, str] = models.TextField()

    class Meta:
        """An application of its own, which is this one file."""

        app_label = "items"

    def as_dict(self) -> dict[str, object]:
        return {"id": self.pk, "name": self.name}


def field(request: HttpRequest, name: str) -> str:
    """Return a field of the JSON body."""
    try:
        return str(json.loads(request.body)[name])
    except (ValueError, TypeError, KeyError):  # it is no JSON, no object, or lacks the field
        raise BadRequest(f"the body is no JSON object with {name}") from None


def name_of(request: HttpRequest) -> str:
    """Return the name in the body. Raise PermissionDenied without a login."""
    if "user" not in request.session:
        raise PermissionDenied
    return field(request, "name")


class Items(View):
    """All items."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse([item.as_dict() for item in Item.objects.all()], safe=False)

    def post(self, request: HttpRequest) -> HttpResponse:
        item = Item.objects.create(name=name_of(request))
        return JsonResponse(
            item.as_dict(), status=201, headers={"Location": f"/api/items/{item.pk}"}
        )


class OneItem(View):
    """One item."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        return JsonResponse(get_object_or_404(Item, pk=number).as_dict())

    def put(self, request: HttpRequest, number: int) -> HttpResponse:
        name = name_of(request)
        item = get_object_or_404(Item, pk=number)
        item.name = name
        item.save()
        return JsonResponse(item.as_dict())

    def delete(self, request: HttpRequest, number: int) -> HttpResponse:
        if "user" not in request.session:
            raise PermissionDenied
        if not Item.objects.filter(pk=number).delete()[0]:
            raise Http404
        return HttpResponse(status=204)


def download(request: HttpRequest) -> HttpResponse:
    """Download all items."""
    attachment = {"Content-Disposition": 'attachment; filename="items.csv"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=attachment)
    csv.writer(response).writerows(Item.objects.values_list("id", "name"))
    return response


def log_in(request: HttpRequest) -> HttpResponse:
    """Begin a session."""
    user = field(request, "user")
    if PASSWORDS.get(user) != field(request, "password"):
        raise PermissionDenied
    request.session["user"] = user
    return HttpResponse(status=204)


def failure(request: HttpRequest) -> HttpResponse:
    """Fail, to show that Django's 500 has the CORS headers as well."""
    raise RuntimeError("this endpoint always fails")


@cors_policy(Policy(allow_origins=["*"]))
def public(request: HttpRequest) -> HttpResponse:
    """List the items, for any page: the view has its own policy."""
    return Items().get(request) if request.method == "GET" else HttpResponse(status=405)


api = [
    path("items", Items.as_view()),
    path("items/<int:number>", OneItem.as_view()),
    path("items.csv", download),
    path("login", log_in),
    path("failure", failure),
]
urlpatterns = [path("api/", include(api)), path("public/items", public)]


def main() -> None:
    """Serve the API on this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    with connection.schema_editor() as editor:
        editor.create_model(Item)
    with ThreadedWSGIServer(("localhost", port), WSGIRequestHandler) as server:
        server.set_app(WSGIHandler())
        print(f"Serving at http://localhost:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
