"""`corsguard shadow-report`: what the shadow mode has logged, added up."""
