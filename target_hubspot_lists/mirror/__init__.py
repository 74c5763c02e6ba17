"""Whole cohorts: complete snapshots, and who may be removed."""
