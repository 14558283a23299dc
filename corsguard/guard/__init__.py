"""What an adapter holds: the policy of each path, enforcement, and the log of refusals."""

from corsguard.guard.guard import Guard, GuardFields

__all__ = ["Guard", "GuardFields"]
