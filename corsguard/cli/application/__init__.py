"""The commands with `--app`: on an application that is loaded, instead of a configuration file."""
