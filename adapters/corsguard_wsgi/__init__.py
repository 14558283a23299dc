"""corsguard in front of any WSGI application."""

from corsguard_wsgi.middleware import CORSMiddleware

__all__ = ["CORSMiddleware"]
