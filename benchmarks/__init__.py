"""Measures what the documents promise; a script fails where a promise is broken."""
