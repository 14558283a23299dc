"""Why a browser blocks a request, and the smallest change of the policies that allows it."""
