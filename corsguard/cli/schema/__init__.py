"""`corsguard schema`: the JSON Schema of a configuration file, for editors."""
