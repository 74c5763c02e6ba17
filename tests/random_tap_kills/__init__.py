"""Runs of the tap that are killed at a call, and rerun: no event may be missing, and no STATE ahead of the records."""
