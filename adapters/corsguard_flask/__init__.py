"""The Flask adapter of corsguard."""

from importlib.util import find_spec

if find_spec("flask") is None:
    raise ImportError('corsguard_flask needs Flask: pip install "corsguard[flask]"')

from corsguard.guard.view_policies import cors_exempt, cors_policy
from corsguard_flask.extension import CORSGuard

__all__ = ["CORSGuard", "cors_exempt", "cors_policy"]
