"""The policy of a server, its validation, and the suggested fixes of its problems."""

from corsguard.policy.policy import Policy, PolicyFields

__all__ = ["Policy", "PolicyFields"]
