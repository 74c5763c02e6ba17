"""Reads a date or date-time that a source wrote as ISO 8601 text. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# Dashes are required: eight digits may as well be a number.
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].+)?", re.ASCII | re.IGNORECASE)


def iso_moment(text: str) -> datetime | None:
    """Return the moment in UTC that the text names, or None if it names none.

    The text is `YYYY-MM-DD`, alone or with a time behind a `T` or a space. Without a zone it is in UTC.
    """
    text = text.strip()
    if ISO_DATE.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
