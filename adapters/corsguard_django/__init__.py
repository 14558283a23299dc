"""CORS middleware, view policies and system checks for Django."""

try:
    import django  # noqa: F401  # the adapter needs it
except ImportError:
    raise ImportError('corsguard_django needs Django: pip install "corsguard[django]"') from None

from corsguard_django.decorators import cors_exempt, cors_policy
from corsguard_django.middleware import CORSMiddleware

__all__ = ["CORSMiddleware", "cors_exempt", "cors_policy"]
