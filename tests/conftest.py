"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says nothing of whether it is right.
settings.register_profile("corsguard", deadline=None, print_blob=True)
settings.load_profile("corsguard")
