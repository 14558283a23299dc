"""`python -m corsguard` is the `corsguard` command."""

from corsguard.cli import main

main()
