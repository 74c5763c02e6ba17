"""Measures what the README promises; a script fails where a promise is broken."""
