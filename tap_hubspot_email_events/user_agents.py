"""Reads the operating system out of a user agent."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ua_parser import parse_os

# A portal's readers share few user agents, and parsing a new one takes long compared with looking it up.
REMEMBERED_USER_AGENTS = 20_000
# The system is named near the beginning. Kept whole, the user agents that bots make up would fill the memory.
PARSED_CHARACTERS = 1_000


class OperatingSystem(NamedTuple):
    """The name and the dotted version of an operating system; None where the user agent does not tell."""

    name: str | None
    version: str | None


UNKNOWN = OperatingSystem(None, None)


def operating_system(user_agent: str) -> OperatingSystem:
    """Return the operating system that a user agent names."""
    return _operating_system(user_agent[:PARSED_CHARACTERS])


@lru_cache(maxsize=REMEMBERED_USER_AGENTS)
def _operating_system(user_agent: str) -> OperatingSystem:
    found = parse_os(user_agent)
    if found is None or found.family == "Other":
        return UNKNOWN
    parts = (found.major, found.minor, found.patch, found.patch_minor)
    return OperatingSystem(found.family, ".".join(part for part in parts if part) or None)
