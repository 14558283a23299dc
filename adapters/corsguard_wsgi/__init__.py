"""The WSGI adapter of corsguard."""

from corsguard_wsgi.middleware import CORSMiddleware

__all__ = ["CORSMiddleware"]
