"""`corsguard migrate`: the policy that says what another CORS library is configured to do."""
