"""`corsguard verify`: the comparison of a live server with a policy."""
