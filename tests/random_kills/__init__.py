"""Runs of the target that are killed at a call, and rerun: the lists must be exact, and nothing made twice."""
