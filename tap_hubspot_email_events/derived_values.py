"""Values derived from a text field: campaign parameters of a link, operating system of a user agent."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from ua_parser import parse_os

from tap_hubspot_email_events.texts import without_unstorable

if TYPE_CHECKING:
    from collections.abc import Mapping

CAMPAIGN_PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# The columns of one click read the same link one after another. Links can be long: few are kept.
REMEMBERED_LINKS = 16
# A portal's readers share few user agents, and parsing a new one takes long compared with looking it up.
REMEMBERED_USER_AGENTS = 20_000
# The system is named near the beginning. Longer user agents, which bots invent, would fill the memory.
PARSED_CHARACTERS = 1_000

_NONE: Mapping[str, str] = {}


@lru_cache(maxsize=REMEMBERED_LINKS)
def campaign_parameters(link: str) -> Mapping[str, str]:
    """Return the link's campaign parameters that are not blank; the first counts where one is given twice."""
    query = link.partition("#")[0].partition("?")[2]
    if "utm" not in query:
        return _NONE
    found: dict[str, str] = {}
    for name, value in parse_qsl(query):
        if name in CAMPAIGN_PARAMETERS and value.strip():
            found.setdefault(name, without_unstorable(value))
    return found


class OperatingSystem(NamedTuple):
    """The name and the dotted version of an operating system; None where the user agent has none."""

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
