"""Replaces the characters that a database or UTF-8 cannot hold: NUL, and half of a surrogate pair.

PostgreSQL refuses NUL in text and in JSON: https://www.postgresql.org/docs/current/datatype-character.html
"""

from __future__ import annotations

import re
from typing import Any

NUL = "\x00"
REPLACEMENT = "\ufffd"
_HALF_A_PAIR = re.compile(rb"\xed[\xa0-\xbf]")


def may_hold_unstorable(content: bytes) -> bool:
    """Return whether a JSON document may hold such a character; a false alarm costs time alone."""
    if b"\\u" in content and any(each in content for each in (b"\\u0000", b"\\ud", b"\\uD")):
        return True
    return not content.isascii() and _HALF_A_PAIR.search(content) is not None


def without_unstorable(text: str) -> str:
    """Return the text with U+FFFD for NUL and `?` for half of a surrogate pair."""
    if NUL in text:
        text = text.replace(NUL, REPLACEMENT)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def storable(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON value with `without_unstorable` applied to each text in it, names of fields included."""
    if isinstance(value, str):
        return without_unstorable(value)
    if isinstance(value, dict):
        return {without_unstorable(name): storable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [storable(each) for each in value]
    return value
