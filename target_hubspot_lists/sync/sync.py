"""Interface of a mode: how a run takes memberships, and when it sends them to HubSpot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from target_hubspot_lists.input.streams import Receiver

if TYPE_CHECKING:
    from collections.abc import Sequence


class Sync(Receiver, Protocol):
    """One run in one mode. The modes differ in when they plan, against what, and whether absence removes."""

    @property
    def held(self) -> int:
        """How many memberships wait for the next flush."""

    def count(self) -> None:
        """Bring the accounts up to date with the records taken: they are counted by the run, and not one by one."""

    def activate(self, stream: str, version: int | None) -> None:
        """An ACTIVATE_VERSION of the stream came."""

    def streams_at_stake(self) -> frozenset[str]:
        """Return the streams whose lists may change only at the end of the input, so that STATE waits for them."""

    def flush(self) -> None:
        """Bring everything held to HubSpot; return once each membership has its outcome."""

    def finish(self) -> Sequence[str]:
        """Bring to HubSpot what only the end of the input allows; return what was held back, one sentence each."""

    def is_done(self, stream: str) -> bool:
        """Return, after `finish`, whether all that the stream asked for was done."""

    def close(self) -> None:
        """Let go of what the run holds on disk."""
