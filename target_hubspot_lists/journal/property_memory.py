"""Remembers what was written of a contact's properties, so that an unchanged value is not written again.

What a call is about to change is forgotten before it, and remembered after its answer: as with memberships, a run that
is killed in between leaves nothing that is not known.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

# For each property written: the digest of its identity, then the digest of its value.
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
    """Hashes of one contact's properties and their values: they only show whether a value is the same.

    `identity` returns the text that stands for the property with a name: two properties may have one name, one after
    the other, and the contacts have no value in the second.
    """

    def __init__(self, packed: bytes = b"", identity: Callable[[str], str] = str) -> None:
        pairs = (packed[start : start + PAIR_BYTES] for start in range(0, len(packed), PAIR_BYTES))
        self._identity = identity
        self._by_identity = {pair[:DIGEST_BYTES]: pair[DIGEST_BYTES:] for pair in pairs}

    def unknown(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return the texts that were not the last ones written to their properties."""
        return {
            name: text
            for name, text in texts.items()
            if self._by_identity.get(_digest(self._identity(name))) != _digest(text)
        }

    def with_written(self, texts: Mapping[str, str]) -> Hashes:
        """Return the hashes once these texts are written."""
        written = {_digest(self._identity(name)): _digest(text) for name, text in texts.items()}
        return self._with(self._by_identity | written)

    def without(self, names: Iterable[str]) -> Hashes:
        """Return the hashes without those of these properties."""
        forgotten = {_digest(self._identity(name)) for name in names}
        return self._with({each: text for each, text in self._by_identity.items() if each not in forgotten})

    def _with(self, by_identity: dict[bytes, bytes]) -> Hashes:
        changed = Hashes(identity=self._identity)
        changed._by_identity = by_identity
        return changed

    @property
    def packed(self) -> bytes:
        """The hashes as bytes, in an order that does not depend on when they were written."""
        return b"".join(each + text for each, text in sorted(self._by_identity.items()))


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).digest()
