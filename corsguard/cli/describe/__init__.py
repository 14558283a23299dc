"""`corsguard describe`: the policies of a file as a page for those who call the API."""
