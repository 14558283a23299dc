"""The Starlette and FastAPI adapter of corsguard."""

from importlib.util import find_spec

if find_spec("starlette") is None:
    raise ImportError(
        'corsguard_starlette needs Starlette or FastAPI: pip install "corsguard[starlette]"'
    )

from corsguard.guard.view_policies import cors_exempt, cors_policy
from corsguard_starlette.extension import CORSGuard

__all__ = ["CORSGuard", "cors_exempt", "cors_policy"]
