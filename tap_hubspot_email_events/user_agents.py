"""Reads the operating system out of a user agent."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ua_parser import parse_os

# A portal's openers share few user agents, and reading a new one takes long beside looking it up.
REMEMBERED_USER_AGENTS = 20_000
# The system is named near the beginning. Whole, the user agents that bots make up would fill the memory.
TELLING_CHARACTERS = 1_000


class OperatingSystem(NamedTuple):
    """The name and the dotted version of an operating system, as far as the user agent tells."""

    name: str | None
    version: str | None


UNKNOWN = OperatingSystem(None, None)


def operating_system(user_agent: str) -> OperatingSystem:
    """The operating system a user agent names; nothing where it names none."""
    return _operating_system(user_agent[:TELLING_CHARACTERS])


@lru_cache(maxsize=REMEMBERED_USER_AGENTS)
def _operating_system(user_agent: str) -> OperatingSystem:
    found = parse_os(user_agent)
    if found is None or found.family == "Other":
        return UNKNOWN
    parts = (found.major, found.minor, found.patch, found.patch_minor)
    return OperatingSystem(found.family, ".".join(part for part in parts if part) or None)
