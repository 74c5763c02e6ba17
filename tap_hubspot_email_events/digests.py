"""Digests of events: eight bytes that stand for all that HubSpot says of an event, small enough to keep in STATE.

An event that HubSpot has changed has another digest. What goes into a digest never changes with the columns.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from tap_hubspot_email_events.errors import UnreadableState

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGEST_BYTES = 8


def digest(content: object) -> bytes:
    """Return the digest of a JSON value, whatever the order of the fields in it."""
    try:
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half of a surrogate pair, or an integer of more than 64 bits
        text = json.dumps(content, sort_keys=True).encode()
    return blake2b(text, digest_size=DIGEST_BYTES).digest()


def pack(digests: Iterable[bytes]) -> str:
    """Return the digests as base64 text, the same text for the same digests."""
    return b64encode(b"".join(sorted(digests))).decode("ascii")


def unpack(text: str) -> set[bytes]:
    """Return the digests that `pack` wrote; raises UnreadableState."""
    try:
        packed = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise UnreadableState("what it remembers is not base64") from error
    if len(packed) % DIGEST_BYTES:
        raise UnreadableState("what it remembers is cut off")
    return {packed[at : at + DIGEST_BYTES] for at in range(0, len(packed), DIGEST_BYTES)}
