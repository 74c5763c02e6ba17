"""Knows where HubSpot puts an API's version into its path; nothing else in the code spells a version."""

from __future__ import annotations

import re

DEFAULT_VERSION = "2026-03"
LEGACY_VERSION = "v3"
# HubSpot publishes a version each March and September: https://developers.hubspot.com/docs/developer-tooling/platform/versioning
_DATED = re.compile(r"\d{4}-(03|09)", re.ASCII)


def is_version(version: str) -> bool:
    """Tell whether HubSpot's paths can carry this version: `v3`, `2026-03` or a later March or September."""
    return version == LEGACY_VERSION or (_DATED.fullmatch(version) is not None and version >= DEFAULT_VERSION)


def versioned(area: str, version: str) -> str:
    """Return the path of an area such as `crm/lists` in that version.

    Dated versions stand behind the whole area, v3 behind its first word.
    """
    family, _, rest = area.partition("/")
    if version != LEGACY_VERSION:
        return f"/{area}/{version}"
    return f"/{family}/{version}/{rest}" if rest else f"/{family}/{version}"
