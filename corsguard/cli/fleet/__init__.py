"""The commands for a policy that a fleet follows: publish, rollback, history and status."""
