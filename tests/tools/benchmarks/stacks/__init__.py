"""Each framework bare, with corsguard, with its peer and with the floor."""

from tools.benchmarks.stacks import asgi, django, wsgi

__all__ = ["STACKS"]

STACKS = (*wsgi.STACKS, *asgi.STACKS, *django.STACKS)
