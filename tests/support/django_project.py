"""The settings that the tests of the Django adapter begin with."""

from __future__ import annotations

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["api.example.com", "testserver"],
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "corsguard_django"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=["corsguard_django.CORSMiddleware"],
        SECRET_KEY="not secret",
    )
    django.setup()
