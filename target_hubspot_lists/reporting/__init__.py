"""Outcomes for people: counts, the report file, the summary, and progress."""
