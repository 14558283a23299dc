"""`corsguard probe --audit`: the search for known misconfigurations of a live server."""
