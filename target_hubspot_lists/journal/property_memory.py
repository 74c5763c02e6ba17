"""Remembers what was written of a contact's properties, so that an unchanged value is not written again.

What a call is about to change is forgotten before it, and remembered after its answer: as with memberships, a run that
is killed in between leaves nothing that is not known.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

# For each property written: the digest of its name, then the digest of its value.
DIGEST_BYTES = 8
PAIR_BYTES = 2 * DIGEST_BYTES


class PropertyMemory(Protocol):
    """What earlier runs wrote to contacts' properties; the bytes are `Hashes.packed`."""

    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        """Return by record id what is remembered; contacts of which nothing is known are left out."""

    def remember(self, hashes: Mapping[int, bytes], known: Mapping[int, bytes]) -> None:
        """Remember this of these contacts, in place of what was `known` of them.

        If another run has remembered something else meanwhile, nothing is known of that contact from here on.
        """


class Hashes:
    """Hashes of one contact's property names and values: they only show whether a value is the same."""

    def __init__(self, packed: bytes = b"") -> None:
        pairs = (packed[start : start + PAIR_BYTES] for start in range(0, len(packed), PAIR_BYTES))
        self._by_name = {pair[:DIGEST_BYTES]: pair[DIGEST_BYTES:] for pair in pairs}

    def unknown(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return the texts that were not the last ones written to their properties."""
        return {
            name: text for name, text in texts.items() if self._by_name.get(_digest(name)) != _digest(text)
        }

    def with_written(self, texts: Mapping[str, str]) -> Hashes:
        """Return the hashes once these texts are written."""
        changed = Hashes()
        changed._by_name = self._by_name | {_digest(name): _digest(text) for name, text in texts.items()}
        return changed

    def without(self, names: Iterable[str]) -> Hashes:
        """Return the hashes without those of these properties."""
        changed = Hashes()
        forgotten = set(map(_digest, names))
        changed._by_name = {name: text for name, text in self._by_name.items() if name not in forgotten}
        return changed

    @property
    def packed(self) -> bytes:
        """The hashes as bytes, in an order that does not depend on when they were written."""
        return b"".join(name + text for name, text in sorted(self._by_name.items()))


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).digest()
