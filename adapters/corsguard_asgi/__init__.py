"""corsguard in front of any ASGI application."""

from corsguard_asgi.middleware import CORSMiddleware

__all__ = ["CORSMiddleware"]
