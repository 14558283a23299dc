"""Why a browser blocks a request, and the smallest change of the policy that allows it."""
