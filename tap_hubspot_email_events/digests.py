"""Remembers in little room which events were passed on lately, so that none comes twice when read again.

An event is remembered by eight bytes of a digest of all that HubSpot says of it: one that HubSpot has changed
since is another one. Digests are part of the state, so what goes into them does not change with the columns.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from tap_hubspot_email_events.errors import UnreadableState

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST_BYTES = 8
SLACK = 2  # how many times as many are held within a window
MOST_REMEMBERED = 5_000  # digests; 53 kB of state in the busiest stream


def digest(content: Mapping[str, Any]) -> bytes:
    """Eight bytes that stand for the event with this content, in whatever order its fields came."""
    try:
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half of a surrogate pair, or an integer of more than 64 bits
        text = json.dumps(content, sort_keys=True).encode()
    return blake2b(text, digest_size=DIGEST_BYTES).digest()


@dataclass(slots=True)
class Memory:
    """The digests, each with its moment, of all events from `since` on that were passed on."""

    since: int
    moments: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def of(cls, since: int, until: int, encoded: str) -> Memory:
        """Read what a state remembers; as it says no moments, each counts as the newest of them."""
        try:
            packed = b64decode(encoded, validate=True)
        except (Base64Error, ValueError) as error:
            raise UnreadableState("what it remembers is not base64") from error
        if len(packed) % DIGEST_BYTES:
            raise UnreadableState("what it remembers is cut off")
        digests = (packed[at : at + DIGEST_BYTES] for at in range(0, len(packed), DIGEST_BYTES))
        return cls(since, dict.fromkeys(digests, until - 1))

    def __contains__(self, event_digest: bytes) -> bool:
        return event_digest in self.moments

    def __len__(self) -> int:
        return len(self.moments)

    def add(self, event_digest: bytes, moment_ms: int) -> None:
        """Remember an event."""
        self.moments[event_digest] = moment_ms
        if len(self.moments) > SLACK * MOST_REMEMBERED:
            self.forget_all_but_newest()

    def forget_before(self, moment_ms: int) -> None:
        """Forget what is older."""
        self.since = max(self.since, moment_ms)
        self.moments = {each: moment for each, moment in self.moments.items() if moment >= self.since}

    def forget_all_but_newest(self) -> None:
        """Forget the oldest of too many; a moment is remembered with all of its events or not at all."""
        if len(self.moments) > MOST_REMEMBERED:
            newest_first = sorted(self.moments.values(), reverse=True)
            self.forget_before(newest_first[MOST_REMEMBERED] + 1)

    def encoded(self) -> str:
        """The digests as the state keeps them; the same ones are always written alike."""
        return b64encode(b"".join(sorted(self.moments))).decode("ascii")
