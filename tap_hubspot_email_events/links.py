"""Reads the campaign parameters (`utm_source` and its like) of a link."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from tap_hubspot_email_events.texts import without_unstorable

if TYPE_CHECKING:
    from collections.abc import Mapping

CAMPAIGN_PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# The columns of one click ask for the same link one after another. Links can be long: few are kept.
REMEMBERED_LINKS = 16

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
