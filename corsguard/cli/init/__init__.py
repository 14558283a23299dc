"""`corsguard init`: write a configuration file after three questions, or from an application."""
