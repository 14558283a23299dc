"""What a server allows: the policy, its validation, and the suggestions that go with problems."""

from corsguard.policy.policy import Policy, PolicyFields

__all__ = ["Policy", "PolicyFields"]
